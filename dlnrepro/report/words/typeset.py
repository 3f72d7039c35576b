"""Mathematics in the words of a claim file and a runner, as a reader is used to see it: σ₁, η, ‖W‖⁻²."""

from __future__ import annotations

import re

from dlnrepro.settings.numerals import numeral
from dlnrepro.visible import in_a_line, visible

_GREEK = {
    "alpha": "α", "eta": "η", "gamma": "γ", "lambda": "λ", "rho": "ρ", "sigma": "σ", "theta": "θ",
}  # fmt: skip
_SIGN = {"||": "‖", "η x ": "η × ", " -> ": " → ", ">=": "≥", "<=": "≤", "+-": "±"}
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SUPERSCRIPTS = str.maketrans("0123456789-+()TLN", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺⁽⁾ᵀᴸᴺ")
_RAISED = r"\^(-?\d+(?!\d|[./]\d)|T\b|\((?:[0-9+-]|[LN])+\))"

_WORDS = re.compile(r"(?<![A-Za-z])(" + "|".join(_GREEK) + r")(?![A-Za-z])")
_SIGNS = re.compile("|".join(map(re.escape, _SIGN)))
_LOWERED = re.compile(r"(?<=[A-Za-zα-ω])_(\d+)(?![\d.])")


def typeset(text: str) -> str:
    """The text with Greek letters, and with numbers below and above the line where there are signs for them."""
    text = _WORDS.sub(lambda found: _GREEK[found[1]], in_a_line(text))
    text = _LOWERED.sub(lambda found: found[1].translate(_SUBSCRIPTS), text)
    text = re.sub(_RAISED, lambda found: found[1].strip("()").translate(_SUPERSCRIPTS), text)
    return _SIGNS.sub(lambda found: _SIGN[found[0]], text)


def power_of_ten(value: float) -> str:
    """A tick of a logarithmic axis, such as 10⁻⁸, or 0.01 to 100 as they are."""
    exponent = f"{value:e}".partition("e")[2]
    if not f"{value:.3e}".startswith("1.000") or -2 <= int(exponent) <= 2:
        return numeral(value, 6)
    return "10" + str(int(exponent)).translate(_SUPERSCRIPTS)


def bound_words(text: str) -> str:
    """An interval as a claim states it, with signs for minus: ≤ 1e-8, −2 ± 0.02."""
    return re.sub(r"(?<![\w.])-", "−", text)


def shortened(text: str, letters: int) -> str:
    """The text, or as much of it as has room."""
    text = visible(text)
    return text if len(text) <= letters else text[: letters - 1] + "…"
