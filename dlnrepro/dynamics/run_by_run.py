"""Work done run by run, where a vectorised result would depend on a run's place in its batch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def each_run(function: Callable[..., Tensor], *tensors: Tensor) -> Tensor:
    """function(row, ...) for every run, stacked: the same bits alone and in any batch.

    A vectorised power or logarithm rounds the last few elements of a tensor by another routine than the rest, so
    that its bits depend on where a run lies. Powers of numbers that differ between runs go through here; it costs a
    Python call per run, so it is for starts and final measures only.

    Args:
        function: from rows, without the runs' dimension, to a tensor.
        tensors: each of shape (runs, ...).
    """
    return torch.stack([function(*rows) for rows in zip(*tensors, strict=True)])
