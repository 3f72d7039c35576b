"""Data sets: each has the property it promises, by an independent route, and comes from its own generator."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import linprog

from dlnrepro.dynamics.classification.separable_data import (
    Classes,
    flipped,
    separable,
    underdetermined,
    with_slack,
)
from dlnrepro.errors import NoSuchDraw


def separates(signed: np.ndarray) -> bool:
    """Whether some w has Z w >= 1, by linear programming."""
    free = [(None, None)] * signed.shape[1]
    return bool(linprog(np.zeros(signed.shape[1]), -signed, -np.ones(len(signed)), bounds=free).status == 0)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("spanning", [True, False])
def test_separable_data_can_be_separated_and_span_as_asked(spanning: bool) -> None:
    for seed in range(4):
        classes = separable(4, 40, 0.15, spanning, 0.05, seeded(seed))

        assert classes.signed.shape == (40, 4)
        assert separates(classes.signed)
        assert np.linalg.norm(classes.signed, axis=1).max() <= 1
        support = classes.signed[classes.solution.support]
        assert (np.linalg.matrix_rank(support) == 4) == spanning
        multipliers = classes.solution.multipliers[classes.solution.support]
        assert multipliers.min() >= 0.05 * multipliers.max()


def test_flipped_labels_cannot_be_separated_and_keep_the_truth() -> None:
    for seed in range(4):
        classes = flipped(4, 40, 0.15, True, 0.05, seeded(seed))

        assert not separates(classes.signed)
        assert separates(classes.truth)
        turned = (classes.signed != classes.truth).any(1)
        assert turned.sum() == 8
        np.testing.assert_array_equal(classes.signed[turned], -classes.truth[turned])


def test_all_points_of_underdetermined_data_are_support_vectors() -> None:
    for seed in range(4):
        classes = underdetermined(10, 6, 0.05, seeded(seed))

        solution = classes.solution
        np.testing.assert_allclose(classes.signed @ solution.direction, solution.margin, rtol=1e-12)
        assert np.linalg.norm(classes.signed, axis=1).max() == pytest.approx(1)


def test_the_same_generator_gives_the_same_data_and_another_gives_others() -> None:
    def draw(seed: int) -> Classes:
        return separable(4, 40, 0.15, True, 0.05, seeded(seed))

    np.testing.assert_array_equal(draw(5).signed, draw(5).signed)
    assert not np.allclose(draw(5).signed, draw(6).signed)


@pytest.mark.slow
def test_data_that_cannot_be_are_refused_in_one_line() -> None:
    with pytest.raises(NoSuchDraw, match=r"^expected 6 support vectors in 10 dimensions, found none in 2,000 draws$"):
        underdetermined(10, 6, 0.9999, seeded(0))


def test_with_slack_all_margins_but_those_of_support_vectors_stand_apart() -> None:
    def draw(generator: torch.Generator) -> Classes:
        return separable(4, 40, 0.15, True, 0.05, generator)

    for seed in range(3):
        classes = with_slack(draw, 0.3, "slack", seeded(seed))

        margins = np.sort(classes.signed @ classes.solution.direction) / classes.solution.margin
        np.testing.assert_allclose(margins[:4], 1, rtol=1e-9)
        assert margins[4] >= 1.3
    assert np.array_equal(with_slack(draw, 0.0, "slack", seeded(5)).signed, draw(seeded(5)).signed)


def test_a_slack_that_no_draw_has_is_an_error() -> None:
    classes = separable(2, 20, 0.15, True, 0.05, seeded(0))

    with pytest.raises(NoSuchDraw, match="data with a slack of 50"):
        with_slack(lambda _: classes, 50.0, "data with a slack of 50", seeded(0))
