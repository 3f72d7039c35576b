"""Layers along a path: a perfect chain scores 0, and others what the plain formulas say."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from dlnrepro.dynamics.classification.layer_alignment import excess_bound, fit_layers, observe_layers
from dlnrepro.dynamics.starts.draws import gaussian


def drawn(seed: int) -> list[Tensor]:
    """A path of one run: four points, drawn independently."""
    return gaussian([4, 6, 5, 1], 1.0, [torch.Generator().manual_seed(seed + k) for k in range(4)])


def test_a_rank_one_aligned_chain_has_no_gaps(generator: torch.Generator) -> None:
    draws = [torch.randn(n, dtype=torch.float64, generator=generator) for n in (4, 6, 5)]
    units = [torch.nn.functional.normalize(draw, dim=0) for draw in draws]
    chain = [*units, torch.ones(1, dtype=torch.float64)]
    path = [2.0 * (after[:, None] * before).expand(3, -1, -1) for before, after in pairwise(chain)]

    layers = observe_layers(path)

    for gap in (layers.rank_one_gap, layers.alignment_gap, layers.product_gap, layers.drift):
        assert float(gap.abs().max()) < 1e-14
    torch.testing.assert_close(layers.norm, torch.full((3,), 2.0, dtype=torch.float64))
    assert float(layers.growth) == pytest.approx(1)


@pytest.mark.parametrize("seed", range(3))
def test_gaps_and_bounds_are_those_of_the_plain_formulas(seed: int) -> None:
    path = drawn(10 * seed)
    layers = observe_layers(path)
    rows = [weight.numpy() for weight in path]

    start = [row[0] for row in rows]
    steps = [np.linalg.norm(a @ a.T - b.T @ b, 2) for a, b in pairwise(start)]
    bound = max((w**2).sum() for w in start) - (start[-1] ** 2).sum() + sum(steps)
    assert float(excess_bound(path)) == pytest.approx(bound, rel=1e-12)

    for point in range(4):
        now = [row[point] for row in rows]
        frobenius = [np.linalg.norm(w) for w in now]
        spectral = [np.linalg.norm(w, 2) for w in now]
        tops = [(np.linalg.svd(w)[0][:, 0], np.linalg.svd(w)[2][0]) for w in now]
        cosines = [abs(tops[k + 1][1] @ tops[k][0]) for k in range(2)]
        gaps = [1 - s / f for s, f in zip(spectral, frobenius, strict=True)]
        excess = max(f**2 - s**2 for s, f in zip(spectral, frobenius, strict=True))
        tilt = [
            (1 - cosines[k] ** 2)
            * spectral[k + 1] ** 2
            / (bound + np.linalg.norm(start[k + 1], 2) ** 2 + np.linalg.norm(start[k], 2) ** 2)
            for k in range(2)
        ]
        drift = [
            np.linalg.norm((now[k + 1].T @ now[k + 1] - now[k] @ now[k].T) - (b.T @ b - a @ a.T))
            for k, (a, b) in enumerate(pairwise(start))
        ]
        predictor = (now[2] @ now[1] @ now[0])[0]

        assert float(layers.norm[point]) == pytest.approx(min(frobenius), rel=1e-12)
        assert float(layers.rank_one_gap[point]) == pytest.approx(max(gaps[:2]), rel=1e-10)
        assert float(layers.alignment_gap[point]) == pytest.approx(1 - min(cosines), rel=1e-10)
        assert float(layers.excess[point]) == pytest.approx(excess / bound, rel=1e-10)
        assert float(layers.misalignment[point]) == pytest.approx(max(tilt), rel=1e-9)
        assert float(layers.drift[point]) == pytest.approx(max(drift) / sum(f**2 for f in frobenius), abs=1e-13)
        overlap = abs(predictor @ tops[0][1]) / np.prod(frobenius)
        assert float(layers.product_gap[point]) == pytest.approx(1 - overlap, rel=1e-10)


def test_the_start_and_the_growth_are_of_the_first_and_last_point() -> None:
    path = drawn(3)
    path = [torch.stack([weight[0], 3 * weight[0]]) for weight in path]

    layers = observe_layers(path)

    assert float(layers.growth) == pytest.approx(3)
    assert float(layers.start_gap) <= float(layers.rank_one_gap[0])
    assert float(layers.start_norm) == pytest.approx(min(float(weight[0].norm()) for weight in path[:2]))


def test_a_lost_point_is_nan_and_does_not_change_other_points() -> None:
    path = drawn(5)
    whole = observe_layers(path)
    path[1] = path[1].clone()
    path[1][2] = torch.nan

    layers = observe_layers(path)

    assert bool(layers.rank_one_gap[2].isnan())
    assert torch.equal(layers.rank_one_gap[[0, 1, 3]], whole.rank_one_gap[[0, 1, 3]])


def test_powers_in_the_window_are_those_of_a_path_that_obeys_them() -> None:
    """Layers of norm r^(1/3) with one small singular value that falls as 1 / r in the first layer."""
    reached = torch.logspace(0, 4, 30, dtype=torch.float64)
    first = torch.diag_embed(torch.stack([reached ** (1 / 3), 1e-3 / reached], -1))
    last = reached[:, None, None] ** (1 / 3) * torch.tensor([[1.0, 1e-3]], dtype=torch.float64)

    fit = fit_layers(observe_layers([first, last]), reached, (10.0, 1e3))

    assert float(fit.growth) == pytest.approx(1 / 3, abs=1e-6)
    assert float(fit.rank_one) == pytest.approx(-8, abs=1e-6)  # the gap is (small / large)^2 / 2, and large^3 is r
    assert float(fit.alignment) == pytest.approx(0, abs=1e-6)
    assert all(bool(power.isnan()) for power in fit_layers(observe_layers([first, last]), reached, (1e5, 1e6)))
