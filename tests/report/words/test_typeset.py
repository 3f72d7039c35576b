"""Mathematics as a reader is used to see it, and words in between left alone."""

from __future__ import annotations

import pytest

from dlnrepro.report.words.typeset import bound_words, power_of_ten, shortened, typeset
from dlnrepro.report.words.words import size
from dlnrepro.settings.numerals import setting


@pytest.mark.parametrize(
    ("plain", "set_"),
    [
        ("sigma_1^(1-2/N) (sigma_1 - sigma_2)", "σ₁^(1-2/N) (σ₁ - σ₂)"),
        ("||W||^-2.", "‖W‖⁻²."),
        ("W_1^T W_1, eta x sharpness >= 2", "W₁ᵀ W₁, η × sharpness ≥ 2"),
        ("u^T Z v -> sigma_1", "uᵀ Z v → σ₁"),
        (
            "beta stays, and so do the theta-like words of theology",
            "beta stays, and so do the θ-like words of theology",
        ),
        ("2^(1/2), 1e-8, x_i, rank_one_gap, 2^0.5", "2^(1/2), 1e-8, x_i, rank_one_gap, 2^0.5"),
        ("two\n  lines", "two lines"),
    ],
)
def test_words_are_set(plain: str, set_: str) -> None:
    assert typeset(plain) == set_


@pytest.mark.parametrize(
    ("value", "text"), [(1e-8, "10⁻⁸"), (1e12, "10¹²"), (0.01, "0.01"), (100.0, "100"), (1.0, "1"), (2e-5, "2e-5")]
)
def test_ticks_are_powers_of_ten(value: float, text: str) -> None:
    assert power_of_ten(value) == text


def test_intervals_have_signs_for_minus() -> None:
    assert bound_words("≥ -0.02 and ≤ 1e-8") == "≥ −0.02 and ≤ 1e-8"
    assert bound_words("> -1 and < 1e-8") == "> −1 and < 1e-8"


def test_what_cannot_be_seen_is_marked_and_what_has_no_room_is_cut() -> None:
    assert shortened("a\x07b\u202ec\nd", 7) == "a\ufffdb\ufffdc\nd"
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abcdefg", 6) == "abcde…"


def test_settings_and_sizes_are_short() -> None:
    assert [setting(value) for value in (True, 1e10, 0.001, [1.0, 0.5], "flow", 3)] == [
        "true", "1e10", "0.001", "[1, 0.5]", "flow", "3",
    ]  # fmt: skip
    assert [size(count) for count in (284_000_000, 2_500_000_000)] == ["284 MB", "2.5 GB"]
