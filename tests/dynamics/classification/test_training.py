"""The initialization that the theorem assumes, and the gradient; training itself is tested with its runner."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dlnrepro.dynamics.classification.separable_data import separable, underdetermined
from dlnrepro.dynamics.classification.training import (
    Training,
    coordinate_rates,
    learning_rates,
    log_risk_gradient,
    shapes_of,
    start,
    train,
)
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.risks.margin_losses import LossName, log_loss_at_zero, log_risk
from dlnrepro.dynamics.starts.draws import gaussian, normal
from dlnrepro.runner import silent

WIDTHS = [4, 6, 6, 1]


@pytest.mark.parametrize("loss", ["logistic", "exponential", "squared"])
def test_a_start_is_no_worse_than_zero_and_points_downhill(loss: LossName) -> None:
    generators = [torch.Generator().manual_seed(seed) for seed in range(8)]
    sets = [separable(4, 40, 0.15, True, 0.05, generator).signed for generator in generators]

    weights = start(WIDTHS, 1.0, loss, sets, False, generators)

    for run, signed in enumerate(sets):
        predictor = (weights[2][run] @ weights[1][run] @ weights[0][run]).numpy()[0]
        assert log_risk(loss)(signed @ predictor).value <= log_loss_at_zero(loss)
        assert log_risk(loss)(np.zeros(40)).gradient @ (signed @ predictor) <= 0


def test_only_the_last_layer_is_changed() -> None:
    sets = [separable(4, 40, 0.15, True, 0.05, torch.Generator().manual_seed(1)).signed]
    weights = start(WIDTHS, 1.0, "exponential", sets, False, [torch.Generator().manual_seed(9)])
    drawn = gaussian(WIDTHS, 1.0, [torch.Generator().manual_seed(9)])

    assert torch.equal(weights[0], drawn[0])
    assert torch.equal(weights[1], drawn[1])
    ratio = weights[2] / drawn[2]
    torch.testing.assert_close(ratio, ratio[..., :1].expand_as(ratio))
    assert float(ratio.abs().max()) <= 1 + 1e-15


def test_in_the_span_means_in_the_span() -> None:
    signed = underdetermined(10, 6, 0.05, torch.Generator().manual_seed(1)).signed
    first = start([10, 6, 1], 1.0, "logistic", [signed], True, [torch.Generator().manual_seed(9)])[0][0].numpy()

    outside = np.linalg.svd(signed)[2][6:]
    assert np.abs(first @ outside.T).max() < 1e-14


def test_the_gradient_of_the_log_risk_is_that_of_autograd() -> None:
    generators = [torch.Generator().manual_seed(seed) for seed in range(3)]
    weights, signed = gaussian([5, 4, 4, 1], 1.0, generators), normal((7, 5), generators)
    leaves = [weight.clone().requires_grad_() for weight in weights]
    margins = (signed @ product(leaves).mT)[..., 0]
    log_risks = torch.nn.functional.softplus(-margins).mean(-1).log()
    expected = torch.autograd.grad(log_risks.sum(), leaves)

    for ours, theirs in zip(log_risk_gradient(weights, signed, "logistic"), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-13)


def test_a_normalised_descent_yields_the_layers_of_every_run_and_no_gap_of_routes() -> None:
    generators = [torch.Generator().manual_seed(seed) for seed in range(2)]
    sets = [separable(4, 40, 0.15, True, 0.05, generator).signed for generator in generators]
    weights = start(WIDTHS, 1.0, "logistic", sets, False, generators)
    training = Training("logistic", "normalised", learning_rates(3, 6, 4, 1.0, 1.0, 1.0), 1.0, 1e-9, 1e-3, 1, 3)

    layers, gaps = train(training, weights, sets, silent)

    assert gaps.tolist() == [0, 0]
    assert shapes_of(weights) == ((6, 4), (6, 6), (1, 6))
    signed = torch.from_numpy(np.stack(sets))
    slopes = log_risk_gradient(weights, signed, "logistic")
    square = torch.stack([(slope**2).sum((-2, -1)) for slope in slopes]).sum(0)
    for run, path in enumerate(layers):
        for layer, weight, slope in zip(path, weights, slopes, strict=True):
            assert torch.equal(layer[0], weight[run])
            torch.testing.assert_close(layer[1], weight[run] - 1e-3 * slope[run] / square[run])


def test_rates_run_from_the_reciprocal_of_the_spread_to_the_spread() -> None:
    torch.testing.assert_close(coordinate_rates(3, 4.0), torch.tensor([0.25, 1.0, 4.0], dtype=torch.float64))


def test_alternating_rates_are_those_of_a_chessboard() -> None:
    first, second, last = learning_rates(3, 2, 3, 1.0, 4.0, 5.0)

    expected = torch.tensor([[4.0, 0.25, 4.0], [0.25, 4.0, 0.25]], dtype=torch.float64)
    torch.testing.assert_close(first, expected)
    assert (float(second), float(last)) == (5.0, 1.0)
