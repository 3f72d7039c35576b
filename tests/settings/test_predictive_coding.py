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
    same = PredictiveCodingSettings.model_validate(SOUND).constants(seeded([0, 1]))
    other = PredictiveCodingSettings.model_validate(SOUND | {"law_dual_step": 0}).constants(seeded([0, 1]))

    assert same.formula.tolist() == same.dual_step.tolist() == [0.5, 0.5]
    assert (other.formula.tolist(), other.dual_step.tolist()) == ([0, 0], [0.5, 0.5])


def test_a_range_is_drawn_from_by_each_run_and_a_number_is_the_same_for_all() -> None:
    drawn = PredictiveCodingSettings.model_validate(SOUND | {"penalty": [0.5, 2.0]}).constants(seeded(range(64)))

    assert 0.5 < float(drawn.penalty.min()) < 0.7
    assert 1.8 < float(drawn.penalty.max()) < 2
    assert set(drawn.dual_step.tolist()) == {0.5}
