"""The plain network against closed forms and against the gradients of the chain rule."""

from __future__ import annotations

import torch

from dlnrepro.dynamics.one_neuron.plain import PlainNetwork, gradient_unit, layer_distance
from dlnrepro.dynamics.risks.squared_loss import spread_moment, squared_loss_gradient
from dlnrepro.dynamics.starts.draws import gaussian, normal
from tests.runners.running import seeded


def test_its_gradients_are_those_of_the_chain_rule_for_inputs_that_are_not_white() -> None:
    generators = seeded([0, 1])
    weights, target = gaussian([5, 1, 4, 3], 1.0, generators), normal((3, 5), generators)

    found = PlainNetwork(target, spread_moment(5, 3.0)).gradients(weights)

    for one, other in zip(found, squared_loss_gradient(target, 3.0)(weights), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-13)


def test_it_works_in_inference_mode() -> None:
    with torch.inference_mode():
        generators = seeded([0])
        weights, target = gaussian([2, 2, 2], 1.0, generators), normal((2, 2), generators)
        gradients = PlainNetwork(target, torch.ones(2, dtype=torch.float64)).gradients(weights)

    assert all(bool(torch.isfinite(part).all()) for part in gradients)


def test_a_descent_is_recorded_at_its_start_and_at_every_stride() -> None:
    """With the rates 1 and 0 only the first of two scalar layers moves: w <- w - 0.1 (w - 2)."""
    seen: list[float] = []
    one = torch.ones(1, 1, 1, dtype=torch.float64)
    network = PlainNetwork(2 * one, torch.ones(1, dtype=torch.float64))

    path = network.descent([one, one], 0.1, 4, 2, [1.0, 0.0], seen.append)

    assert seen == [0.5, 1.0]
    torch.testing.assert_close(
        torch.stack([weights[0] for weights in path]).flatten(),
        2 - torch.tensor([1.0, 0.81, 0.6561], dtype=torch.float64),
    )


def test_another_flow_is_told_apart_at_a_time_that_the_fastest_rate_sets() -> None:
    one = torch.ones(2, 1, 1, dtype=torch.float64)
    times = torch.tensor([[0.0, 0.3, 50.0]], dtype=torch.float64).expand(2, -1)
    whole = 2 / (1 + torch.exp(-4 * times))
    path = [whole.sqrt()[..., None, None]] * 2
    network = PlainNetwork(2 * one, torch.ones(1, dtype=torch.float64))

    right = network.flow_error(path, times, torch.full((2,), 4.0, dtype=torch.float64), [1.0, 1.0])
    wrong = network.flow_error([1.01 * path[0], path[1]], times, torch.full((2,), 4.0, dtype=torch.float64), [1.0, 1.0])

    assert float(right.max()) < 1e-7
    assert float(wrong.min()) > 1e-3


def test_sizes_and_distances_of_layers() -> None:
    layers = [torch.full((1, 2, 2), value, dtype=torch.float64) for value in (1.0, 2.0)]

    assert float(layer_distance(layers, [layers[0], 3 * layers[0]])) == 2.0
    torch.testing.assert_close(
        gradient_unit(layers, torch.tensor([3.0], dtype=torch.float64)),
        torch.tensor([3 * 10**0.5], dtype=torch.float64),
    )
