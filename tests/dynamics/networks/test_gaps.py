"""The gap to rank one and sines: zero for the perfect case, exact where subtraction would lose every digit."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dlnrepro.dynamics.networks.gaps import hidden_rank_one_gap, rank_one_gap, sine, singular_triples


def rotation(size: int, generator: torch.Generator) -> torch.Tensor:
    """A random orthogonal matrix."""
    factor, _ = torch.linalg.qr(torch.randn(size, size, dtype=torch.float64, generator=generator))
    assert isinstance(factor, torch.Tensor)
    return factor


@given(exponent=st.floats(-9, -0.5))
def test_the_rank_one_gap_is_exact_however_small(exponent: float) -> None:
    generator = torch.Generator().manual_seed(1)
    small = 10**exponent
    strengths = torch.tensor([3.0, 3.0 * small, 0.0], dtype=torch.float64)
    matrix = rotation(4, generator)[:, :3] @ strengths.diag() @ rotation(3, generator)
    expected = small**2 / (1 + small**2) / (1 + 1 / math.sqrt(1 + small**2))
    assert float(rank_one_gap(matrix)) == pytest.approx(expected, rel=1e-6)


def test_a_rank_one_matrix_has_no_gap_and_an_orthogonal_one_the_largest(generator: torch.Generator) -> None:
    outer = torch.outer(torch.arange(1.0, 4.0, dtype=torch.float64), torch.arange(1.0, 5.0, dtype=torch.float64))
    assert float(rank_one_gap(outer)) < 1e-30
    assert float(rank_one_gap(rotation(4, generator))) == pytest.approx(1 - 1 / 2)


@given(angle=st.floats(1e-12, math.pi / 2))
def test_sines_are_exact_for_small_angles(angle: float) -> None:
    first = torch.tensor([7.0, 0.0], dtype=torch.float64)
    second = torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64) * -0.3
    assert float(sine(first, second)) == pytest.approx(math.sin(angle), rel=1e-9)


def test_a_run_that_is_not_finite_gives_nan_and_disturbs_no_other(generator: torch.Generator) -> None:
    matrices = torch.randn(3, 4, 2, dtype=torch.float64, generator=generator)
    whole = rank_one_gap(matrices)
    matrices[1, 0, 0] = torch.inf
    found = rank_one_gap(matrices)
    assert torch.isnan(found).tolist() == [False, True, False]
    assert torch.equal(found[[0, 2]], whole[[0, 2]])


def test_the_triples_rebuild_the_matrix(generator: torch.Generator) -> None:
    matrix = torch.randn(2, 5, 3, dtype=torch.float64, generator=generator)
    left, strengths, right = singular_triples(matrix)
    torch.testing.assert_close(left @ torch.diag_embed(strengths) @ right.mT, matrix)


def test_the_gap_of_the_hidden_layers_leaves_the_last_one_out() -> None:
    first, second, last = (torch.diag(torch.tensor(values).double()) for values in ([3.0, 4.0], [1.0, 0.0], [1.0, 1.0]))

    assert float(hidden_rank_one_gap([first[None], second[None], last[None]])) == pytest.approx(1 - 4 / 5)
