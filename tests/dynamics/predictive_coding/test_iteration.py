"""Predictive coding as a linear map, against the step and the residuals themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from dlnrepro.dynamics.predictive_coding.closed_forms import stability_limit_with_loss
from dlnrepro.dynamics.predictive_coding.iteration import (
    constraint_matrix,
    edge_of_stability,
    iteration_matrix,
    moving_part,
    spectral_radius,
)
from dlnrepro.dynamics.predictive_coding.network import Network, Rule, State, draw_network, forward, residuals, step
from dlnrepro.dynamics.starts.draws import normal


def _chain() -> Network:
    generators = [torch.Generator().manual_seed(seed) for seed in range(3)]
    return draw_network(5, 3, 2, 2, 1, "identity", 1.0, generators)


def _rule(dual_step: float) -> Rule:
    return Rule(torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64), 0.7, dual_step, leak=0.1)


def test_the_constraints_matrix_gives_residuals_without_the_input() -> None:
    chain = _chain()
    activities = normal((4, 3, 1), [torch.Generator().manual_seed(seed) for seed in range(3)])

    found = constraint_matrix(chain) @ activities.flatten(1, 2)

    expected = residuals(chain, activities)
    expected[:, 0] += chain.drive
    torch.testing.assert_close(found, expected.flatten(1, 2), rtol=1e-13, atol=1e-14)


def test_the_iterations_matrix_moves_differences_of_states_as_the_step_does() -> None:
    chain = _chain()
    rule = _rule(0.4)
    zero = State(torch.zeros_like(forward(chain)), torch.zeros_like(forward(chain)))
    generators = [torch.Generator().manual_seed(seed) for seed in range(3)]
    state = State(normal((4, 3, 1), generators), normal((4, 3, 1), generators))

    moved, rest = step(chain, state, rule), step(chain, zero, rule)
    vector = torch.cat([part.flatten(1, 2) for part in state], 1)

    expected = torch.cat([(one - other).flatten(1, 2) for one, other in zip(moved, rest, strict=True)], 1)
    torch.testing.assert_close(iteration_matrix(chain, rule) @ vector, expected, rtol=1e-12, atol=1e-13)


def test_without_multipliers_only_activities_count() -> None:
    """The activities' part is I - eta (rho A^T A + K), symmetric, so its radius is that of an ordinary descent."""
    chain = _chain()
    rule = _rule(0.0)
    matrix = constraint_matrix(chain)
    curvature = 0.7 * matrix.mT @ matrix
    curvature[:, -3:, -3:] += chain.last.mT @ chain.last

    part = moving_part(chain, rule)

    expected = torch.eye(12, dtype=torch.float64) - rule.step_size[:, None, None] * curvature
    torch.testing.assert_close(part, expected, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(spectral_radius(chain, rule), torch.linalg.eigvalsh(expected).abs().amax(-1))


def test_the_data_do_not_enter() -> None:
    chain = _chain()
    other = replace(chain, inputs=3 * chain.inputs, targets=chain.targets - 1)

    assert torch.equal(iteration_matrix(chain, _rule(0.4)), iteration_matrix(other, _rule(0.4)))


def test_the_edge_of_stability_is_the_exact_limit_or_else_the_end_of_the_search() -> None:
    for index in range(3):
        chain = _chain().run(index)
        rule = Rule(stability_limit_with_loss(chain, 0.7, 0.4) / 1.3, 0.7, 0.4)

        assert edge_of_stability(chain, rule, 0.5, 2.0) == pytest.approx(1.3, rel=1e-11)
        assert edge_of_stability(chain, rule, 0.5, 1.2) == 1.2
        assert edge_of_stability(chain, rule, 1.4, 2.0) == 1.4
