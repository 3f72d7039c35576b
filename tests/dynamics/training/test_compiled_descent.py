"""The compiled steps of gradient descent, against the same steps through tensors."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from dlnrepro.dynamics.compiled.library import kernels
from dlnrepro.dynamics.networks.squared_gradient import SquaredGradient
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.training.compiled_descent import CompiledDescent, can_descend
from dlnrepro.dynamics.training.descent import descend, gradient_taken
from dlnrepro.dynamics.training.momentum import descend_with_momentum
from dlnrepro.runner import silent

pytestmark = pytest.mark.skipif(not kernels(), reason="there is no C compiler")

STEPS = 30

WIDTHS = [
    [3, 2],
    [1, 1, 1],
    [4, 4, 4, 4],
    [5, 7, 6, 2],
    [6, 3, 8, 9, 4],
    [13, 1, 11],
    [2, 5, 5, 5, 5, 5, 3],
]


def drawn(leading: Sequence[int], widths: Sequence[int], generator: torch.Generator) -> Weights:
    """Gaussian layers of gain about 1/2, at which short descents are not sensitive to rounding."""
    return [
        torch.randn(*leading, after, before, dtype=torch.float64, generator=generator) / (2 * before**0.5)
        for before, after in itertools.pairwise(widths)
    ]


def target(leading: Sequence[int], widths: Sequence[int], generator: torch.Generator) -> Tensor:
    """A Gaussian matrix for each network."""
    return torch.randn(*leading, widths[-1], widths[0], dtype=torch.float64, generator=generator)


def moment(leading: Sequence[int], inputs: int, generator: torch.Generator) -> Tensor:
    """A positive definite matrix for each network, with eigenvalues of about 1."""
    draw = torch.randn(*leading, inputs, 2 * inputs, dtype=torch.float64, generator=generator)
    return draw @ draw.mT / (2 * inputs)


def by_tensors(weights: Weights, gradient: SquaredGradient, sizes: Sequence[float], momentum: float = 0.0) -> Weights:
    """The same steps, by the gradient as a function."""
    current, velocity = list(weights), [torch.zeros_like(weight) for weight in weights]
    for size in sizes:
        velocity = [momentum * old + new for old, new in zip(velocity, gradient(current), strict=True)]
        current = [weight - size * part for weight, part in zip(current, velocity, strict=True)]
    return current


def advanced(weights: Weights, gradient: SquaredGradient, sizes: Sequence[float], momentum: float = 0.0) -> Weights:
    """The steps of the kernel."""
    assert can_descend(gradient, weights)
    descent = CompiledDescent(weights, gradient, momentum)
    descent.advance(sizes)
    return descent.weights


def assert_close(found: Weights, expected: Weights) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
@pytest.mark.parametrize("kind", ["white", "diagonal", "whole"])
def test_the_kernel_takes_the_steps_of_the_tensors(widths: list[int], kind: str, generator: torch.Generator) -> None:
    leading = (3, 4)
    weights, cross = drawn(leading, widths, generator), target(leading, widths, generator)
    moments = {
        "white": None,
        "diagonal": torch.linspace(0.5, 2, widths[0], dtype=torch.float64),
        "whole": moment((3, 1), widths[0], generator),
    }
    gradient = SquaredGradient(cross, moments[kind])
    sizes = [0.005 + 0.001 * step for step in range(STEPS)]

    assert_close(advanced(weights, gradient, sizes), by_tensors(weights, gradient, sizes))


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
@pytest.mark.parametrize("paths", [1, 2, 5])
def test_parallel_paths_are_added_up(widths: list[int], paths: int, generator: torch.Generator) -> None:
    weights = drawn((6, paths), widths, generator)
    gradient = SquaredGradient(target((6,), widths, generator), paths=True)

    found = advanced(weights, gradient, [0.02] * STEPS)

    assert_close(found, by_tensors(weights, gradient, [0.02] * STEPS))


def test_networks_may_have_factors_of_their_own(generator: torch.Generator) -> None:
    widths = [4, 3, 5]
    weights, cross = drawn((2, 3), widths, generator), target((2, 1), widths, generator)
    factors = torch.rand(2, 3, 1, 1, dtype=torch.float64, generator=generator)
    gradient = SquaredGradient(cross, factors=factors)

    assert_close(advanced(weights, gradient, [0.05] * STEPS), by_tensors(weights, gradient, [0.05] * STEPS))


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_momentum_adds_up_gradients(widths: list[int], generator: torch.Generator) -> None:
    weights, gradient = drawn((5,), widths, generator), SquaredGradient(target((5,), widths, generator))
    sizes = [0.01] * STEPS

    expected = by_tensors(weights, gradient, sizes, 0.9)

    assert_close(advanced(weights, gradient, sizes, 0.9), expected)
    common: tuple[Any, ...] = (STEPS, [], lambda _: {}, silent)
    assert_close(descend_with_momentum(weights, gradient, 0.01, 0.9, *common)[0], expected)
    assert_close(descend_with_momentum(weights, lambda now: gradient(now), 0.01, 0.9, *common)[0], expected)


@pytest.mark.parametrize("paths", [False, True])
def test_a_network_has_the_same_bits_alone_and_in_every_batch(paths: bool, generator: torch.Generator) -> None:
    widths, runs = [5, 6, 7, 3], 21
    weights = drawn((runs, 3) if paths else (runs,), widths, generator)
    cross, inputs = target((runs,), widths, generator), moment((runs,), 5, generator)

    def some(chosen: slice) -> Weights:
        given = SquaredGradient(cross[chosen], inputs[chosen], paths=paths)
        return advanced([weight[chosen] for weight in weights], given, [0.02] * STEPS, 0.5)

    together = some(slice(0, runs))
    for chosen in (slice(0, 1), slice(7, 8), slice(20, 21), slice(3, 12), slice(5, 21)):
        for alone, one in zip(some(chosen), together, strict=True):
            assert torch.equal(alone, one[chosen])


def test_a_network_that_diverges_changes_no_other_one(generator: torch.Generator) -> None:
    weights, gradient = drawn((4,), [3, 3, 3], generator), SquaredGradient(target((4,), [3, 3, 3], generator))
    right = advanced(weights, gradient, [0.01] * STEPS)
    weights[0][2] *= 1e6

    found = advanced(weights, gradient, [0.01] * STEPS)

    assert not bool(torch.isfinite(found[0][2]).any())
    for one, other in zip(found, right, strict=True):
        assert torch.equal(one[[0, 1, 3]], other[[0, 1, 3]])


def test_descent_records_the_weights_of_the_kernel_and_leaves_the_start_alone(generator: torch.Generator) -> None:
    weights, gradient = drawn((3,), [4, 4, 2], generator), SquaredGradient(target((3,), [4, 4, 2], generator))
    kept, told = [weight.clone() for weight in weights], []

    end, series = descend(
        weights,
        gradient,
        lambda step: 0.01 / (step + 1),
        250,
        [0, 1, 7, 249, 250],
        lambda now: {"first": now[0]},
        lambda fraction, note: told.append((fraction, note)),
    )

    assert all(torch.equal(one, other) for one, other in zip(weights, kept, strict=True))
    for place, steps in enumerate([0, 1, 7, 249, 250]):
        expected = advanced(weights, gradient, [0.01 / (step + 1) for step in range(steps)])
        assert torch.equal(series["first"][..., place], expected[0])
    assert torch.equal(series["first"][..., -1], end[0])
    assert told[:3] == [(0.0, "step 0 of 250"), (0.008, "step 2 of 250"), (0.016, "step 4 of 250")]


def test_the_gradient_that_is_taken_is_that_of_the_loss(generator: torch.Generator) -> None:
    weights, gradient = drawn((3,), [4, 5, 2], generator), SquaredGradient(target((3,), [4, 5, 2], generator))

    assert_close(gradient_taken(gradient, weights), gradient(weights))


def test_the_kernel_takes_only_what_it_knows(generator: torch.Generator) -> None:
    weights, gradient = drawn((1,), [3, 3, 3], generator), SquaredGradient(target((1,), [3, 3, 3], generator))

    assert can_descend(gradient, weights)
    assert not can_descend(lambda now: gradient(now), weights)
    assert not can_descend(gradient, [weight.float() for weight in weights])
    assert not can_descend(gradient, drawn((1,), [3, 65, 3], generator))
    assert not can_descend(gradient, drawn((1,), [3] * 66, generator))
