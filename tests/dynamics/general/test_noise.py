"""Minibatches and noisy labels: their means are the whole gradient, and each run has its own draws."""

from __future__ import annotations

import torch

from dlnrepro.dynamics.general.losses import MarginLoss, SampleLoss, moment_loss
from dlnrepro.dynamics.general.noise import noisy_slope
from dlnrepro.dynamics.starts.draws import normal
from tests.runners.running import seeded

RUNS = [0, 1]


def test_a_minibatch_of_all_samples_has_the_whole_gradient() -> None:
    loss = SampleLoss("squared", normal((5, 3), seeded(RUNS)), normal((5, 2), seeded([2, 3])))
    matrix = normal((2, 3), seeded([4, 5]))

    torch.testing.assert_close(noisy_slope(loss, 5, 0.0, seeded([6, 7]))(matrix), loss.slope(matrix))


def test_the_mean_gradient_of_many_minibatches_is_the_whole_gradient() -> None:
    loss = MarginLoss("logistic", normal((6, 3), seeded(RUNS)))
    matrix = normal((1, 3), seeded([4, 5]))
    slope = noisy_slope(loss, 2, 0.0, seeded([6, 7]))

    mean = torch.stack([slope(matrix) for _ in range(4000)]).mean(0)

    # The standard error of 4000 draws is about 0.01 of the spread of single samples.
    torch.testing.assert_close(mean, loss.slope(matrix), rtol=0, atol=0.02)


def test_noise_on_white_outputs_adds_to_the_gradient_what_it_adds_to_the_target() -> None:
    loss = moment_loss(normal((2, 3), seeded(RUNS)), None)
    matrix = normal((2, 3), seeded([4, 5]))

    found = noisy_slope(loss, None, 0.5, seeded([6, 7]))(matrix)

    torch.testing.assert_close(found, loss.slope(matrix) - 0.5 * normal((2, 3), seeded([6, 7])))
