"""Clocks and drift of a losing path, against a plain loop over one path at a time."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from dlnrepro.dynamics.pathways.aligned_drift import BEGUN, GONE, LEARNED, REGAINED, observe_drift
from dlnrepro.runner import silent


def _plainly(start: list[float], depth: int, law_depth: int, size: float, steps: int) -> dict[str, float]:
    """The same clocks by floats."""
    weights, history = list(start), []
    for _ in range(steps + 1):
        history.append(list(weights))
        residual = 1 - sum(weight**depth for weight in weights)
        weights = [weight + size * weight ** (depth - 1) * residual for weight in weights]
    lags = [row[1] ** (2 - law_depth) for row in history]
    paired = [(one + two) / 2 for one, two in pairwise(lags)]
    learned = next(i for i, row in enumerate(history) if sum(weight**depth for weight in row) >= LEARNED)
    begun = next(i for i, lag in enumerate(paired) if i >= learned and lag <= BEGUN * paired[learned])
    gone = next(i for i, lag in enumerate(paired) if i >= learned and lag <= GONE * paired[learned])
    regained = next(i for i, row in enumerate(history) if row[1] ** depth >= REGAINED)
    return {
        "lag": paired[learned],
        "share": history[learned][1] ** depth,
        "drift": (paired[begun] - paired[gone]) / (gone - begun),
        "regained": regained - learned,
    }


@pytest.mark.slow
@pytest.mark.parametrize(("depth", "law_depth"), [(3, 3), (4, 4), (4, 3), (5, 5)])
def test_clocks_are_those_of_a_plain_loop(depth: int, law_depth: int) -> None:
    start = {3: [0.05, 0.03], 4: [0.3, 0.17], 5: [0.45, 0.26]}[depth]
    sizes = torch.tensor([2.3 / depth, 2.42 / depth], dtype=torch.float64)

    seen = observe_drift(torch.tensor([[start, start]], dtype=torch.float64), depth, law_depth, sizes, 4000, silent)

    for point, size in enumerate(sizes.tolist()):
        for name, value in _plainly(start, depth, law_depth, size, 4000).items():
            assert float(getattr(seen, name)[0, point]) == pytest.approx(value, rel=1e-9), name


def test_what_does_not_happen_is_nan_and_the_largest_loser_is_watched() -> None:
    start = torch.tensor([[[0.999, 0.05, 0.0]], [[0.999, 0.0, 0.05]], [[0.999, 0.0, 0.0]]], dtype=torch.float64)

    seen = observe_drift(start, 4, 4, torch.tensor([1.8 / 4], dtype=torch.float64), 1000, silent)

    assert bool(seen.drift.isnan().all())
    assert bool(seen.regained.isnan().all())
    assert float(seen.lag[0, 0]) == pytest.approx(400, rel=1e-3)
    assert torch.equal(seen.lag[0], seen.lag[1])
    assert math.isinf(float(seen.lag[2, 0]))
    assert not bool(seen.diverged.any())


def test_a_path_that_never_lost_regains_in_one_step_and_a_diverging_run_is_lost() -> None:
    equal = torch.tensor([[[0.8, 0.8]]], dtype=torch.float64)

    kept = observe_drift(equal, 4, 4, torch.tensor([0.4], dtype=torch.float64), 500, silent)
    thrown = observe_drift(5 * equal, 4, 4, torch.tensor([2.0], dtype=torch.float64), 500, silent)

    assert float(kept.regained) == 1
    assert bool(thrown.diverged.all())
