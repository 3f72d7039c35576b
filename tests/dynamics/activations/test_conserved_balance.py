"""The balance under descent: a linear network by hand, and one whose balance a step changes exactly."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from dlnrepro.dynamics.activations.conserved_balance import changes, largest_sizes, read_balance
from dlnrepro.dynamics.activations.functions import network_gradient, output_gradient
from dlnrepro.dynamics.networks.chain import imbalance
from dlnrepro.dynamics.starts.draws import gaussian, normal
from dlnrepro.runner import silent

GENERATORS = [torch.Generator().manual_seed(seed) for seed in range(2)]
INPUTS, TARGETS = normal((4, 9), GENERATORS), normal((2, 9), GENERATORS)
WEIGHTS = gaussian([4, 5, 2], 0.8, GENERATORS)
LINEAR = network_gradient("linear", INPUTS, output_gradient("squared", TARGETS))


def test_the_largest_entry_and_norm_are_over_layers_and_times() -> None:
    matrices = [normal((3, 4, 4), GENERATORS), normal((3, 2, 2), GENERATORS)]

    sizes = largest_sizes(matrices)

    for run in range(2):
        every = [matrix[run, time] for matrix in matrices for time in range(3)]
        assert float(sizes.node[run]) == max(float(matrix.diagonal().abs().max()) for matrix in every)
        assert float(sizes.matrix[run]) == pytest.approx(max(float((matrix**2).sum().sqrt()) for matrix in every))


def test_one_step_is_read_as_the_change_that_it_makes() -> None:
    after = [weight - 0.1 * part for weight, part in zip(WEIGHTS, LINEAR(WEIGHTS), strict=True)]
    moved = imbalance(after)[0] - imbalance(WEIGHTS)[0]

    found = read_balance(WEIGHTS, LINEAR, [1.0, 1.0], 0.1, 1, 0, 1, silent)

    assert found.step_sizes.tolist() == [0.1]
    torch.testing.assert_close(found.drifts.matrix[:, 0], torch.linalg.matrix_norm(moved))
    torch.testing.assert_close(found.drifts.node[:, 0], moved.diagonal(dim1=-2, dim2=-1).abs().amax(-1))
    ends = imbalance(after)[0].diagonal(dim1=-2, dim2=-1).abs().amax(-1)
    torch.testing.assert_close(found.end, ends / (after[0] ** 2).sum(-1).amax(-1))
    norms = [torch.linalg.matrix_norm(weight) for weight in (*after, *WEIGHTS)]
    torch.testing.assert_close(found.growth, norms[0] * norms[1] / norms[2] / norms[3])


@pytest.mark.parametrize(("rates", "exact"), [([1.0, 1.0], True), ([2.0, 1.0], False)])
def test_the_sums_of_squared_gradients_are_the_change_of_a_linear_network_at_equal_rates(
    rates: list[float], exact: bool
) -> None:
    found = read_balance(WEIGHTS, LINEAR, rates, 1.0, 20, 1, 4, silent)

    for excess in found.excess:
        assert float(excess.max()) < 1e-11 if exact else float(excess.min()) > 0.1
    halving = found.drifts.matrix[:, 0] / found.drifts.matrix[:, 1]
    expected: Tensor = torch.full((2,), 2.0 if exact else 1.0, dtype=torch.float64)
    torch.testing.assert_close(halving, expected, rtol=0.1, atol=0)


def test_changes_are_counted_from_the_first_time() -> None:
    path = [torch.stack([weight, 2 * weight], 1) for weight in WEIGHTS]

    (change,) = changes(path)

    assert torch.equal(change[:, 0], torch.zeros(2, 5, 5, dtype=torch.float64))
    torch.testing.assert_close(change[:, 1], 3 * imbalance(WEIGHTS)[0])
