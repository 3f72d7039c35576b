"""Progress: a part of the work reports to the progress of the whole."""

from __future__ import annotations

from dlnrepro.dynamics.tensors.progress import part_of


def test_a_part_reports_its_share_of_the_whole_with_its_name() -> None:
    reported: list[tuple[float, str]] = []

    part = part_of(lambda fraction, note: reported.append((fraction, note)), 0.5, 0.25, "descent")
    part(0.0, "step 0 of 4")
    part(0.5, "step 2 of 4")

    assert reported == [(0.5, "descent, step 0 of 4"), (0.625, "descent, step 2 of 4")]


def test_a_part_without_a_name_leaves_notes_as_they_are() -> None:
    reported: list[tuple[float, str]] = []

    part_of(lambda fraction, note: reported.append((fraction, note)), 0.0, 0.5)(1.0, "run 1 of 2")

    assert reported == [(0.5, "run 1 of 2")]
