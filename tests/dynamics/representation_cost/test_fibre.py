"""The search on the fibre, held to cases with a known end."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from dlnrepro.dynamics.representation_cost import fibre, tied_layers
from dlnrepro.dynamics.representation_cost.fibre import (
    cheapest_points,
    infeasibility,
    least_norm_point,
    non_stationarity,
    onto_fibre,
)
from dlnrepro.dynamics.representation_cost.tied_layers import predictor, squared_norm
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.errors import BudgetSpent
from dlnrepro.runner import silent

LAYERS = tied_layers.diagonal_layers(3, 3)
TARGET = torch.tensor([[[1.0], [-8.0], [27.0]]], dtype=torch.float64)


def _start() -> list[torch.Tensor]:
    return [normal((3,), [Generator().manual_seed(1)]) for _ in LAYERS]


def test_landing_meets_the_fibre_and_stays_there() -> None:
    landed = onto_fibre(LAYERS, _start(), TARGET, 60, silent)
    again = onto_fibre(LAYERS, landed, TARGET, 1, silent)

    torch.testing.assert_close(predictor(LAYERS, landed), TARGET, rtol=1e-14, atol=0)
    torch.testing.assert_close(again, landed, rtol=1e-13, atol=0)


def test_the_cheapest_diagonal_weights_share_every_entry_evenly() -> None:
    found = least_norm_point(LAYERS, onto_fibre(LAYERS, _start(), TARGET, 60, silent), TARGET, 60, silent)

    for value in found:
        torch.testing.assert_close(value.abs()[0], torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64))
    torch.testing.assert_close(squared_norm(found), torch.tensor([3 * 14.0], dtype=torch.float64))
    assert float(non_stationarity(LAYERS, found)) < 1e-14
    assert float(infeasibility(LAYERS, found, TARGET)) < 1e-14


def test_every_scale_of_two_factors_is_on_the_fibre_but_one_is_stationary() -> None:
    layers = tied_layers.diagonal_layers(1, 2)
    target = torch.ones(1, 1, 1, dtype=torch.float64)
    for scale, along in ((1.0, 0.0), (2.0, (2 - 1 / 2) / (4 + 1 / 4))):
        values = [torch.tensor([[1 / scale]], dtype=torch.float64), torch.tensor([[scale]], dtype=torch.float64)]

        assert float(infeasibility(layers, values, target)) == 0
        # The fibre's direction is (-1/scale, scale) over its length: theta . direction = (scale^2 - scale^-2) / length.
        share = (scale**2 - scale**-2) / (scale**2 + scale**-2)
        assert float(non_stationarity(layers, values)) == pytest.approx(share, abs=1e-12)
        assert along >= 0


def test_the_search_ends_no_costlier_than_any_of_a_thousand_points_of_the_fibre() -> None:
    """The fibre of a matrix, sampled by invertible matrices between the layers, without any formula."""
    layers = tied_layers.fully_connected([2, 2, 2])
    generators = [Generator().manual_seed(3)]
    start = [normal((layer.count,), generators) for layer in layers]
    target = predictor(layers, start)

    found = least_norm_point(layers, start, target, 80, silent)
    between = normal((1000, 2, 2), generators)[0]
    first, second = (value.view(2, 2) for value in start)
    others = ((between @ first) ** 2).sum((-2, -1)) + ((second @ torch.linalg.inv(between)) ** 2).sum((-2, -1))

    torch.testing.assert_close(predictor(layers, found), target, rtol=1e-12, atol=1e-14)
    assert float(squared_norm(found)) <= float(others.min())
    assert float(squared_norm(found)) == pytest.approx(float(2 * torch.linalg.svdvals(target).sum()), rel=1e-12)


def test_progress_may_stop_the_search() -> None:
    def progress(fraction: float, _: str) -> None:
        if fraction > 0.5:
            raise BudgetSpent

    with pytest.raises(BudgetSpent):
        least_norm_point(LAYERS, _start(), TARGET, 60, progress)


def test_of_several_starts_the_cheapest_point_is_taken() -> None:
    generators = [Generator().manual_seed(2)]
    starts = [normal((5, 3), generators) for _ in LAYERS]
    targets = TARGET[:, None].expand(-1, 5, -1, -1)
    met = onto_fibre(LAYERS, starts, targets, fibre.LANDING, silent)
    costs = torch.where(infeasibility(LAYERS, met, targets) < 1e-9, squared_norm(met), torch.inf)
    any_point, cheapest = (cheapest_points(LAYERS, starts, TARGET, iterations, silent) for iterations in (0, 60))

    torch.testing.assert_close(squared_norm(any_point), costs.amin(-1))
    torch.testing.assert_close(squared_norm(cheapest), torch.tensor([3 * 14.0], dtype=torch.float64))
    assert float(squared_norm(any_point)) > 43
    assert float(infeasibility(LAYERS, cheapest, TARGET)) < 1e-14


def test_where_no_start_comes_onto_the_fibre_there_is_no_point(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fibre, "LANDING", 0)
    starts = [normal((5, 3), [Generator().manual_seed(2)]) for _ in LAYERS]

    assert all(bool(value.isnan().all()) for value in cheapest_points(LAYERS, starts, TARGET, 0, silent))
