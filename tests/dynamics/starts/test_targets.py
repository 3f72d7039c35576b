"""Targets: orthogonal bases, the order of their modes, and exact zeros where they are promised."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Generator

from dlnrepro.dynamics.starts.targets import diagonal, draw_strengths, rotated
from dlnrepro.errors import NoSuchDraw


def generators(seeds: Sequence[int]) -> list[Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def test_a_rotated_target_has_the_given_singular_values_and_vectors() -> None:
    strengths = draw_strengths((2.0, 1.2, 0.7), 0.1, generators([0, 1]))
    target = rotated(3, 5, strengths, generators([2, 3]))

    left, values, right = torch.linalg.svd(target.matrix)

    torch.testing.assert_close(values, strengths, rtol=1e-13, atol=0)
    torch.testing.assert_close((left.mT @ target.left).abs(), torch.eye(3).double().expand(2, 3, 3), rtol=0, atol=1e-13)
    overlaps = (right @ target.right)[:, :3, :3]
    torch.testing.assert_close(overlaps.abs(), torch.eye(3).double().expand(2, 3, 3), rtol=0, atol=1e-13)


def test_the_modes_add_up_to_the_target_and_mode_zero_is_nothing() -> None:
    target = rotated(4, 3, draw_strengths((3.0, 2.0, 1.0), 0.0, generators([0, 1])), generators([0, 1]))

    parts = [target.mode(torch.full((2,), number)) for number in range(4)]

    assert torch.count_nonzero(parts[0]) == 0
    torch.testing.assert_close(parts[1] + parts[2] + parts[3], target.matrix, rtol=0, atol=1e-14)


def test_each_run_may_ask_for_another_mode() -> None:
    target = diagonal(2, 3, torch.tensor([[3.0, 1.0], [3.0, 1.0]], dtype=torch.float64))

    chosen = target.mode(torch.tensor([2, 1]))

    expected = torch.zeros(2, 2, 3, dtype=torch.float64)
    expected[0, 1, 1], expected[1, 0, 0] = 1.0, 3.0
    assert torch.equal(chosen, expected)


def test_a_diagonal_target_is_exactly_diagonal() -> None:
    target = diagonal(3, 4, torch.tensor([[2.0, 1.2, 0.7]], dtype=torch.float64))

    assert torch.equal(target.matrix[0, :, :3], torch.diag(torch.tensor([2.0, 1.2, 0.7], dtype=torch.float64)))
    assert torch.count_nonzero(target.matrix[0, :, 3]) == 0


def test_jittered_strengths_stay_within_their_range_and_differ_between_runs() -> None:
    strengths = draw_strengths((2.0, 1.0), 0.1, generators(range(50)))

    assert bool(((strengths / torch.tensor([2.0, 1.0]) - 1).abs() <= 0.1).all())
    assert len(set(strengths[:, 0].tolist())) == 50


def test_strengths_that_a_large_jitter_would_swap_are_drawn_again() -> None:
    strengths = draw_strengths((1.5, 1.4, 1.3), 0.3, generators(range(50)))

    assert bool((strengths.diff(dim=-1) < 0).all())


def test_strengths_of_which_no_draw_falls_are_refused() -> None:
    with pytest.raises(NoSuchDraw):
        draw_strengths([1 - 1e-9 * number for number in range(30)], 0.5, generators([0]))


def test_other_strengths_in_the_target_s_basis_are_carried_by_its_modes_along_any_path() -> None:
    target = rotated(4, 5, draw_strengths((2.0, 1.2, 0.7, 0.3), 0.0, generators([0, 1])), generators([0, 1]))
    strengths = torch.randn(2, 7, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    matrices = target.with_strengths(strengths)

    expected = torch.einsum("rik,rtk,rjk->rtij", target.left, strengths, target.right[..., :4])
    torch.testing.assert_close(matrices, expected, rtol=0, atol=1e-14)
    torch.testing.assert_close(target.carried(matrices), strengths, rtol=0, atol=1e-14)


def test_fewer_strengths_than_modes_leave_the_later_modes_out() -> None:
    target = rotated(3, 3, draw_strengths((2.0, 1.2, 0.7), 0.0, generators([0, 1])), generators([0, 1]))

    first = target.with_strengths(target.strengths[:, :1])

    torch.testing.assert_close(first, target.mode(torch.ones(2, dtype=torch.int64)), rtol=0, atol=1e-15)


def test_a_rank_one_matrix_has_its_coordinates_in_the_target_s_basis() -> None:
    target = rotated(3, 4, draw_strengths((2.0, 1.2, 0.7), 0.0, generators([0, 1])), generators([0, 1]))
    source = torch.Generator().manual_seed(1)
    left, right = (torch.randn(2, 5, size, generator=source, dtype=torch.float64) for size in (3, 4))

    matrices = target.rank_one(left, right)

    coordinates = torch.einsum("rik,rtij,rjl->rtkl", target.left, matrices, target.right)
    torch.testing.assert_close(coordinates, left[..., :, None] * right[..., None, :], rtol=0, atol=1e-14)
    single = target.rank_one(left[:, 0], right[:, 0])
    torch.testing.assert_close(single, matrices[:, 0], rtol=0, atol=1e-15)


def test_a_direction_is_its_mode_over_the_strength() -> None:
    target = rotated(3, 4, draw_strengths((2.0, 1.2, 0.7), 0.0, generators([0, 1])), generators([0, 1]))

    mode = target.mode(torch.full((2,), 2))

    torch.testing.assert_close(target.direction(2) * target.strengths[:, 1, None, None], mode, rtol=1e-15, atol=0)
