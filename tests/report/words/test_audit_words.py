"""Audits in words: chances and shares as short text."""

from __future__ import annotations

import pytest

from dlnrepro.report.words.audit_words import at_most, chance_text, looseness, share_text


@pytest.mark.parametrize(
    ("chance", "text"),
    [(0.0, "below 0.01 %"), (1e-4, "0.01 %"), (0.0321, "3.2 %"), (0.19, "19 %"), (0.996, "100 %"), (1.0, "100 %")],
)
def test_a_chance_has_two_digits_and_a_very_small_one_is_only_bounded(chance: float, text: str) -> None:
    assert chance_text(chance) == text
    assert at_most(chance) == (text if text.startswith("below") else f"at most {text}")


def test_only_a_share_of_one_is_all_of_them() -> None:
    assert [share_text(share) for share in (0.0, 0.98569, 0.9999, 1.0)] == ["0.0 %", "98.6 %", "99.9 %", "100 %"]


@pytest.mark.parametrize(
    ("ours", "allowed", "lower", "words"),
    [
        (1.0, 1.0, False, "as loose as theory allows"),
        (1.000001, 1.0, False, "looser by 1e-6"),
        (0.999999999999, 1.0, True, "looser by 1e-12"),
        (0.883, 0.8, True, "tighter by a factor of 1.104"),
        (2.0, 1.0, False, "looser by a factor of 2"),
        (1e-9, 0.0, False, "looser by 1e-9"),
        (-5e-11, 0.0, True, "looser by 5e-11"),
    ],
)
def test_thresholds_that_are_almost_equal_are_compared_by_their_difference(
    ours: float, allowed: float, lower: bool, words: str
) -> None:
    assert looseness(ours, allowed, lower) == words
