"""The search for the flattest weights: it lowers the sharpness relative to the target, and ends at the bound."""

from __future__ import annotations

import torch

from dlnrepro.dynamics.networks.curvature import sharpness
from dlnrepro.dynamics.pathways import parallel_paths
from dlnrepro.dynamics.pathways.closed_forms import equal_split_factor
from dlnrepro.dynamics.pathways.flattening import flattened_paths
from dlnrepro.dynamics.pathways.path_draws import gaussian_paths
from dlnrepro.runner import silent
from tests.runners.running import seeded


def _relative(weights: list[torch.Tensor]) -> torch.Tensor:
    """The sharpness over L s^(2-2/L)."""
    depth = len(weights)
    top = torch.linalg.svdvals(parallel_paths.network(weights))[:, 0]
    ratio: torch.Tensor = sharpness(weights) / (depth * top ** (2 - 2 / depth))
    return ratio


def test_a_search_ends_at_the_sharpness_of_the_equal_split() -> None:
    start = gaussian_paths([1.0, 1.0], [3, 4, 4, 2], seeded([0, 1, 2]))

    with torch.inference_mode():
        found = _relative(flattened_paths(start, 300, silent))

    least = torch.full((3,), equal_split_factor(2, 3), dtype=torch.float64)
    assert float((_relative(start) / least).min()) > 1.1
    torch.testing.assert_close(found, least, rtol=1e-3, atol=0)


def test_no_steps_leave_the_weights_as_they_are() -> None:
    start = gaussian_paths([1.0, 1.0], [3, 4, 2], seeded([0]))

    for before, after in zip(start, flattened_paths(start, 0, silent), strict=True):
        assert torch.equal(before, after)
