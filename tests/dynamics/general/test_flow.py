"""Gradient flow of any network: its velocity against autograd, closed forms, and what flow conserves."""

from __future__ import annotations

import pytest
import torch

from dlnrepro.dynamics.general.architecture import Architecture
from dlnrepro.dynamics.general.checks import plain_loss
from dlnrepro.dynamics.general.flow import followed_gradient, path_of
from dlnrepro.dynamics.general.losses import moment_loss
from dlnrepro.dynamics.networks.chain import imbalance
from dlnrepro.dynamics.networks.plain import gradients
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.runner import silent
from tests.runners.running import seeded

RUNS = [0, 1]
MOMENT = torch.diag(torch.tensor([2.0, 1.0, 0.5], dtype=torch.float64)).expand(2, -1, -1)
LOSS = moment_loss(normal((2, 3), seeded(RUNS)), MOMENT)
SQUARE = moment_loss(normal((3, 3), seeded(RUNS)), None)
ARCHITECTURES = {
    "chain": Architecture(((3, 4, 5, 2),)),
    "paths": Architecture(((3, 4, 5, 2),) * 3),
    "paths of one layer": Architecture(((3, 2),) * 2),
    "unequal paths": Architecture(((3, 4, 2), (3, 2), (3, 5, 4, 2))),
    "skip": Architecture(((3, 3, 3),), skip=True),
    "skip on paths": Architecture(((3, 3, 3), (3, 3)), skip=True),
    "diagonal": Architecture(((3, 3, 3),) * 2, "diagonal"),
    "diagonal skip": Architecture(((3, 3, 3),), "diagonal", skip=True),
    "shared": Architecture(((3, 3, 3, 3),), "shared"),
    "shared on unequal paths": Architecture(((3, 3, 3, 3), (3, 3)), "shared", skip=True),
    "shared on equal paths": Architecture(((3, 3, 3),) * 2, "shared"),
}


def drawn(architecture: Architecture) -> Weights:
    """Gaussian parameters; diagonal ones where the layers are diagonal."""
    drawn = [normal(shape, seeded(RUNS)) / 2 for shape in architecture.shapes]
    if architecture.filling == "diagonal":
        return [part * torch.eye(part.shape[-1], dtype=part.dtype) for part in drawn]
    return drawn


def scalar_path(architecture: Architecture, start: float, target: float, times: torch.Tensor) -> Weights:
    """The parameters of a network of numbers, all with the same start."""
    loss = moment_loss(torch.full((1, 1, 1), target, dtype=torch.float64), None)
    weights = [torch.full((1, *shape), start, dtype=torch.float64) for shape in architecture.shapes]
    rates = [1.0] * len(weights)
    return path_of(architecture, weights, loss.field(), times, rates, (1e-11, 1e-14), silent)


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_the_solver_moves_the_parameters_against_the_gradient_by_autograd(architecture: Architecture) -> None:
    loss = LOSS if architecture.widths[0][-1] == 2 else SQUARE
    weights = drawn(architecture)
    rates = [1.0 + 0.5 * place for place in range(len(weights))]

    found = followed_gradient(architecture, loss.field(), rates)(weights)

    plain = gradients(plain_loss(architecture, loss), weights)
    torch.testing.assert_close(found, [rate * part for rate, part in zip(rates, plain, strict=True)])


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_the_path_begins_at_the_start_and_has_the_velocity_of_the_gradient(architecture: Architecture) -> None:
    loss = LOSS if architecture.widths[0][-1] == 2 else SQUARE
    weights, rates, short = [part / 2 for part in drawn(architecture)], [1.0] * len(architecture.shapes), 1e-5
    times = torch.tensor([0.0, short, 2 * short], dtype=torch.float64)

    path = path_of(architecture, weights, loss.field(), times, rates, (1e-12, 1e-14), silent)

    slopes = followed_gradient(architecture, loss.field(), rates)([layer[:, 1] for layer in path])
    for layer, start, slope in zip(path, weights, slopes, strict=True):
        assert torch.equal(layer[:, 0], start)
        # The error of this quotient is the third derivative of the path, which is below 1e5, times short^2 / 6.
        torch.testing.assert_close((layer[:, 0] - layer[:, 2]) / (2 * short), slope, rtol=0, atol=1e-5)


def test_a_residual_layer_approaches_its_target_exponentially() -> None:
    times = torch.linspace(0, 3, 7, dtype=torch.float64)

    (layer,) = scalar_path(Architecture(((1, 1),), skip=True), 0.2, 3.0, times)

    torch.testing.assert_close(layer[0, :, 0, 0], 2 - (2 - 0.2) * torch.exp(-times), rtol=1e-9, atol=0)


def test_two_tied_layers_follow_the_logistic_curve_at_twice_the_rate_of_two_layers() -> None:
    times = torch.linspace(0, 2, 7, dtype=torch.float64)

    (layer,) = scalar_path(Architecture(((1, 1, 1),), "shared"), 0.3, 2.0, times)

    exact = 2 / (1 + (2 / 0.09 - 1) * torch.exp(-8 * times))
    torch.testing.assert_close(layer[0, :, 0, 0] ** 2, exact, rtol=1e-9, atol=0)


def test_each_of_two_paths_of_one_layer_takes_half_of_what_is_learned() -> None:
    times = torch.linspace(0, 2, 7, dtype=torch.float64)

    (layer,) = scalar_path(Architecture(((1, 1), (1, 1))), 0.0, 3.0, times)

    torch.testing.assert_close(layer[0, :, :, 0, 0], (1.5 * (1 - torch.exp(-2 * times)))[:, None].expand(-1, 2))


def test_every_path_of_another_depth_conserves_its_own_imbalances() -> None:
    architecture = ARCHITECTURES["unequal paths"]
    weights, times = drawn(architecture), torch.linspace(0, 2, 3, dtype=torch.float64)

    path = path_of(architecture, weights, LOSS.field(), times, [1.0] * 6, (1e-11, 1e-14), silent)

    assert float((path[2][:, 0] - path[2][:, -1]).abs().min()) > 1e-3
    for layers in ([0, 1], [3, 4, 5]):
        before, after = (imbalance([path[layer][:, point] for layer in layers]) for point in (0, -1))
        torch.testing.assert_close(after, before, rtol=0, atol=1e-9)


def test_a_run_that_is_not_finite_is_lost_alone() -> None:
    architecture = ARCHITECTURES["unequal paths"]
    weights = drawn(architecture)
    weights[0][1] = torch.nan

    times = torch.tensor([0.0, 1.0], dtype=torch.float64)
    path = path_of(architecture, weights, LOSS.field(), times, [1.0] * 6, (1e-10, 1e-14), silent)

    assert bool(torch.isnan(path[3][1]).all())
    assert bool(torch.isfinite(path[3][0]).all())
