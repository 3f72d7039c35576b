"""Random starts: right moments, right shapes, and a run's draws that no other run disturbs."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.starts.draws import (
    directions,
    gaussian,
    normal,
    orthonormal,
    semi_orthogonal,
    uniform,
    uniform_layers,
)


def _generators(*seeds: int) -> list[Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def _all(generators: list[Generator]) -> list[Tensor]:
    return [
        normal((3, 5), generators),
        uniform((4,), -1.0, 2.0, generators),
        *gaussian([3, 20, 4, 2], 0.7, generators),
        directions(6, generators),
        orthonormal(7, 3, generators),
        *semi_orthogonal([5, 3, 4], generators),
        *uniform_layers([5, 3, 4], generators),
    ]


def test_a_runs_draws_do_not_depend_on_the_batch() -> None:
    alone, together = _all(_generators(2)), _all(_generators(0, 1, 2, 3))

    assert all(torch.equal(one[0], many[2]) for one, many in zip(alone, together, strict=True))


@pytest.mark.parametrize("size", range(2, 10))
def test_a_frame_is_bitwise_identical_at_every_place_of_its_run_in_the_batch(size: int) -> None:
    """In a batch of matrices of five rows, say, each begins at another distance from a multiple of 64 bytes."""
    together = orthonormal(size, size, _generators(*range(12)))

    for run in range(12):
        assert torch.equal(orthonormal(size, size, _generators(run))[0], together[run])


def test_runs_differ_from_one_another() -> None:
    for drawn in _all(_generators(0, 1)):
        assert not torch.equal(drawn[0], drawn[1])


def test_draws_are_double_precision_and_not_rounded_singles() -> None:
    for drawn in _all(_generators(0)):
        assert drawn.dtype == torch.float64
        assert not torch.equal(drawn, drawn.float().double())


def test_gaussian_layers_have_the_scale_over_the_root_of_the_fan_in() -> None:
    first, second = gaussian([400, 300, 200], 0.5, _generators(0))

    assert first.shape == (1, 300, 400)
    assert second.shape == (1, 200, 300)
    assert float(first.std()) == pytest.approx(0.5 / 20, rel=0.02)
    assert float(second.std()) == pytest.approx(0.5 / 300**0.5, rel=0.02)


def test_uniform_values_fill_their_interval() -> None:
    drawn = uniform((10_000,), 2.0, 5.0, _generators(0))

    assert 2 <= float(drawn.min()) < 2.01
    assert 4.99 < float(drawn.max()) < 5


def test_directions_have_length_one() -> None:
    torch.testing.assert_close(directions(9, _generators(0, 1)).norm(dim=-1), torch.ones(2, dtype=torch.float64))


def test_orthonormal_columns_are_orthonormal_and_have_no_preferred_sign() -> None:
    frames = orthonormal(4, 4, _generators(*range(400)))

    torch.testing.assert_close(frames.mT @ frames, torch.eye(4, dtype=torch.float64).expand(400, 4, 4))
    # Each entry of a Haar matrix has mean 0 and variance 1/4: 400 draws leave a mean of 0.025, here four times that.
    assert float(frames.mean(0).abs().max()) < 0.1


def test_semi_orthogonal_layers_have_orthonormal_rows_or_columns() -> None:
    narrowing, widening = semi_orthogonal([5, 3, 4], _generators(0, 1))

    identity = torch.eye(3, dtype=torch.float64).expand(2, 3, 3)
    assert narrowing.shape == (2, 3, 5)
    assert widening.shape == (2, 4, 3)
    torch.testing.assert_close(narrowing @ narrowing.mT, identity)
    torch.testing.assert_close(widening.mT @ widening, identity)


def test_uniform_layers_fill_the_interval_that_pytorch_takes_by_default() -> None:
    (layer,) = uniform_layers([16, 4000], _generators(0))

    assert float(layer.abs().max()) <= 0.25
    assert float(layer.min()) == pytest.approx(-0.25, abs=1e-3)
    assert float(layer.max()) == pytest.approx(0.25, abs=1e-3)
    assert float(layer.std()) == pytest.approx(0.25 / 3**0.5, rel=0.01)
