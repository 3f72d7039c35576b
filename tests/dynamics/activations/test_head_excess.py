"""The law for the excess, on matrices made to obey the conservation it rests on, and the drift of a block."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from dlnrepro.dynamics.activations.head_excess import block_drift, grown_slope, observe_excess
from dlnrepro.dynamics.networks.chain import imbalance


def _normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _grown(start: list[Tensor], lengths: list[float]) -> list[Tensor]:
    """Heads with the imbalances of the start, and a last row of each length, the first of them the start itself.

    From the row down: W_k W_k^T must be W_{k+1}^T W_{k+1} - M_k, so W_k is its root times a frame.
    """
    constants = imbalance(start)
    path = [[weight] for weight in start]
    axis = _normal(1, start[-1].shape[1], seed=5)
    for length in lengths:
        above = length * axis / torch.linalg.vector_norm(axis)
        path[-1].append(above)
        for layer in range(len(start) - 2, -1, -1):
            square = above.mT @ above - constants[layer]
            values, vectors = torch.linalg.eigh(square)
            assert float(values.min()) > 0
            columns = start[layer].shape[1]
            frame = torch.linalg.qr(_normal(columns, len(values), seed=9))[0]
            above = vectors * values.sqrt() @ vectors.mT @ frame.mT
            path[layer].append(above)
    return [torch.stack(layers) for layers in path]


@pytest.mark.parametrize("widths", [(9, 4, 1), (9, 6, 4, 1)])
def test_the_excess_of_a_head_that_kept_its_imbalances_tends_to_the_law_as_one_over_the_square(
    widths: tuple[int, ...],
) -> None:
    start = [
        (len(widths) - k) * _normal(*shape, seed=k) for k, shape in enumerate(zip(widths[1:], widths, strict=False))
    ]
    path = _grown(start, [100.0, 1000.0])

    seen = observe_excess(path)

    far, farther = (seen.ratio[1:] - 1).abs()
    assert float(far) < 0.02
    assert float(far / farther) == pytest.approx(100, rel=0.05)
    squares = torch.linalg.svdvals(path[0][2]) ** 2
    gap = 1 - squares[0].sqrt() / squares.sum().sqrt()
    assert float(seen.gap[2]) == pytest.approx(float(gap), rel=0.1)


def test_a_head_whose_imbalances_changed_breaks_the_law() -> None:
    start = [3 * _normal(4, 9, seed=0), _normal(1, 4, seed=1)]
    path = _grown(start, [100.0])
    path[0] = path[0] + torch.stack([torch.zeros(4, 9).double(), _normal(4, 9, seed=4)])

    assert abs(float(observe_excess(path).ratio[1]) - 1) > 0.05


def test_the_drift_of_a_block_is_that_of_the_chosen_rows_and_columns() -> None:
    below, above = _normal(3, 5, 4, seed=0), _normal(3, 2, 5, seed=1)
    chosen = torch.tensor([True, False, True, False, False])

    drift = block_drift(below, above, chosen)

    moved = imbalance([below, above])[0]
    moved = moved - moved[0]
    by_hand = (moved[:, 0, 0] ** 2 + moved[:, 0, 2] ** 2 + moved[:, 2, 0] ** 2 + moved[:, 2, 2] ** 2).sqrt()
    torch.testing.assert_close(drift, by_hand)
    assert float(drift[0]) == 0
    assert torch.equal(block_drift(below, above, torch.zeros(5, dtype=torch.bool)), torch.zeros(3).double())


def test_the_slope_counts_records_of_a_head_that_has_grown_to_twice_its_start() -> None:
    norm = torch.linspace(1, 20, 20, dtype=torch.float64)
    head = [norm[:, None, None] * torch.tensor([[0.6, 0.8]], dtype=torch.float64)]
    gap = torch.where(norm < 2, 5.0, norm**-4)

    assert float(grown_slope(head, norm, gap)) == pytest.approx(-4)
    assert bool(grown_slope([layer[:8] for layer in head], norm[:8], gap[:8]).isnan())
