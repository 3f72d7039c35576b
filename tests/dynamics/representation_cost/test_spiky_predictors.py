"""Spiky predictors: their coordinates have the sizes that were drawn."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from dlnrepro.dynamics.representation_cost.formulas import Architecture, coordinates
from dlnrepro.dynamics.representation_cost.spiky_predictors import draw_spiky


@pytest.mark.parametrize(
    ("law", "shape"),
    [
        ("diagonal", (3, 6, 1)),
        ("group", (3, 6, 1)),
        ("fully-connected", (3, 6, 4)),
        ("k-support", (3, 6, 1)),
    ],
)
def test_without_spread_all_coordinates_have_size_one(law: Architecture, shape: tuple[int, int, int]) -> None:
    drawn = draw_spiky(law, shape, 2, 0.0, [Generator().manual_seed(0)])

    assert drawn.shape == (1, *shape)
    for w in drawn[0]:
        sizes = coordinates(law, w, 2)
        torch.testing.assert_close(sizes, torch.ones_like(sizes))


def test_waves_have_frequencies_of_sizes_that_the_phases_do_not_change_but_at_the_ends() -> None:
    """D/2 of the D cosines; those of frequency 0 and D/2 are real, so that their phase scales them."""
    drawn = draw_spiky("convolutional", (4, 8, 1), 2, 0.0, [Generator().manual_seed(0)])

    sizes = torch.stack([coordinates("convolutional", w, 2) for w in drawn[0]])

    torch.testing.assert_close(sizes[:, 1:4], torch.full((4, 3), 2**0.5, dtype=torch.float64))
    torch.testing.assert_close(sizes[:, 5:], sizes[:, 1:4].flip(-1))


def test_signs_are_both_and_spread_spreads() -> None:
    drawn = draw_spiky("diagonal", (50, 8, 1), 2, 1.0, [Generator().manual_seed(0)])

    assert 0.4 < float((drawn > 0).double().mean()) < 0.6
    assert float(drawn.abs().log().std()) == pytest.approx(1, abs=0.1)
