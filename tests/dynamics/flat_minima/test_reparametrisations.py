"""Reparametrisations: the product stays, and flattening finds what a scan over one number finds."""

from __future__ import annotations

import torch

from dlnrepro.dynamics.flat_minima.reparametrisations import flattest, random_reparametrisations, reparametrised
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.networks.tangent_kernel import tangent_kernel
from dlnrepro.dynamics.starts.draws import gaussian
from dlnrepro.runner import silent


def _generators(count: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in range(count)]


def test_a_reparametrisation_keeps_the_product_and_has_the_asked_singular_values() -> None:
    generators = _generators(3)
    weights = gaussian([3, 4, 5, 2], 1.0, generators)
    strengths = torch.tensor([0.2, 1.0], dtype=torch.float64)
    matrices = random_reparametrisations([4, 5], strengths, generators)
    moved = reparametrised([weight[:, None].expand(-1, 2, -1, -1) for weight in weights], matrices)

    torch.testing.assert_close(product(moved), product(weights)[:, None].expand(-1, 2, -1, -1), rtol=0, atol=1e-12)
    assert bool((torch.linalg.svdvals(matrices[0]).log().abs().amax(-1) <= strengths).all())
    assert float((moved[0] - weights[0][:, None]).abs().min()) > 0


def test_flattening_two_scalars_balances_them() -> None:
    """w_2 w_1 = 6 has the sharpness w_1^2 + w_2^2, least where both are sqrt 6."""
    weights = [torch.full((2, 1, 1), 12.0, dtype=torch.float64), torch.full((2, 1, 1), 0.5, dtype=torch.float64)]

    flat = flattest(weights, 50, silent)

    torch.testing.assert_close(tangent_kernel(flat)[:, 0, 0], torch.full((2,), 12.0, dtype=torch.float64))
    torch.testing.assert_close(product(flat), product(weights))


def test_no_iterations_leave_the_weights_as_they_are() -> None:
    weights = gaussian([3, 4, 2], 1.0, _generators(1))

    assert all(torch.equal(one, other) for one, other in zip(flattest(weights, 0, silent), weights, strict=True))
