"""Work done run by run, where a vectorised result would depend on a run's place in its batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from dlnrepro.dynamics.tensors.progress import Progress


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


def each(progress: Progress, runs: int) -> Iterator[tuple[int, Progress]]:
    """The runs, 0 to runs - 1, each with the progress of its own work.

    The progress of a run reports to `progress`, with a note such as `run 3 of 16` before its own note, which may be
    empty. It is called with 0 before the run is yielded.

    Args:
        progress: of all runs together.
        runs: how many there are.
    """
    for run in range(runs):
        tick = _of_run(progress, run, runs)
        tick(0.0, "")
        yield run, tick


def _of_run(progress: Progress, run: int, runs: int) -> Progress:
    """The progress of one run; a quotient, not a sum of shares, so that no run ends beyond the start of the next."""
    name = f"run {run + 1} of {runs}"
    return lambda fraction, note: progress((run + fraction) / runs, f"{name}, {note}" if note else name)


def stacked(records: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The named tensors of all runs, (runs, ...), from those of single runs, which have the same names."""
    return {name: torch.stack([record[name] for record in records]) for name in records[0]}


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
