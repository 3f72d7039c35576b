"""An action that is repeated: on a GPU it is recorded and replayed, with the bits of its kernels one by one."""

from __future__ import annotations

import pytest
import torch

from dlnrepro.dynamics.networks.chain import prefixes, pull_back
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.training.descent import descend, descend_with_memory
from dlnrepro.dynamics.training.repetition import EAGER, repeated
from dlnrepro.runner import silent
from tests.dynamics.training.test_descent import squared_gradient, start


def test_on_the_processor_an_action_is_carried_out_as_it_is() -> None:
    state = torch.zeros(2)

    def action() -> None:
        state.add_(1)

    assert repeated(action, state) is action


def test_a_descent_with_memory_takes_the_steps_of_one_without_and_calls_the_gradient_once_per_step(
    generator: torch.Generator,
) -> None:
    weights, calls = start(3, generator), 0

    def counted(current: Weights) -> Weights:
        nonlocal calls
        calls += 1
        return squared_gradient(current)

    plain, _ = descend(weights, squared_gradient, lambda step: 0.05 / (1 + step), 30, [], lambda _: {}, silent)
    found, _ = descend_with_memory(weights, counted, lambda step: 0.05 / (1 + step), 30, [], lambda _: {}, silent)
    assert calls == 30
    assert all(torch.equal(one, other) for one, other in zip(plain, found, strict=True))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_gives_bitwise_identical_numbers_replayed_and_kernel_by_kernel(generator: torch.Generator) -> None:
    weights = [weight.cuda() for weight in start(5, generator)]
    goal = torch.eye(3, dtype=torch.float64, device="cuda")

    def gradient(current: Weights) -> Weights:
        partial = prefixes(current)
        return pull_back(current, partial, partial[-1] - goal)

    def observe(current: Weights) -> dict[str, torch.Tensor]:
        return {"corner": current[0][:, 0, 0]}

    steps, records = 5 * EAGER, [0, EAGER + 3, 5 * EAGER]
    found, series = descend(weights, gradient, lambda step: 0.05 / (1 + step // 30), steps, records, observe, silent)
    expected, other = descend_with_memory(
        weights, gradient, lambda step: 0.05 / (1 + step // 30), steps, records, observe, silent
    )
    assert all(torch.equal(one, two) for one, two in zip(found, expected, strict=True))
    assert torch.equal(series["corner"], other["corner"])
