"""The risk of a plain network, compared with closed forms and finite differences."""

from __future__ import annotations

import math
from typing import get_args

import pytest
import torch
from torch import Tensor

from dlnrepro.dynamics.risks.margin_losses import LossName, log_risks
from dlnrepro.dynamics.risks.plain_risk import plain_risk, relative_distance
from dlnrepro.dynamics.starts.draws import gaussian

NAMES = get_args(LossName)


def _layers(widths: list[int]) -> list[Tensor]:
    return gaussian(widths, 1.0, [torch.Generator().manual_seed(seed) for seed in range(2)])


def _data(samples: int = 7) -> tuple[Tensor, Tensor]:
    points = torch.randn(samples, 3, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    return points, torch.tensor([1.0, -1.0] * samples, dtype=torch.float64)[:samples]


@pytest.mark.parametrize("loss", NAMES)
def test_one_linear_layer_has_the_risk_of_its_margins(loss: LossName) -> None:
    points, labels = _data()
    (layer,) = _layers([3, 1])
    margins = (points @ layer[:, 0].mT).mT * labels

    found = plain_risk(loss, [layer], points, labels)

    torch.testing.assert_close(found.logarithm, log_risks(loss, margins.numpy()), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("loss", NAMES)
@pytest.mark.parametrize("kinds", [None, ("relu", "linear", "linear"), ("relu", "skip", "linear")])
def test_the_gradient_is_the_quotient_of_differences(loss: LossName, kinds: tuple[str, ...] | None) -> None:
    points, labels = _data()
    layers = _layers([3, 4, 4, 1])
    small = 1e-6
    moved = [layer.clone() for layer in layers]
    moved[1][:, 2, 3] += small
    back = [layer.clone() for layer in layers]
    back[1][:, 2, 3] -= small

    found, up, down = (plain_risk(loss, each, points, labels, kinds) for each in (layers, moved, back))  # type: ignore[arg-type]

    quotient = (up.logarithm - down.logarithm) / (2 * small)
    torch.testing.assert_close(found.gradient[1][:, 2, 3], quotient, rtol=1e-7, atol=1e-9)


def test_the_kinds_are_a_kink_and_a_kink_above_the_identity() -> None:
    points = torch.tensor([[1.0, -2.0]], dtype=torch.float64)
    first, last = torch.eye(2, dtype=torch.float64)[None], torch.ones(1, 1, 2, dtype=torch.float64)
    label = torch.ones(1, dtype=torch.float64)

    values = {
        kind: float(plain_risk("exponential", [first, last], points, label, [kind, "linear"]).logarithm)
        for kind in ("linear", "relu", "skip")
    }

    assert values == {"linear": 1.0, "relu": -1.0, "skip": -0.0}


def test_margins_of_a_million_do_not_underflow() -> None:
    points, labels = torch.ones(3, 1, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
    layer = torch.tensor([[[1e6]]], dtype=torch.float64)

    found = plain_risk("logistic", [layer], points, labels)

    assert float(found.logarithm) == -1e6
    assert float(found.gradient[0]) == pytest.approx(-1, rel=1e-9)


def test_the_relative_distance_is_over_all_layers() -> None:
    one = [torch.ones(2, 1, 1, dtype=torch.float64), torch.ones(2, 1, 3, dtype=torch.float64)]
    other = [torch.ones(2, 1, 1, dtype=torch.float64), torch.zeros(2, 1, 3, dtype=torch.float64)]

    assert relative_distance(one, other).tolist() == pytest.approx([math.sqrt(3)] * 2)
