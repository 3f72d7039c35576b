"""Classes around a circle: where their means lie, data for training and tests, and the projection off a span."""

from __future__ import annotations

import torch
from torch import Generator

from dlnrepro.dynamics.training_clocks.class_means import around_circle, draw_class_data, labels, off_span, one_hot

RADIUS = torch.full((2,), 2.5, dtype=torch.float64)
SAMPLE = around_circle(6, 3, 9, RADIUS, 0.5, [Generator().manual_seed(seed) for seed in (0, 1)])


def test_the_class_means_are_evenly_spaced_on_the_circle() -> None:
    torch.testing.assert_close(SAMPLE[0, :3, :2].sum(0), torch.zeros(2, dtype=torch.float64))
    torch.testing.assert_close((SAMPLE[..., :2] ** 2).sum(-1), torch.full((2, 6), 6.25, dtype=torch.float64))
    torch.testing.assert_close(SAMPLE[0, 0, :2], SAMPLE[1, 3, :2])
    assert labels(6, 3).tolist() == [0, 1, 2, 0, 1, 2]


def test_the_other_coordinates_are_noise_of_the_given_size() -> None:
    many = around_circle(2000, 3, 4, RADIUS[:1], 0.5, [Generator().manual_seed(0)])[..., 2:]

    assert abs(float(many.std()) - 0.5) < 0.02
    assert abs(float(many.mean())) < 0.03


def test_the_projection_off_the_span_forgets_the_inputs_and_nothing_else() -> None:
    projection = off_span(SAMPLE)

    assert float((SAMPLE @ projection).abs().max()) < 1e-14
    torch.testing.assert_close(projection @ projection, projection)
    ranks = projection.diagonal(dim1=-2, dim2=-1).sum(-1)
    torch.testing.assert_close(ranks, torch.full((2,), 3.0, dtype=torch.float64))


def test_data_for_training_come_before_fresh_ones_and_each_has_its_own_labels() -> None:
    first, second = ([Generator().manual_seed(seed) for seed in (0, 1)] for _ in range(2))

    data = draw_class_data(6, 9, 3, 9, RADIUS, 0.5, first)

    assert torch.equal(data.x[:, 0], around_circle(6, 3, 9, RADIUS, 0.5, second))
    assert torch.equal(data.fresh[:, 0], around_circle(9, 3, 9, RADIUS, 0.5, second))
    assert data.labels.tolist() == [0, 1, 2] * 3
    assert data.hot.argmax(-1).tolist() == [[[0, 1, 2, 0, 1, 2]]] * 2
    assert float((data.x @ data.off).abs().max()) < 1e-14


def test_a_label_is_one_at_its_class_and_zero_elsewhere() -> None:
    hot = one_hot(2, 4, 3)

    assert hot.tolist() == [[[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]]] * 2


def test_each_run_has_its_own_radius() -> None:
    radius = torch.tensor([1.0, 3.0], dtype=torch.float64)
    inputs = around_circle(6, 3, 9, radius, 0.5, [Generator().manual_seed(seed) for seed in (0, 1)])

    torch.testing.assert_close(inputs[:, 0, :2].norm(dim=-1), radius)
