"""Predictive coding: its step against autograd of the augmented Lagrangian, its updates against back-propagation."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from dlnrepro.dynamics.predictive_coding.by_autograd import backprop_gradients
from dlnrepro.dynamics.predictive_coding.network import (
    Network,
    Rule,
    State,
    adjoints,
    along,
    credit,
    distance,
    distance_from_identity,
    draw_network,
    forward,
    largest_distance,
    output_error,
    random_state,
    relax,
    residuals,
    rest,
    step,
    update_cosine,
    weight_gradients,
)
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.runner import silent
from tests.runners.running import seeded

RHO, ALPHA = 0.7, 0.4


def _generators(count: int = 2) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in range(count)]


def _chain() -> Network:
    return draw_network(4, 3, 2, 2, 5, "identity", 1.0, _generators())


def _state(chain: Network) -> State:
    shape = forward(chain).shape[1:]
    return State(normal(shape, _generators()), 0.5 * normal(shape, _generators()) + 0.1)


def _layer(chain: Network, index: int, below: Tensor) -> Tensor:
    """W_index times what lies below, index counted from 1."""
    return (chain.first if index == 1 else chain.hidden[:, index - 2]) @ below


def _lagrangian(chain: Network, state: State) -> Tensor:
    """The loss, the multipliers' products with the residuals, and the penalty, each written out layer by layer."""
    total = 0.5 * (chain.last @ state.activities[:, -1] - chain.targets).square().sum()
    below = chain.inputs
    for index in range(state.activities.shape[1]):
        here = state.activities[:, index]
        residual = here - _layer(chain, index + 1, below)
        total = total + (state.multipliers[:, index] * residual).sum() + 0.5 * RHO * residual.square().sum()
        below = here
    return total


def test_activities_move_down_the_gradient_of_the_augmented_lagrangian() -> None:
    chain = _chain()
    state = _state(chain)
    free = state.activities.clone().requires_grad_()

    (slope,) = torch.autograd.grad(_lagrangian(chain, State(free, state.multipliers)), free)
    moved = step(chain, state, Rule(torch.tensor([0.1, 0.2], dtype=torch.float64), RHO, ALPHA))

    sizes = torch.tensor([0.1, 0.2], dtype=torch.float64)[:, None, None, None]
    torch.testing.assert_close(moved.activities, state.activities - sizes * slope, rtol=1e-13, atol=1e-13)


def test_multipliers_then_move_by_the_new_residuals_and_leak() -> None:
    chain = _chain()
    state = _state(chain)

    moved = step(chain, state, Rule(torch.full((2,), 0.1, dtype=torch.float64), RHO, ALPHA, leak=0.25))

    for index in range(3):
        below = chain.inputs if index == 0 else moved.activities[:, index - 1]
        residual = moved.activities[:, index] - _layer(chain, index + 1, below)
        expected = 0.75 * state.multipliers[:, index] + ALPHA * residual
        torch.testing.assert_close(moved.multipliers[:, index], expected, rtol=1e-13, atol=1e-13)


def test_without_a_dual_step_multipliers_stay() -> None:
    chain = _chain()
    state = _state(chain)

    moved = step(chain, state, Rule(torch.full((2,), 0.1, dtype=torch.float64), RHO, 0.0, leak=0.25))

    assert torch.equal(moved.multipliers, state.multipliers)


def test_a_forward_pass_leaves_no_residual_and_gives_the_networks_output() -> None:
    chain = _chain()
    activities = forward(chain)

    assert float(residuals(chain, activities).abs().max()) < 1e-15
    product = chain.last @ chain.hidden[:, 1] @ chain.hidden[:, 0] @ chain.first
    torch.testing.assert_close(output_error(chain, activities), product @ chain.inputs - chain.targets)


def test_updates_at_a_forward_pass_with_adjoint_multipliers_are_gradients_of_the_loss() -> None:
    chain = _chain()
    weights = [chain.first.clone(), chain.hidden.clone(), chain.last.clone()]
    for weight in weights:
        weight.requires_grad_()
    output = weights[2] @ weights[1][:, 1] @ weights[1][:, 0] @ weights[0] @ chain.inputs
    expected = torch.autograd.grad(0.5 * (output - chain.targets).square().sum(), weights)

    activities = forward(chain)
    state = State(activities, -adjoints(chain, output_error(chain, activities)))
    found = weight_gradients(chain, activities, credit(chain, state, RHO))

    for one, other, own in zip(found, expected, backprop_gradients(chain), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-13)
        torch.testing.assert_close(own, other, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(update_cosine(found, expected), torch.ones(2, dtype=torch.float64))


def test_updates_at_any_state_are_gradients_of_the_augmented_lagrangian() -> None:
    chain = _chain()
    state = _state(chain)
    weights = [chain.first.clone(), chain.hidden.clone(), chain.last.clone()]
    for weight in weights:
        weight.requires_grad_()
    moving = Network(weights[0], weights[1], weights[2], chain.inputs, chain.targets)

    expected = torch.autograd.grad(_lagrangian(moving, state), weights)
    found = weight_gradients(chain, state.activities, credit(chain, state, RHO))

    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("skip", "mean"), [("identity", 1.0), ("none", 0.0)])
