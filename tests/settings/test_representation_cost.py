"""Settings of architectures: the network and the predictors that they describe, and the formula."""

from __future__ import annotations

from typing import Any

from dlnrepro.dynamics.representation_cost.tied_layers import predictor
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.settings.representation_cost import ArchitectureSettings
from tests.runners.running import seeded

SOUND: dict[str, Any] = {
    "architecture": "fully-connected",
    "law": "same",
    "depth": 3,
    "inputs": 4,
    "outputs": 2,
    "hidden": 3,
    "part": 2,
    "spread": 1.0,
}


def test_the_network_realises_predictors_of_the_shape_that_is_drawn() -> None:
    params = ArchitectureSettings.model_validate(SOUND)
    values = [normal((5, layer.count), seeded([0, 1])) for layer in params.layers]

    assert predictor(params.layers, values).shape == params.draw(5, seeded([0, 1])).shape == (2, 5, 4, 2)


def test_convolutions_have_the_full_width() -> None:
    params = ArchitectureSettings.model_validate(SOUND | {"architecture": "convolutional", "outputs": 1})

    assert [layer.count for layer in params.layers] == [4, 4, 4]


def test_the_formula_is_that_of_the_network_unless_another_one_is_named() -> None:
    assert ArchitectureSettings.model_validate(SOUND).formula == "fully-connected"
    assert ArchitectureSettings.model_validate(SOUND | {"law": "diagonal"}).formula == "diagonal"
