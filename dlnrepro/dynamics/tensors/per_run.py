"""Work done run by run, where a vectorised result would depend on a run's place in its batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

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


def layer_sum(parts: Sequence[Tensor]) -> Tensor:
    """The sum of one tensor for each layer, all of one shape: the same bits for a run alone and in any batch.

    Summed along the first dimension of their stack, five layers or more would be added in an order that depends on
    where a run lies.
    """
    return torch.stack(list(parts), dim=-1).sum(-1)


def squared_length(parts: Sequence[Tensor]) -> Tensor:
    """sum_l ||X_l||_F^2 of matrices X_l, each of shape (runs, ..., rows, columns): of shape (runs, ...)."""
    return layer_sum([(part * part).sum((-2, -1)) for part in parts])


def modulus(real: Tensor, imaginary: Tensor) -> Tensor:
    """sqrt(x^2 + y^2): the same bits alone and in any batch, which a vectorised hypotenuse has not."""
    return (real * real + imaginary * imaginary).sqrt()
