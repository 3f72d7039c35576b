"""Work for the processor, whatever device holds the tensors: few decompositions, and computations for scipy.

A GPU decomposes small matrices one after another and takes milliseconds for each, unless there are many of at most 32
rows. An optimiser of scipy asks for one number at a time, so a GPU would mostly wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

MANY, SMALL = 256, 32
"""From this number of matrices on, of at most this many rows and columns, a GPU decomposes them all at once."""


def decomposed(decomposition: Callable[..., Any], matrix: Tensor, **options: Any) -> Any:
    """The result of decomposition(matrix, ...), on the device of the matrix.

    The processor computes it, unless a GPU would be faster.

    Args:
        decomposition: a function of torch.linalg, such as `eigvalsh` or `svd`, that returns one tensor or several.
        matrix: of shape (..., rows, columns).
        options: further arguments of the decomposition.
    """
    rows, columns = matrix.shape[-2:]
    many = matrix.numel() >= MANY * rows * columns and max(rows, columns) <= SMALL
    if matrix.device.type == "cpu" or many:
        return decomposition(matrix, **options)
    found = decomposition(matrix.cpu(), **options)
    return found.to(matrix.device) if isinstance(found, Tensor) else tuple(part.to(matrix.device) for part in found)


@contextmanager
def new_tensors_on_the_processor() -> Iterator[None]:
    """A context in which new tensors are made on the processor, whatever the default device of torch is."""
    if torch.get_default_device().type == "cpu":  # setting it again would cost time at every call of torch
        yield
        return
    with torch.device("cpu"):
        yield
