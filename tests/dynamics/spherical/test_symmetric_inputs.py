"""The exact gradients against sampling, against differences of the risk, and against known special cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from dlnrepro.dynamics.spherical.symmetric_inputs import (
    InputLaw,
    draw_inputs,
    draw_sample,
    mixing,
    plain_inputs,
    population_gradient,
    radial_pull,
    risk_gradients,
    sample_gradient,
    space_pull,
    teacher_pull,
)
from tests.runners.running import seeded

CASES: list[tuple[InputLaw, int]] = [("sphere", 2), ("sphere", 3), ("sphere", 6), ("gaussian", 3)]


def test_the_mean_length_in_a_plane_has_its_known_values() -> None:
    assert math.pi * teacher_pull(plain_inputs("sphere", 2)) == pytest.approx(1, rel=1e-14)
    assert math.pi * teacher_pull(plain_inputs("sphere", 3)) == pytest.approx(math.pi / 4, rel=1e-14)
    assert math.pi * teacher_pull(plain_inputs("gaussian", 7)) == pytest.approx(math.sqrt(math.pi / 2), rel=1e-14)


def test_the_mean_length_of_the_whole_input_has_its_known_values() -> None:
    assert math.pi * space_pull(plain_inputs("sphere", 5)) == 1
    assert math.pi * space_pull(plain_inputs("gaussian", 3)) == pytest.approx(math.sqrt(8 / math.pi), rel=1e-14)
    assert space_pull(plain_inputs("gaussian", 2)) == pytest.approx(
        teacher_pull(plain_inputs("gaussian", 2)), rel=1e-14
    )


def density(law: InputLaw, dimension: int, place: float) -> float:
    """Of the first coordinate, not normalised."""
    if law == "gaussian":
        return math.exp(-(place**2) / 2)
    return float((1 - place**2) ** ((dimension - 3) / 2))


@pytest.mark.parametrize(("law", "dimension"), CASES)
@pytest.mark.parametrize("norm", [0.01, 1.0, 8.0, 60.0])
def test_the_radial_pull_is_the_mean_it_says(law: InputLaw, dimension: int, norm: float) -> None:
    """On the circle the coordinate is a cosine, elsewhere its density is integrated adaptively."""
    if (law, dimension) == ("sphere", 2):
        expected = quad(lambda turn: math.cos(turn) * math.tanh(norm * math.cos(turn) / 2), 0, math.pi / 2)[0] / math.pi
    else:
        reach = 9.0 if law == "gaussian" else 1.0
        breaks = [1 / norm, 5 / norm] if 5 / norm < reach else None
        moment = quad(
            lambda place: place * math.tanh(norm * place / 2) * density(law, dimension, place), 0, reach, points=breaks
        )[0]
        expected = moment / quad(lambda place: density(law, dimension, place), 0, reach)[0] / 2

    assert radial_pull(plain_inputs(law, dimension))(norm) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(("law", "dimension"), CASES)
def test_the_radial_pull_rises_from_zero_to_the_teacher_s_pull(law: InputLaw, dimension: int) -> None:
    pull = radial_pull(plain_inputs(law, dimension))

    values = [pull(norm) for norm in (0.0, 0.5, 2.0, 10.0, 60.0)]

    assert values[0] == 0
    assert values == sorted(values)
    # g(r) = h - f(0) pi^2 / (6 r^2) + ..., with f(0) the density of a coordinate at 0: at most 3/4 here.
    assert 0 < teacher_pull(plain_inputs(law, dimension)) - values[-1] < 2 / 60**2


@pytest.mark.slow
@pytest.mark.parametrize(("law", "dimension"), CASES)
@pytest.mark.parametrize("stretch", [1.0, 6.0])
def test_the_population_gradient_is_the_limit_of_sampling(law: InputLaw, dimension: int, stretch: float) -> None:
    mix = mixing(dimension, stretch)
    predictor = np.linspace(-0.7, 1.3, dimension)
    signed = draw_sample([plain_inputs(law, dimension)], 60_000, mix, [torch.Generator().manual_seed(1)])[0].numpy()

    exact = population_gradient(plain_inputs(law, dimension), mix)(predictor)

    np.testing.assert_allclose(sample_gradient(signed)(predictor), exact, rtol=0, atol=0.015)


def test_the_sample_gradient_is_that_of_autograd() -> None:
    signed = draw_sample([plain_inputs("gaussian", 4)], 30, mixing(4, 3.0), [torch.Generator().manual_seed(0)])[0]
    predictor = torch.tensor([0.3, -2.0, 0.5, 1.0], dtype=torch.float64, requires_grad=True)

    torch.nn.functional.softplus(-signed @ predictor).mean().backward()  # type: ignore[no-untyped-call]

    assert predictor.grad is not None
    own = sample_gradient(signed.numpy())(predictor.detach().numpy())
    np.testing.assert_allclose(own, predictor.grad.numpy(), rtol=1e-12)


def test_the_mixing_is_symmetric_with_the_spread_asked_for_and_leaves_no_axis_on_the_teacher() -> None:
    mix = mixing(3, 9.0)

    np.testing.assert_allclose(mix, mix.T, rtol=0, atol=1e-15)
    np.testing.assert_allclose(np.linalg.eigvalsh(mix @ mix), [1 / 3, 1, 3], rtol=1e-12)
    assert np.abs(mix[1:, 0]).min() > 0.1
    np.testing.assert_array_equal(mixing(3, 1.0), np.eye(3))


def test_a_sample_is_labelled_by_the_teacher_and_the_same_alone_and_in_a_batch() -> None:
    def draw(seeds: list[int]) -> torch.Tensor:
        inputs = draw_inputs("sphere", 3, (0.5, 2.0), seeded(seeds))
        return draw_sample(inputs, 11, mixing(3, 4.0), seeded(seeds))

    together = draw([0, 1, 2, 3])

    assert torch.equal(together[2:3], draw([2]))
    assert bool((together[..., 0] > 0).all())


def test_the_risk_of_many_samples_has_nearly_the_gradient_of_the_population() -> None:
    mix, predictor = mixing(3, 2.0), np.array([0.4, -0.3, 0.8])
    sampled = risk_gradients([plain_inputs("gaussian", 3)] * 2, 100_000, mix, seeded([0, 1]))
    whole = risk_gradients([plain_inputs("gaussian", 3)] * 2, 0, mix, seeded([0, 1]))

    assert len(sampled) == len(whole) == 2
    np.testing.assert_array_equal(whole[0](predictor), whole[1](predictor))
    assert np.abs(sampled[0](predictor) - sampled[1](predictor)).max() > 1e-5
    np.testing.assert_allclose(sampled[0](predictor), whole[0](predictor), atol=0.01)


def test_factors_and_their_probabilities_are_drawn_for_each_run() -> None:
    inputs = draw_inputs("sphere", 4, (0.5, 2.0), seeded([0, 1, 2]))

    for own in inputs:
        assert bool(((own.factors >= 0.5) & (own.factors <= 2.0)).all())
        assert own.shares.sum() == pytest.approx(1, rel=1e-14)
        assert own.shares.min() >= 0
    assert len({teacher_pull(own) for own in inputs}) == 3
    assert draw_inputs("sphere", 4, (0.7, 0.7), seeded([0]))[0].factors.tolist() == [0.7]


@pytest.mark.slow
@pytest.mark.parametrize("law", ["sphere", "gaussian"])
def test_the_gradient_of_a_mixture_is_the_limit_of_sampling(law: InputLaw) -> None:
    inputs = draw_inputs(law, 3, (0.3, 3.0), seeded([5]))
    mix, predictor = mixing(3, 2.0), np.array([0.4, -0.3, 0.8])
    signed = draw_sample(inputs, 60_000, mix, seeded([1]))[0].numpy()

    np.testing.assert_allclose(
        sample_gradient(signed)(predictor), population_gradient(inputs[0], mix)(predictor), rtol=0, atol=0.03
    )
