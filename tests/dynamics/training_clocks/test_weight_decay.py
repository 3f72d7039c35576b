"""Objectives with weight decay against autograd, and what decay does off the span of the inputs."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.starts.draws import gaussian, normal
from dlnrepro.dynamics.training_clocks.class_means import draw_class_data
from dlnrepro.dynamics.training_clocks.weight_decay import DecayedClassifier, DecayedFit, off_span_error, repeated

GENERATORS = [Generator().manual_seed(seed) for seed in (0, 1)]
DATA = draw_class_data(8, 12, 3, 10, torch.full((len(GENERATORS),), 2.0, dtype=torch.float64), 0.5, GENERATORS)
DECAYS = torch.tensor([0.1, 0.02], dtype=torch.float64)
WEIGHTS = repeated(gaussian([10, 6, 3], 1.0, GENERATORS), 2)


def _penalty(weights: list[Tensor]) -> Tensor:
    return torch.stack([(weight**2).sum((-2, -1)) for weight in weights]).sum(0) / 2


def test_height_and_gradient_of_a_classifier_are_those_of_autograd() -> None:
    leaves = [weight.clone().requires_grad_() for weight in WEIGHTS]
    logs = torch.log_softmax(DATA.x @ product(leaves).mT, -1)
    risk = -(logs * DATA.hot).sum(-1).mean(-1)
    height = risk + DECAYS * _penalty(leaves)
    slopes = torch.autograd.grad(height.sum(), leaves)

    classifier = DecayedClassifier(DATA, DECAYS)
    seen = classifier.observe(WEIGHTS)

    torch.testing.assert_close(seen["risk"], risk.detach())
    torch.testing.assert_close(seen["height"], height.detach())
    torch.testing.assert_close(seen["square"], 2 * _penalty(list(slopes)))
    for found, expected in zip(classifier.gradient(WEIGHTS), slopes, strict=True):
        torch.testing.assert_close(found, expected)


def test_a_network_that_sees_the_plane_alone_is_right_on_fresh_data_and_one_off_the_span_has_all_of_it_there() -> None:
    angles = 2 * torch.pi / 3 * torch.arange(3, dtype=torch.float64)
    rule = torch.zeros(2, 1, 3, 10, dtype=torch.float64)
    rule[..., 0], rule[..., 1] = angles.cos(), angles.sin()
    classifier = DecayedClassifier(DATA, DECAYS[:1])

    assert torch.equal(classifier.observe([rule])["accuracy"], torch.ones(2, 1, dtype=torch.float64))
    outside = classifier.observe([normal((1, 3, 10), GENERATORS) @ DATA.off])["off_span"]
    torch.testing.assert_close(outside, torch.ones(2, 1, dtype=torch.float64))


def test_height_and_gradient_of_a_fit_are_those_of_autograd() -> None:
    weights, target = gaussian([4, 3, 5], 1.0, GENERATORS), normal((5, 4), GENERATORS)
    leaves = [weight.clone().requires_grad_() for weight in weights]
    height = torch.linalg.matrix_norm(product(leaves) - target) ** 2 / 2 + 0.3 * _penalty(leaves)
    slopes = torch.autograd.grad(height.sum(), leaves)

    fit = DecayedFit(target, 0.3)
    seen = fit.observe(weights)

    torch.testing.assert_close(seen["height"], height.detach())
    torch.testing.assert_close(seen["square"], 2 * _penalty(list(slopes)))
    for found, expected in zip(fit.gradient(weights), slopes, strict=True):
        torch.testing.assert_close(found, expected)


def test_off_the_span_descent_follows_the_decay_and_a_change_there_is_the_error() -> None:
    classifier, weights = DecayedClassifier(DATA, DECAYS), list(WEIGHTS)
    for _ in range(20):
        slopes = classifier.gradient(weights)
        weights = [weight - 0.1 * slope for weight, slope in zip(weights, slopes, strict=True)]
    first = WEIGHTS[0] @ DATA.off
    moved = weights[0] + torch.tensor([0.0, 0.25]).double()[:, None, None] * first

    assert float(off_span_error(WEIGHTS[0], weights[0], DATA.off, DECAYS, 0.1, 20).max()) < 1e-13
    error = off_span_error(WEIGHTS[0], moved, DATA.off, DECAYS, 0.1, 20)
    torch.testing.assert_close(error, torch.full((2,), 0.25, dtype=torch.float64))
