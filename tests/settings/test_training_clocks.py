"""Several classes: as many outputs, and labels that are the same in each run."""

from __future__ import annotations

from typing import Any

from dlnrepro.settings.training_clocks import ManyClasses

SOUND: dict[str, Any] = {"depth": 2, "inputs": 10, "hidden": 4, "scale": 1.0, "classes": 3, "samples": 8}


def test_a_network_has_one_output_for_each_class() -> None:
    assert ManyClasses.model_validate(SOUND).widths == [10, 4, 3]


def test_the_labels_go_through_the_classes_in_turn_in_each_run() -> None:
    hot = ManyClasses.model_validate(SOUND).one_hot(2)

    assert hot.shape == (2, 8, 3)
    assert hot.argmax(-1).tolist() == [[0, 1, 2, 0, 1, 2, 0, 1]] * 2
    assert hot.sum(-1).tolist() == [[1.0] * 8] * 2
