"""Predictive coding: its step against autograd of the augmented Lagrangian, its updates against back-propagation."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from dlnrepro.dynamics.predictive_coding.network import (
    Network,
    Rule,
    State,
    adjoints,
    along,
    credit,
    draw_network,
    forward,
    output_error,
    relax,
    residuals,
    rest,
    step,
    update_cosine,
    weight_gradients,
)
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.runner import silent

RHO, ALPHA = 0.7, 0.4


def _generators(count: int = 2) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in range(count)]


def _network() -> Network:
    return draw_network(4, 3, 2, 2, 5, "identity", 1.0, _generators())


def _state(network: Network) -> State:
    shape = forward(network).shape[1:]
    return State(normal(shape, _generators()), 0.5 * normal(shape, _generators()) + 0.1)


def _layer(network: Network, index: int, below: Tensor) -> Tensor:
    """W_index times what lies below, index counted from 1."""
    return (network.first if index == 1 else network.hidden[:, index - 2]) @ below


def _lagrangian(network: Network, state: State) -> Tensor:
    """The loss, the multipliers' products with the residuals, and the penalty, each written out layer by layer."""
    total = 0.5 * (network.last @ state.activities[:, -1] - network.targets).square().sum()
    below = network.inputs
    for index in range(state.activities.shape[1]):
        here = state.activities[:, index]
        residual = here - _layer(network, index + 1, below)
        total = total + (state.multipliers[:, index] * residual).sum() + 0.5 * RHO * residual.square().sum()
        below = here
    return total


def test_activities_move_down_the_gradient_of_the_augmented_lagrangian() -> None:
    network = _network()
    state = _state(network)
    free = state.activities.clone().requires_grad_()

    (slope,) = torch.autograd.grad(_lagrangian(network, State(free, state.multipliers)), free)
    moved = step(network, state, Rule(torch.tensor([0.1, 0.2], dtype=torch.float64), RHO, ALPHA))

    sizes = torch.tensor([0.1, 0.2], dtype=torch.float64)[:, None, None, None]
    torch.testing.assert_close(moved.activities, state.activities - sizes * slope, rtol=1e-13, atol=1e-13)


def test_multipliers_then_move_by_the_new_residuals_and_leak() -> None:
    network = _network()
    state = _state(network)

    moved = step(network, state, Rule(torch.full((2,), 0.1, dtype=torch.float64), RHO, ALPHA, leak=0.25))

    for index in range(3):
        below = network.inputs if index == 0 else moved.activities[:, index - 1]
        residual = moved.activities[:, index] - _layer(network, index + 1, below)
        expected = 0.75 * state.multipliers[:, index] + ALPHA * residual
        torch.testing.assert_close(moved.multipliers[:, index], expected, rtol=1e-13, atol=1e-13)


def test_without_a_dual_step_multipliers_stay() -> None:
    network = _network()
    state = _state(network)

    moved = step(network, state, Rule(torch.full((2,), 0.1, dtype=torch.float64), RHO, 0.0, leak=0.25))

    assert torch.equal(moved.multipliers, state.multipliers)


def test_a_forward_pass_leaves_no_residual_and_gives_the_networks_output() -> None:
    network = _network()
    activities = forward(network)

    assert float(residuals(network, activities).abs().max()) < 1e-15
    product = network.last @ network.hidden[:, 1] @ network.hidden[:, 0] @ network.first
    torch.testing.assert_close(output_error(network, activities), product @ network.inputs - network.targets)


def test_updates_at_a_forward_pass_with_adjoint_multipliers_are_gradients_of_the_loss() -> None:
    network = _network()
    weights = [network.first.clone(), network.hidden.clone(), network.last.clone()]
    for weight in weights:
        weight.requires_grad_()
    output = weights[2] @ weights[1][:, 1] @ weights[1][:, 0] @ weights[0] @ network.inputs
    expected = torch.autograd.grad(0.5 * (output - network.targets).square().sum(), weights)

    activities = forward(network)
    state = State(activities, -adjoints(network, output_error(network, activities)))
    found = weight_gradients(network, activities, credit(network, state, RHO))

    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(update_cosine(found, expected), torch.ones(2, dtype=torch.float64))


def test_updates_at_any_state_are_gradients_of_the_augmented_lagrangian() -> None:
    network = _network()
    state = _state(network)
    weights = [network.first.clone(), network.hidden.clone(), network.last.clone()]
    for weight in weights:
        weight.requires_grad_()
    moving = Network(weights[0], weights[1], weights[2], network.inputs, network.targets)

    expected = torch.autograd.grad(_lagrangian(moving, state), weights)
    found = weight_gradients(network, state.activities, credit(network, state, RHO))

    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("skip", "mean"), [("identity", 1.0), ("none", 0.0)])
def test_layers_have_the_scales_that_the_authors_train_with(skip: str, mean: float) -> None:
    depth, width, inputs = 5, 40, 30
    network = draw_network(depth, width, inputs, 20, 1, skip, 1.0, _generators(8))  # type: ignore[arg-type]

    noise = network.hidden - mean * torch.eye(width, dtype=torch.float64)
    share = width * depth if skip == "identity" else width
    assert float(noise.std()) == pytest.approx(share**-0.5, rel=0.02)
    assert float(network.first.std()) == pytest.approx(inputs**-0.5, rel=0.03)
    assert float(network.last.std()) == pytest.approx(1 / width, rel=0.03)


def test_relaxing_tells_every_step_and_stops_when_asked() -> None:
    network = _network()
    activities = forward(network)
    start = State(activities, torch.zeros_like(activities))
    rule = Rule(torch.full((2,), 0.1, dtype=torch.float64), RHO, ALPHA)
    seen: list[int] = []

    def observe(done: int, _: State) -> bool:
        seen.append(done)
        return done == 3

    end = relax(network, start, rule, 10, observe, silent)

    thrice = step(network, step(network, step(network, start, rule), rule), rule)
    assert seen == [0, 1, 2, 3]
    assert torch.equal(end.activities, thrice.activities)
    assert torch.equal(end.multipliers, thrice.multipliers)


def test_at_rest_no_constraint_is_violated_and_no_multiplier_acts() -> None:
    network = _network()
    state = rest(network)

    assert float(residuals(network, state.activities).abs().max()) == 0
    assert float(state.multipliers.abs().max()) == 0
    assert state.multipliers.shape == state.activities.shape


def test_credit_along_its_target_is_its_multiple_of_it_whatever_lies_across() -> None:
    target = normal((3, 4, 5), _generators())
    other = normal((3, 4, 5), _generators()[::-1])
    across = other - along(other, target)[..., None, None] * target

    torch.testing.assert_close(along(0.3 * target + across, target), torch.full((2, 3), 0.3, dtype=torch.float64))