def test_layers_have_the_scales_that_the_authors_train_with(skip: str, mean: float) -> None:
    depth, width, inputs = 5, 40, 30
    chain = draw_network(depth, width, inputs, 20, 1, skip, 1.0, _generators(8))  # type: ignore[arg-type]

    noise = chain.hidden - mean * torch.eye(width, dtype=torch.float64)
    share = width * depth if skip == "identity" else width
    assert float(noise.std()) == pytest.approx(share**-0.5, rel=0.02)
    assert float(chain.first.std()) == pytest.approx(inputs**-0.5, rel=0.03)
    assert float(chain.last.std()) == pytest.approx(1 / width, rel=0.03)


def test_relaxing_reports_every_step_and_stops_when_asked() -> None:
    chain = _chain()
    activities = forward(chain)
    start = State(activities, torch.zeros_like(activities))
    rule = Rule(torch.full((2,), 0.1, dtype=torch.float64), RHO, ALPHA)
    seen: list[int] = []

    def observe(done: int, _: State) -> bool:
        seen.append(done)
        return done == 3

    end = relax(chain, start, rule, 10, observe, silent)

    thrice = step(chain, step(chain, step(chain, start, rule), rule), rule)
    assert seen == [0, 1, 2, 3]
    assert torch.equal(end.activities, thrice.activities)
    assert torch.equal(end.multipliers, thrice.multipliers)


def test_at_rest_no_constraint_is_violated_and_no_multiplier_acts() -> None:
    chain = _chain()
    state = rest(chain)

    assert float(residuals(chain, state.activities).abs().max()) == 0
    assert float(state.multipliers.abs().max()) == 0
    assert state.multipliers.shape == state.activities.shape


def test_credit_along_its_target_is_its_multiple_of_it_whatever_lies_across() -> None:
    target = normal((3, 4, 5), _generators())
    other = normal((3, 4, 5), _generators()[::-1])
    across = other - along(other, target)[..., None, None] * target

    torch.testing.assert_close(along(0.3 * target + across, target), torch.full((2, 3), 0.3, dtype=torch.float64))


def test_distances_are_relative_over_all_layers_or_the_largest_over_the_layers() -> None:
    wanted = torch.ones(2, 3, 4, 5, dtype=torch.float64)
    values = wanted.clone()
    values[:, 1] += 0.3

    torch.testing.assert_close(largest_distance(values, wanted), torch.full((2,), 0.3, dtype=torch.float64))
    torch.testing.assert_close(distance(values, wanted), torch.full((2,), 0.3 / 3**0.5, dtype=torch.float64))
    torch.testing.assert_close(largest_distance(values[:, 1], wanted[:, 1]), torch.full((2,), 0.3, dtype=torch.float64))


def test_one_run_of_a_network_has_the_same_activities() -> None:
    assert torch.equal(forward(_chain().run(1))[0], forward(_chain())[1])


def test_a_random_state_has_standard_normal_entries_of_the_shape_of_the_activities() -> None:
    chain = draw_network(5, 8, 3, 2, 40, "none", 1.0, seeded([0, 1]))
    state = random_state(chain, seeded([2, 3]))

    for values in state:
        assert values.shape == forward(chain).shape
        assert abs(float(values.mean())) < 0.08
        assert abs(float(values.std()) - 1) < 0.06
    assert not torch.equal(state.activities, state.multipliers)


def test_the_distance_from_the_identity_does_not_grow_with_the_depth_if_there_are_skips() -> None:
    for depth in (10, 40):
        chain = draw_network(depth, 12, 3, 2, 1, "identity", 1.5, seeded(range(4)))
        expected = 1.5 * ((depth - 2) / depth) ** 0.5
        torch.testing.assert_close(
            distance_from_identity(chain), torch.full((4,), expected, dtype=torch.float64), rtol=0.1, atol=0
        )


def test_constants_may_differ_between_runs() -> None:
    chain = _chain()
    state = _state(chain)
    sizes, rho, alpha = (torch.tensor(pair, dtype=torch.float64) for pair in ((0.1, 0.2), (0.7, 1.1), (0.4, 0.3)))
    together = step(chain, state, Rule(sizes, rho, alpha))

    for run in range(2):
        own = State(state.activities[run : run + 1], state.multipliers[run : run + 1])
        alone = step(chain.run(run), own, Rule(sizes, rho, alpha).run(run))
        assert torch.equal(alone.activities[0], together.activities[run])
        assert torch.equal(alone.multipliers[0], together.multipliers[run])


def test_simultaneous_multipliers_see_the_residuals_before_the_activities_move() -> None:
    chain = _chain()
    state = _state(chain)
    rule = Rule(torch.full((2,), 0.1, dtype=torch.float64), RHO, ALPHA, order="simultaneous")

    expected = state.multipliers + ALPHA * residuals(chain, state.activities)
    torch.testing.assert_close(step(chain, state, rule).multipliers, expected, rtol=1e-13, atol=1e-13)
