"""Settings of predictive coding: the network that they describe, and the dual step in the formulas."""

from __future__ import annotations

from typing import Any

from dlnrepro.settings.predictive_coding import PredictiveCodingSettings
from tests.runners.running import seeded

SOUND: dict[str, Any] = {
    "hidden": 3,
    "outputs": 2,
    "skip": "none",
    "spread": 1.0,
    "penalty": 1.0,
    "dual_step": 0.5,
    "law_dual_step": "same",
}


def test_a_network_has_the_widths_of_the_settings() -> None:
    chain = PredictiveCodingSettings.model_validate(SOUND).network(5, 4, 6, seeded([0, 1]))

    assert chain.inputs.shape == (2, 4, 6)
    assert chain.first.shape == (2, 3, 4)
    assert chain.hidden.shape == (2, 3, 3, 3)
    assert chain.last.shape == (2, 2, 3)


def test_the_dual_step_in_the_law_follows_that_of_the_network_unless_it_is_a_number() -> None:
    assert PredictiveCodingSettings.model_validate(SOUND).formula_dual_step == 0.5
    assert PredictiveCodingSettings.model_validate(SOUND | {"law_dual_step": 0}).formula_dual_step == 0
