"""Two classes: each kind of data is drawn as it says, and the initialization is not worse than the zero network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dlnrepro.dynamics.classification.maximum_margin import maximum_margin
from dlnrepro.dynamics.risks.margin_losses import log_loss_at_zero, log_risk
from dlnrepro.settings.classification import DeepClassifier
from tests.runners.running import seeded

SOUND: dict[str, Any] = {
    "data": "separable",
    "inputs": 3,
    "samples": 20,
    "gap": 0.1,
    "depth": 3,
    "hidden": 4,
    "scale": 1.0,
}
FEW: dict[str, Any] = {"data": "under-determined", "inputs": 8, "samples": 4}


@pytest.mark.parametrize(
    ("changes", "separated"), [({}, True), ({"data": "flipped"}, False), (FEW, True)], ids=["all", "flipped", "few"]
)
def test_a_data_set_is_of_its_kind(changes: dict[str, Any], separated: bool) -> None:
    settings = DeepClassifier.model_validate(SOUND | changes)

    signed = settings.classes(seeded([0])[0]).signed

    assert signed.shape == (settings.samples, settings.inputs)
    assert (maximum_margin(signed) is not None) == separated


def test_no_support_vector_counts_less_than_the_least_share() -> None:
    solution = DeepClassifier.model_validate(SOUND).classes(seeded([0])[0], least_share=0.3).solution
    multipliers = solution.multipliers[solution.support]

    assert multipliers.min() >= 0.3 * multipliers.max()


def test_an_initialization_is_no_worse_than_zero() -> None:
    settings = DeepClassifier.model_validate(SOUND)
    sets = [settings.classes(generator).signed for generator in seeded([0, 1])]

    weights = [weight.numpy() for weight in settings.initialization(sets, "logistic", seeded([2, 3]))]

    for run, signed in enumerate(sets):
        predictor = (weights[2] @ weights[1] @ weights[0])[run, 0]
        assert log_risk("logistic")(signed @ predictor).value <= log_loss_at_zero("logistic")


def test_the_first_layer_lies_in_the_span_of_few_data_alone() -> None:
    for changes, within in ((FEW, True), ({"inputs": 8, "samples": 17}, False)):
        settings = DeepClassifier.model_validate(SOUND | changes)
        signed = settings.classes(seeded([0])[0]).signed[:4]

        first = settings.initialization([signed], "logistic", seeded([2]))[0][0].numpy()

        outside = np.linalg.norm(first - first @ np.linalg.pinv(signed) @ signed)
        assert (outside < 1e-12) == within, changes
