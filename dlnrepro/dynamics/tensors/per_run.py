"""Work that is done run by run, because a vectorised result would depend on the place of a run in its batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from dlnrepro.dynamics.tensors.progress import Progress


def each_run(function: Callable[..., Tensor], *tensors: Tensor) -> Tensor:
    """The stack of function(row, ...) for every run: bitwise identical for a run alone and in any batch.

    A vectorised power or logarithm rounds the last few elements of a tensor by another routine than the rest, so its
    results depend on the place of a run in the batch. Powers of numbers that differ between runs therefore use this
    function. It costs one Python call per run, so it is meant for initializations and final measures only.

    Args:
        function: from rows, without the dimension of the runs, to a tensor.
        tensors: each of shape (runs, ...).
    """
    return torch.stack([function(*rows) for rows in zip(*tensors, strict=True)])


def each(progress: Progress, runs: int) -> Iterator[tuple[int, Progress]]:
    """The runs, 0 to runs - 1, each with the progress of its own work.

    The progress of a run calls `progress` with a note such as `run 3 of 16` and its own note, which may be empty. It is
    called with 0 before the run is yielded.

    Args:
        progress: of all runs together.
        runs: how many there are.
    """
    for run in range(runs):
        tick = _of_run(progress, run, runs)
        tick(0.0, "")
        yield run, tick


def _of_run(progress: Progress, run: int, runs: int) -> Progress:
    """The progress of one run; a quotient, not a sum of shares, so that no run ends after the start of the next one."""
    name = f"run {run + 1} of {runs}"
    return lambda fraction, note: progress((run + fraction) / runs, f"{name}, {note}" if note else name)


def stacked(records: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The named tensors of all runs, (runs, ...), from those of single runs, which have the same names."""
    return {name: torch.stack([record[name] for record in records]) for name in records[0]}


def layer_sum(parts: Sequence[Tensor]) -> Tensor:
    """The sum of one tensor per layer, all of one shape: bitwise identical for a run alone and in any batch.

    A sum along the first dimension of their stack would add five layers or more in an order that depends on the place
    of a run in the batch.
    """
    return torch.stack(list(parts), dim=-1).sum(-1)


def squared_length(parts: Sequence[Tensor]) -> Tensor:
    """sum_l ||X_l||_F^2 of matrices X_l, each of shape (runs, ..., rows, columns): of shape (runs, ...)."""
    return layer_sum([(part * part).sum((-2, -1)) for part in parts])


def modulus(real: Tensor, imaginary: Tensor) -> Tensor:
    """sqrt(x^2 + y^2), bitwise identical for a run alone and in any batch, unlike a vectorised hypotenuse."""
    return (real * real + imaginary * imaginary).sqrt()
