"""Margins and angles of predictors of two classes, against their definitions."""

from __future__ import annotations

import torch

from dlnrepro.dynamics.classification.separable_data import separable
from dlnrepro.dynamics.general.margins import MaximumMargins, maximum_margins
from dlnrepro.dynamics.starts.draws import normal
from tests.runners.running import seeded


def margins() -> MaximumMargins:
    """The maximum margins of two data sets."""
    return maximum_margins([separable(3, 20, 0.1, True, 0.0, generator) for generator in seeded([0, 1])])


def test_the_maximum_margin_direction_has_no_gap_and_no_angle() -> None:
    known = margins()

    torch.testing.assert_close(known.margin_of(5 * known.direction), known.margin)
    assert float(known.gap_of(5 * known.direction).abs().max()) < 1e-15
    assert float(known.sine_to(5 * known.direction).max()) < 1e-15


def test_gap_and_sine_are_those_of_their_definitions() -> None:
    known = margins()
    predictor = known.direction + 0.3 * normal((3,), seeded([2, 3]))

    cosine = (predictor * known.direction).sum(-1) / torch.linalg.vector_norm(predictor, dim=-1)

    torch.testing.assert_close(known.gap_of(predictor), 1 - known.margin_of(predictor) / known.margin)
    torch.testing.assert_close(known.sine_to(predictor), (1 - cosine**2).sqrt())
