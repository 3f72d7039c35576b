"""Balanced initializations: their product, balance and draws, and a run that is identical alone and in a batch."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.networks.chain import imbalance, product
from dlnrepro.dynamics.starts.balanced import (
    balanced_layers,
    draw_mode_strengths,
    draw_strength,
    hidden_frames,
    isometric_layers,
    layers_between,
    unbalanced,
)
from dlnrepro.dynamics.starts.draws import orthonormal

STRENGTHS = torch.tensor([[2.0, 0.3], [1.1, 0.7], [0.9, 0.0]], dtype=torch.float64)


def generators(seeds: Sequence[int]) -> list[Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def bases(seeds: Sequence[int]) -> tuple[Tensor, Tensor]:
    """U of shape (runs, 4, 2) and V of shape (runs, 5, 2)."""
    given = generators(seeds)
    return orthonormal(4, 2, given), orthonormal(5, 2, given)


@pytest.mark.parametrize("hidden", [[], [3], [6, 2, 3]])
def test_balanced_layers_multiply_to_the_given_product_and_are_balanced(hidden: list[int]) -> None:
    left, right = bases(range(3))

    layers = balanced_layers(left, STRENGTHS, right, hidden, generators(range(3, 6)))

    assert [tuple(layer.shape[1:]) for layer in layers] == list(zip([*hidden, 4], [5, *hidden], strict=True))
    expected = torch.einsum("rik,rk,rjk->rij", left, STRENGTHS, right)
    torch.testing.assert_close(product(layers), expected, rtol=0, atol=1e-14)
    assert all(float(matrix.abs().max()) < 1e-14 for matrix in imbalance(layers))


def test_the_singular_values_of_each_balanced_layer_are_roots_of_the_strengths() -> None:
    left, right = bases(range(3))

    layers = balanced_layers(left, STRENGTHS, right, [6, 3], generators(range(3, 6)))

    for layer in layers:
        torch.testing.assert_close(torch.linalg.svdvals(layer)[:, :2], STRENGTHS ** (1 / 3), rtol=1e-13, atol=1e-15)


def test_isometric_layers_are_those_with_one_strength_for_all_modes() -> None:
    left, right = bases(range(3))
    frames = [right, *hidden_frames([3, 6], 2, generators(range(3))), left]
    strength = torch.tensor([0.4, 1.7, 3.0], dtype=torch.float64)

    same = layers_between(frames, strength[:, None].expand(-1, 2))

    for one, other in zip(isometric_layers(frames, strength), same, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-14, atol=1e-15)


def test_layers_between_frames_take_any_dimensions_after_the_runs() -> None:
    left, right = bases(range(3))
    frames = [frame[:, None] for frame in (right, *hidden_frames([3], 2, generators(range(3))), left)]
    sweep = STRENGTHS[:, None] * torch.tensor([1.0, 0.1], dtype=torch.float64)[:, None]

    layers = layers_between(frames, sweep)

    for point in range(2):
        alone = layers_between([frame[:, 0] for frame in frames], sweep[:, point])
        for layer, other in zip(layers, alone, strict=True):
            torch.testing.assert_close(layer[:, point], other, rtol=1e-15, atol=0)


def test_hidden_frames_are_drawn_from_the_layer_next_to_the_input_on() -> None:
    first, second = hidden_frames([5, 3], 2, generators([0, 1]))

    given = generators([0, 1])
    assert torch.equal(first, orthonormal(5, 2, given))
    assert torch.equal(second, orthonormal(3, 2, given))


def test_balanced_layers_are_bitwise_identical_alone_and_in_a_batch() -> None:
    def start(seeds: list[int]) -> list[Tensor]:
        given = generators(seeds)
        left, right = bases(seeds)
        strengths = draw_mode_strengths(0.1, 2.0, 2, given)
        return balanced_layers(left, strengths, right, [3, 6], given)

    for together, alone in zip(start([0, 1, 2, 3, 4]), start([2]), strict=True):
        assert torch.equal(together[2:3], alone)


def test_unbalanced_layers_keep_the_product() -> None:
    left, right = bases(range(3))
    layers = balanced_layers(left, STRENGTHS, right, [3], generators(range(3)))

    other = unbalanced(layers, 3.0)

    torch.testing.assert_close(product(other), product(layers), rtol=0, atol=1e-14)
    assert float(torch.linalg.matrix_norm(imbalance(other)[0]).min()) > 0.1


def test_strengths_are_log_uniform() -> None:
    logs = draw_strength(0.01, 100.0, generators(range(2000))).log10()

    assert float(logs.min()) >= -2
    assert float(logs.max()) < 2
    assert abs(float(logs.mean())) < 0.1
    assert abs(float(logs.std()) - 4 / 12**0.5) < 0.05


def test_modes_have_independent_strengths_drawn_one_after_another() -> None:
    given = generators(range(3))
    expected = torch.stack([draw_strength(0.1, 2.0, given), draw_strength(0.1, 2.0, given)], -1)

    assert torch.equal(draw_mode_strengths(0.1, 2.0, 2, generators(range(3))), expected)
