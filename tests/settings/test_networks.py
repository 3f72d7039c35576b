"""The Gaussian initialization of a network: its widths, and the deviation of its entries."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch

from dlnrepro.settings.networks import GaussianNetwork
from tests.runners.running import seeded

SOUND: dict[str, Any] = {"depth": 3, "inputs": 16, "hidden": 64, "scale": 0.5}


@pytest.mark.parametrize(("depth", "widths"), [(2, [16, 64, 1]), (4, [16, 64, 64, 64, 1])])
def test_a_network_has_one_output_and_hidden_layers_of_one_width(depth: int, widths: list[int]) -> None:
    network = GaussianNetwork.model_validate(SOUND | {"depth": depth})

    assert network.widths == widths
    assert [weight.shape[1:] for weight in network.weights(seeded([0]))] == [
        (after, before) for before, after in pairwise(widths)
    ]


def test_the_number_of_weights_is_that_of_the_layers() -> None:
    network = GaussianNetwork.model_validate(SOUND)

    assert network.weight_count == sum(weight[0].numel() for weight in network.weights(seeded([0])))


def test_the_entries_deviate_by_the_scale_over_the_root_of_the_fan_in() -> None:
    first, second, _ = GaussianNetwork.model_validate(SOUND).weights(seeded(range(20)))

    assert float(first.std()) == pytest.approx(0.5 / 4, rel=0.02)
    assert float(second.std()) == pytest.approx(0.5 / 8, rel=0.02)


def test_a_run_draws_the_same_weights_alone_and_in_a_batch() -> None:
    network = GaussianNetwork.model_validate(SOUND)
    alone, batch = network.weights(seeded([3])), network.weights(seeded([1, 3]))

    assert all(torch.equal(one[0], many[1]) for one, many in zip(alone, batch, strict=True))
