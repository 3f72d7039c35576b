"""The scalar reduction, compared with descent of full matrices and with the flow's conservation law."""

from __future__ import annotations

import pytest
import torch

from dlnrepro.dynamics.compiled.library import kernels
from dlnrepro.dynamics.networks.curvature import sharpness
from dlnrepro.dynamics.pathways import aligned_paths, parallel_paths
from dlnrepro.dynamics.pathways.aligned_paths import aligned_shares, aligned_sharpness, descend_aligned, scaled_start
from dlnrepro.dynamics.training.descent import descend
from dlnrepro.runner import silent


@pytest.mark.parametrize("depth", [2, 3, 4, 5])
def test_scalars_move_as_full_matrices_do(depth: int) -> None:
    """Layers w_p Q_l Q_{l-1}^T with rotations Q_l, target s Q_L Q_0^T: also beyond the edge of stability."""
    generator = torch.Generator().manual_seed(depth)
    strength, size, steps = 1.3, 1.15 * 2 / (depth * 1.3 ** (2 - 2 / depth)), 60
    start = 0.6 + 0.3 * torch.rand(2, 3, generator=generator, dtype=torch.float64)
    frames = torch.linalg.qr(torch.randn(2, depth + 1, 3, 4, 4, generator=generator, dtype=torch.float64))[0]
    frames[:, 0], frames[:, -1] = frames[:, 0, :1], frames[:, -1, :1]
    weights = [start[..., None, None] * frames[:, layer + 1] @ frames[:, layer].mT for layer in range(depth)]
    target = strength * frames[:, -1, 0] @ frames[:, 0, 0].mT

    full, _ = descend(
        weights,
        parallel_paths.loss_gradient(target),
        lambda _: size,
        steps,
        [],
        lambda _: {},
        silent,
    )
    scalars = descend_aligned(
        start, strength, depth, torch.tensor(size, dtype=torch.float64), steps, 2, [0, steps], silent
    )

    kept = parallel_paths.mode_contributions(full, frames[:, -1, 0], frames[:, 0, 0])
    torch.testing.assert_close(kept, (scalars.weights**depth)[..., None].expand(-1, -1, 4), rtol=1e-9, atol=1e-12)
    assert torch.equal(scalars.recorded[..., 0], start)
    assert torch.equal(scalars.recorded[..., 1], scalars.weights)
    torch.testing.assert_close(sharpness(full), aligned_sharpness(scalars.weights, depth), rtol=1e-9, atol=0)


def test_the_mean_is_taken_over_the_last_steps() -> None:
    start = torch.tensor([[0.5, 0.4]], dtype=torch.float64)
    steps = list(range(10))

    descent = descend_aligned(start, 1.0, 3, torch.tensor(0.1, dtype=torch.float64), 10, 4, steps, silent)

    torch.testing.assert_close(descent.mean, (descent.recorded**3)[..., 6:].mean(-1))


def test_the_start_is_left_alone_and_a_zero_path_stays_zero() -> None:
    start = torch.tensor([[0.5, 0.0]], dtype=torch.float64)

    descent = descend_aligned(start, 1.0, 3, torch.tensor(0.9, dtype=torch.float64), 500, 2, [], silent)

    assert start.tolist() == [[0.5, 0.0]]
    assert float(descent.weights[0, 1]) == 0.0


def test_two_layers_multiply_every_path_by_the_same_number() -> None:
    start = torch.tensor([[0.5, 0.3, 0.1]], dtype=torch.float64)

    descent = descend_aligned(start, 1.0, 2, torch.tensor(1.2, dtype=torch.float64), 400, 2, [], silent)

    torch.testing.assert_close(descent.weights / descent.weights[:, :1], start / start[:, :1], rtol=1e-12, atol=0)


def test_a_diverging_sweep_point_leaves_its_neighbours_alone() -> None:
    start = torch.full((1, 2, 2), 0.5, dtype=torch.float64)
    sizes = torch.tensor([0.1, 50.0], dtype=torch.float64)

    descent = descend_aligned(start, 1.0, 3, sizes, 300, 2, [], silent)
    alone = descend_aligned(start[:, :1], 1.0, 3, sizes[:1], 300, 2, [], silent)

    assert not torch.isfinite(descent.weights[0, 1]).any()
    assert torch.equal(descent.weights[:, :1], alone.weights)


def test_a_start_of_scale_one_carries_the_whole_mode_and_any_scale_keeps_the_proportions() -> None:
    relative = torch.tensor([[1.0, 0.5], [1.0, 0.9]], dtype=torch.float64)
    whole, small = (scaled_start(relative, 1.7, 3, scale) for scale in (1.0, 0.2))

    torch.testing.assert_close((whole**3).sum(-1), torch.full((2,), 1.7, dtype=torch.float64), rtol=1e-13, atol=0)
    torch.testing.assert_close(small, 0.2 * whole, rtol=1e-14, atol=0)
    torch.testing.assert_close(small / small[:, :1], relative, rtol=1e-14, atol=0)


def test_shares_of_paths_add_up_to_one() -> None:
    shares = aligned_shares(torch.tensor([[3.0, 1.0], [2.0, 2.0]], dtype=torch.float64))

    assert shares.tolist() == [[0.75, 0.25], [0.5, 0.5]]


@pytest.mark.skipif(not kernels(), reason="there is no C compiler")
@pytest.mark.parametrize(
    ("runs", "points", "paths", "depth"), [(16, 21, 2, 4), (5, 7, 3, 2), (1, 1, 5, 3), (3, 11, 1, 6)]
)
def test_the_compiled_steps_have_the_bits_of_those_through_tensors(
    runs: int, points: int, paths: int, depth: int, generator: torch.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = 0.1 + 0.5 * torch.rand(runs, 1, paths, dtype=torch.float64, generator=generator).expand(-1, points, -1)
    sizes, records = torch.linspace(0.01, 0.4, points, dtype=torch.float64), [0, 3, 77, 190, 200]

    compiled = descend_aligned(start, 1.3, depth, sizes, 200, 20, records, silent)
    monkeypatch.setattr(aligned_paths, "can_descend_aligned", lambda _: False)
    plain = descend_aligned(start, 1.3, depth, sizes, 200, 20, records, silent)

    for one, other in zip(vars(compiled).values(), vars(plain).values(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)
    assert not torch.equal(compiled.weights, start)
