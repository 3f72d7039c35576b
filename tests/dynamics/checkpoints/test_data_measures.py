"""Loss, margin and sharpness on data, held against closed forms and plain numpy."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from dlnrepro.dynamics.checkpoints import data_measures
from dlnrepro.dynamics.checkpoints.data_file import Data
from dlnrepro.dynamics.checkpoints.data_measures import data_fault, measure_on, risk_of, sharpness_of, usual_loss
from dlnrepro.dynamics.networks.curvature import sharpness
from dlnrepro.runner import silent


def drawn(*widths: int, seed: int = 0) -> list[torch.Tensor]:
    """Gaussian layers between these widths."""
    generator = torch.Generator().manual_seed(seed)
    pairs = pairwise(widths)
    return [torch.randn(after, before, dtype=torch.float64, generator=generator) for before, after in pairs]


def samples(inputs: np.ndarray, targets: np.ndarray) -> Data:
    """Data whose single target is a label too if it is whole."""
    whole = targets.ndim == 1 and bool((targets == np.round(targets)).all())
    column = targets[:, None] if targets.ndim == 1 else targets
    return Data(inputs, column, targets.astype(np.int64) if whole else None)


def random(count: int, size: int, seed: int = 1) -> np.ndarray:
    """Gaussian numbers."""
    return np.random.default_rng(seed).standard_normal((count, size))


def test_at_zero_loss_on_white_inputs_the_sharpness_is_that_of_the_closed_form() -> None:
    weights = drawn(3, 4, 2)
    inputs = math.sqrt(3) * np.eye(3)  # the second moment of the inputs is the identity
    found = measure_on(weights, samples(inputs, inputs @ (weights[1] @ weights[0]).numpy().T), "squared", silent)
    assert found.loss == pytest.approx(0, abs=1e-28)
    closed = sharpness([weight[None, None] for weight in weights])
    assert found.sharpness == pytest.approx(float(closed[0]), rel=1e-10)
    assert math.isnan(found.margin)


def test_many_weights_have_the_sharpness_of_the_dense_hessian(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = drawn(6, 7, 3)
    risk = risk_of(samples(random(20, 6), random(20, 3, seed=2)), "squared")
    dense = sharpness_of(risk, weights, silent)
    monkeypatch.setattr(data_measures, "DENSE", 0)
    assert sharpness_of(risk, weights, silent) == pytest.approx(dense, rel=1e-8)


def test_the_logistic_loss_and_its_margins_are_those_of_the_definition() -> None:
    weights = drawn(3, 4, 1)
    inputs, labels = random(15, 3), np.sign(random(15, 1)[:, 0])
    found = measure_on(weights, samples(inputs, labels), "logistic", silent)
    predictor = (weights[1] @ weights[0]).numpy()[0]
    margins = labels * (inputs @ predictor)
    assert found.loss == pytest.approx(np.log1p(np.exp(-margins)).mean())
    assert found.margin == pytest.approx(margins.min())
    assert found.accuracy == pytest.approx((margins > 0).mean())
    assert found.normalised_margin == pytest.approx(margins.min() / np.linalg.norm(predictor))
    norms = np.linalg.norm(weights[0]) * np.linalg.norm(weights[1])
    assert found.layer_margin == pytest.approx(margins.min() / norms)


def test_one_layer_has_the_sharpness_of_logistic_regression() -> None:
    (weight,) = drawn(3, 1)
    inputs, labels = random(15, 3), np.sign(random(15, 1)[:, 0])
    chance = 1 / (1 + np.exp(-inputs @ weight.numpy()[0]))
    hessian = inputs.T @ (inputs * (chance * (1 - chance))[:, None]) / 15
    found = measure_on([weight], samples(inputs, labels), "logistic", silent)
    assert found.sharpness == pytest.approx(np.linalg.eigvalsh(hessian)[-1], rel=1e-10)


def test_classes_have_the_cross_entropy_and_the_distance_to_the_next_output() -> None:
    weights = drawn(3, 4, 3)
    inputs, labels = random(10, 3), np.arange(10) % 3
    outputs = inputs @ (weights[1] @ weights[0]).numpy().T
    found = measure_on(weights, samples(inputs, labels), "logistic", silent)
    right = outputs[np.arange(10), labels]
    others = np.where(np.eye(3)[labels] == 1, -np.inf, outputs).max(1)
    assert found.loss == pytest.approx((np.log(np.exp(outputs).sum(1)) - right).mean())
    assert found.margin == pytest.approx((right - others).min())


def test_the_usual_loss_follows_the_labels() -> None:
    inputs = random(4, 2)
    signs, classes = np.array([1.0, -1, 1, -1]), np.array([0.0, 1, 2, 1])
    assert usual_loss(samples(inputs, signs), 1) == "logistic"
    assert usual_loss(samples(inputs, classes), 3) == "logistic"
    assert usual_loss(samples(inputs, classes), 1) == "squared"
    assert usual_loss(samples(inputs, signs), 2) == "squared"
    assert usual_loss(samples(inputs, random(4, 1)[:, 0]), 1) == "squared"


@pytest.mark.parametrize(
    ("targets", "widths", "loss", "fault"),
    [
        (np.ones((4, 2)), [2, 3, 2], "squared", ""),
        (np.ones((4, 2)), [3, 2], "squared", "expected 3 inputs, found 2"),
        (np.ones((4, 2)), [2, 1], "squared", "expected 1 targets, found 2"),
        (np.array([1.0, -1, 1, 1]), [2, 1], "logistic", ""),
        (np.array([1.0, 0, 1, 1]), [2, 1], "logistic", "expected the labels -1 and 1, found 0, 1"),
        (np.array([0.0, 3, 1, 1]), [2, 3], "logistic", "expected labels from 0 to 2, found 0, 1, 3"),
        (np.array([0.5, 3, 1, 1]), [2, 1], "logistic", "expected one label per sample for the logistic loss"),
    ],
)
def test_data_that_do_not_fit_are_refused_in_words(
    targets: np.ndarray, widths: list[int], loss: data_measures.LossKind, fault: str
) -> None:
    found = data_fault(samples(random(4, 2), targets), widths, loss)
    assert found.startswith(fault) if fault else found == ""


def test_weights_that_are_not_finite_have_no_sharpness() -> None:
    weights = drawn(3, 4, 1)
    weights[0][0, 0] = torch.inf
    found = measure_on(weights, samples(random(4, 3), np.ones(4)), "squared", silent)
    assert math.isnan(found.sharpness)
