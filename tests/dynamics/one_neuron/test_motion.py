"""What is observed of weights, compared with distances that are known."""

from __future__ import annotations

import torch

from dlnrepro.dynamics.one_neuron.motion import OneNeuronStart
from dlnrepro.dynamics.one_neuron.start import axis_pair, balanced
from dlnrepro.dynamics.starts.targets import draw_strengths, rotated
from tests.runners.running import seeded


def _start(left: int, right: int, strength: float) -> OneNeuronStart:
    target = rotated(3, 4, draw_strengths((2.0, 0.5), 0.0, seeded([0, 1])), seeded([2, 3]))
    pair, size = axis_pair(target, left, right, 1.0), torch.full((2,), strength, dtype=torch.float64)
    return OneNeuronStart(target, pair, size, balanced(target, pair, size, [4, 1, 2, 3], seeded([4, 5])))


def test_a_product_along_the_second_mode_has_known_distances_and_overlap() -> None:
    """||s u_2 v_2^T - 2 u_1 v_1^T|| = sqrt(s^2 + 4), and u_2^T Z v_2 = 0.5; all are over sigma_1 = 2."""
    start = _start(2, 2, 0.3)
    found = start.observer(start.target.mode(torch.tensor([2, 0])))(start.weights)

    expected = {
        "distance": [4.09**0.5 / 2] * 2,
        "distance_from_limit": [0.1, 0.15],  # from 0.5 u_2 v_2^T, and from 0
        "overlap": [0.25] * 2,
    }
    assert set(found) == {*expected, "parts"}
    for name, values in expected.items():
        torch.testing.assert_close(found[name], torch.tensor(values, dtype=torch.float64), rtol=1e-12, atol=1e-14)


def test_the_best_matrix_of_rank_one_has_no_distance_and_the_whole_overlap() -> None:
    start = _start(1, 1, 2.0)
    found = start.observer(start.target.best_rank_one)(start.weights)

    assert float(found["distance"].max()) < 1e-14
    torch.testing.assert_close(found["overlap"], torch.ones(2, dtype=torch.float64), rtol=1e-13, atol=0)
