"""Predictors where they were asked for, and their gradients by quadrature against the closed form."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dlnrepro.dynamics.networks.chain import largest_imbalance, product
from dlnrepro.dynamics.spherical.plane_quadrature import logistic_pull
from dlnrepro.dynamics.spherical.predictors import draw_balanced_layers, draw_predictors, population_push
from dlnrepro.dynamics.spherical.symmetric_inputs import InputLaw, mixing, plain_inputs, population_gradient
from tests.runners.running import seeded


def test_predictors_have_the_norms_and_angles_asked_for(generator: torch.Generator) -> None:
    (drawn,) = draw_predictors(4, 6, (0.5, 2.0), [generator])

    assert drawn.angles == pytest.approx(np.pi * (np.arange(6) + 0.5) / 6)
    assert bool(((drawn.norms >= 0.5) & (drawn.norms < 2.0)).all())
    np.testing.assert_allclose(np.linalg.norm(drawn.units, axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(drawn.units[:, 0], np.cos(drawn.angles), rtol=1e-13)


@pytest.mark.parametrize(("law", "stretch"), [("sphere", 1.0), ("gaussian", 3.0)])
def test_the_quadrature_gives_the_gradient_of_the_population(
    law: InputLaw, stretch: float, generator: torch.Generator
) -> None:
    mix = mixing(3, stretch)
    (drawn,) = draw_predictors(3, 5, (0.5, 5.0), [generator])
    exact = population_gradient(plain_inputs(law, 3), mix)

    pushes = population_push(plain_inputs(law, 3), logistic_pull, mix, drawn)

    expected = np.stack([exact(predictor) for predictor in drawn.norms[:, None] * drawn.units])
    np.testing.assert_allclose(-pushes, expected, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("hidden", [[], [3], [4, 2]])
def test_balanced_layers_have_a_predictor_in_the_ranges_of_angle_and_norm(hidden: list[int]) -> None:
    layers = draw_balanced_layers(5, hidden, (0.3, 0.9), (0.5, 2.0), seeded(range(20)))
    predictor = product(layers)[:, 0]
    norm = torch.linalg.vector_norm(predictor, dim=-1)
    angle = torch.acos(predictor[:, 0] / norm)

    assert [layer.shape[1:] for layer in layers] == list(zip([*hidden, 1], [5, *hidden], strict=True))
    assert float(largest_imbalance(layers).max()) < 1e-14
    assert 0.3 <= float(angle.min()) < 0.5 < 0.7 < float(angle.max()) < 0.9
    assert 0.5 <= float(norm.min()) < 0.8 < 1.2 < float(norm.max()) < 2.0
