"""Oja's flow against a matrix exponential and against its own differential equation."""

from __future__ import annotations

import numpy as np
import torch
from scipy.linalg import expm

from dlnrepro.dynamics.one_neuron.oja import directions_at, linear_modes, pair_coordinates
from dlnrepro.dynamics.one_neuron.start import Pair, axis_pair, draw_pair
from dlnrepro.dynamics.starts.targets import Target, diagonal

CLOCK = torch.tensor([[0.0, 0.3, 1.0, 4.0], [0.0, 0.1, 2.0, 3.0]], dtype=torch.float64)


def a_target(strengths: tuple[float, ...] = (2.0, 1.2, 0.7)) -> Target:
    return diagonal(4, 5, torch.tensor([strengths, strengths], dtype=torch.float64))


def a_pair() -> Pair:
    return draw_pair(a_target(), 0, (-5.0, 5.0), [torch.Generator().manual_seed(seed) for seed in range(2)])


def test_the_directions_are_those_of_the_matrix_exponential() -> None:
    """Rows and columns without a strength of their own included: 4 x 5 with three modes."""
    target, pair = a_target(), a_pair()
    matrix = target.matrix[0].numpy()
    dilation = np.block([[np.zeros((4, 4)), matrix], [matrix.T, np.zeros((5, 5))]])

    left, right = directions_at(target.strengths, pair, CLOCK)

    for run in range(2):
        start = np.concatenate([pair.left[run].numpy(), pair.right[run].numpy()])
        for point, clock in enumerate(CLOCK[run].tolist()):
            grown = expm(clock * dilation) @ start
            expected = grown * np.sqrt(2) / np.linalg.norm(grown)
            np.testing.assert_allclose(left[run, point].numpy(), expected[:4], rtol=0, atol=1e-11)
            np.testing.assert_allclose(right[run, point].numpy(), expected[4:], rtol=0, atol=1e-11)


def test_both_stay_unit_vectors_and_a_long_time_does_not_overflow() -> None:
    left, right = directions_at(a_target().strengths, a_pair(), torch.full((2, 1), 1e4, dtype=torch.float64))

    first = axis_pair(a_target(), 1, 1, 1.0)
    torch.testing.assert_close(left[:, 0].abs(), first.left)
    torch.testing.assert_close(right[:, 0].abs(), first.right)


def test_coefficients_and_coordinates_are_inverse_to_each_other() -> None:
    pair = a_pair()

    _, coefficients = linear_modes(a_target().strengths, pair)
    left, right = pair_coordinates(coefficients, 3, 4)

    torch.testing.assert_close(left, pair.left, rtol=0, atol=1e-15)
    torch.testing.assert_close(right, pair.right, rtol=0, atol=1e-15)
    torch.testing.assert_close(coefficients.norm(dim=-1), torch.ones(2, dtype=torch.float64))
