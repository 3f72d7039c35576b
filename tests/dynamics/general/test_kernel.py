"""The steps of the squared loss by the compiled kernel, against autograd and against the steps through tensors."""

from __future__ import annotations

import pytest
import torch

from dlnrepro.dynamics.compiled.library import kernels
from dlnrepro.dynamics.general.architecture import Architecture
from dlnrepro.dynamics.general.checks import plain_loss
from dlnrepro.dynamics.general.kernel import by_kernel, known_gradient, taken_by_kernel
from dlnrepro.dynamics.general.losses import Loss, MarginLoss, SampleLoss, moment_loss
from dlnrepro.dynamics.general.rules import direction_of
from dlnrepro.dynamics.general.training import Phase, Stage, by_direction, constant, train_in_steps
from dlnrepro.dynamics.networks.plain import gradients
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.runner import silent
from tests.runners.running import seeded

pytestmark = pytest.mark.skipif(not kernels(), reason="there is no C compiler")

RUNS = [0, 1, 2]
CHAIN = Architecture(((3, 4, 2),))
PATHS = Architecture(((3, 4, 4, 2),) * 2)
ONE_OUTPUT = Architecture(((3, 5, 1),))
INPUTS, OUTPUTS = normal((7, 3), seeded([3, 4, 5])), normal((7, 2), seeded([6, 7, 8]))
MOMENT = INPUTS.mT @ INPUTS / 7
CASES: dict[str, tuple[Architecture, Loss]] = {
    "white": (CHAIN, moment_loss(normal((2, 3), seeded(RUNS)), None)),
    "moments": (PATHS, moment_loss(normal((2, 3), seeded(RUNS)), MOMENT)),
    "samples": (CHAIN, SampleLoss("squared", INPUTS, OUTPUTS)),
    "samples on paths": (PATHS, SampleLoss("squared", INPUTS, OUTPUTS)),
    "margins": (ONE_OUTPUT, MarginLoss("squared", INPUTS)),
}


def drawn(architecture: Architecture) -> Weights:
    """Gaussian parameters."""
    return [normal(shape, seeded(RUNS)) / 2 for shape in architecture.shapes]


def trained(stage: Stage, weights: Weights) -> torch.Tensor:
    """W_1 after each of two stages, with a kick between them."""
    phases = [Phase(constant(0.02), 15, 0.0, True), Phase(constant(0.01), 10, 0.1, True)]
    displacement = [torch.ones_like(weight) for weight in weights]
    return train_in_steps(weights, stage, phases, displacement, [14, 25], lambda now: {"W1": now[0]}, silent)["W1"]


@pytest.mark.parametrize("momentum", [0.0, 0.7])
@pytest.mark.parametrize(("architecture", "loss"), CASES.values(), ids=CASES)
def test_the_kernel_moves_the_weights_along_the_gradient_by_autograd(
    architecture: Architecture, loss: Loss, momentum: float
) -> None:
    weights = drawn(architecture)
    known = known_gradient(architecture, loss, weights)
    assert known is not None

    found = taken_by_kernel(known, momentum)(weights)

    plain = gradients(plain_loss(architecture, loss), weights)
    torch.testing.assert_close(found, plain, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("momentum", [0.0, 0.7])
@pytest.mark.parametrize(("architecture", "loss"), CASES.values(), ids=CASES)
def test_the_stages_of_the_kernel_are_those_through_tensors(
    architecture: Architecture, loss: Loss, momentum: float
) -> None:
    weights = drawn(architecture)
    known = known_gradient(architecture, loss, weights)
    assert known is not None
    direction = direction_of("heavy-ball", architecture.gradient(loss.slope), momentum, 0.0, 0.0)

    expected = trained(by_direction(direction, keeps=True), weights)

    torch.testing.assert_close(trained(by_kernel(known, momentum), weights), expected, rtol=1e-11, atol=1e-12)


def test_a_run_with_small_weights_next_to_large_ones_keeps_the_digits_of_its_gradient() -> None:
    scales = torch.tensor([1e6, 1.0, 1e-6], dtype=torch.float64)[:, None, None]
    weights = [scales * weight for weight in drawn(CHAIN)]
    known = known_gradient(CHAIN, CASES["white"][1], weights)
    assert known is not None

    for found, expected in zip(taken_by_kernel(known, 0.0)(weights), known(weights), strict=True):
        torch.testing.assert_close(found / expected, torch.ones_like(found), rtol=1e-9, atol=0)


def test_a_zero_start_and_a_lost_run_have_gradients_of_their_own() -> None:
    weights = drawn(CHAIN)
    for layer in weights:
        layer[0], layer[1] = 0.0, torch.inf
    known = known_gradient(CHAIN, CASES["white"][1], weights)
    assert known is not None

    found = taken_by_kernel(known, 0.0)(weights)

    assert [bool((part[0] == 0).all()) for part in found] == [True, True]
    assert not bool(torch.isfinite(found[0][1]).any())
    torch.testing.assert_close([part[2] for part in found], [part[2] for part in known(weights)])


@pytest.mark.parametrize(
    ("architecture", "loss"),
    [
        (Architecture(((3, 4, 2), (3, 4, 4, 2))), CASES["white"][1]),
        (Architecture(((3, 3, 3),), skip=True), moment_loss(MOMENT, None)),
        (Architecture(((3, 3, 3),), "diagonal"), moment_loss(MOMENT, None)),
        (Architecture(((3, 3, 3),), "shared"), moment_loss(MOMENT, None)),
        (ONE_OUTPUT, MarginLoss("logistic", INPUTS)),
        (CHAIN, SampleLoss("cross-entropy", INPUTS, OUTPUTS)),
    ],
    ids=["unequal paths", "skip", "diagonal", "shared", "logistic", "cross-entropy"],
)
def test_other_networks_and_losses_have_no_kernel(architecture: Architecture, loss: Loss) -> None:
    assert known_gradient(architecture, loss, drawn(architecture)) is None
