"""The parts that a text with mathematics consists of, and the tokens that its notation is read from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from string import ascii_letters
from typing import NamedTuple, TypeAlias
from unicodedata import normalize

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eps": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "omicron": "ο", "pi": "π",
    "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ",
    "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
"""Greek letters by their names. The other Greek capitals look like Latin ones."""

ACCENTS = {
    f"{letter}{name}": normalize("NFC", letter + accent)
    for name, accent in {"bar": "\u0304", "hat": "\u0302", "tilde": "\u0303"}.items()
    for letter in ascii_letters
    if f"{letter}{name}" not in {"chat", "Chat", "That", "that", "What", "what"}
}
"""Letters with an accent by their names: `ubar` is ū. English words stay words."""

SIGNS = {
    "||": "‖", "<=": "≤", ">=": "≥", "!=": "≠", "+-": "±", "->": "→", "<-": "←", "-": "−", "~": "∼", "x": "×",
    "...": "…", "..": "…", "'": "′", "<": "⟨", ">": "⟩", "sum": "∑", "prod": "∏", "int": "∫", "grad ": "∇",
}  # fmt: skip
"""The signs that stand for a piece of notation, each where `mathematics` finds it to be notation."""


@dataclass(frozen=True)
class Words:
    """Text that is shown as it is written."""

    source: str


@dataclass(frozen=True)
class Code:
    """A name in backticks."""

    source: str


@dataclass(frozen=True)
class Sign:
    """A sign or a letter that ASCII lacks, such as ≤ for `<=` or σ for `sigma`."""

    source: str
    sign: str


@dataclass(frozen=True)
class Script:
    """An exponent or a subscript.

    Attributes:
        source: all of it, from the mark to the closing bracket.
        raised: whether it is an exponent.
        inner: its parts, without the mark and without the brackets around all of it.
        grouped: whether there are brackets around all of it.
    """

    source: str
    raised: bool
    inner: tuple[Part, ...]
    grouped: bool


@dataclass(frozen=True)
class Root:
    """A square root; its parts are those inside the parentheses."""

    source: str
    inner: tuple[Part, ...]


Part: TypeAlias = Words | Code | Sign | Script | Root


class Token(NamedTuple):
    """A token: its kind and its text.

    The kind is `code` (in backticks), `kept` (an address, the dotted name of a module, or an id with hyphens), `word`,
    `letter`, `greek` (the name of a letter), `number`, `blank`, `mark` (of an exponent or a subscript), `sign` or
    `other`.
    """

    kind: str
    text: str


_PATTERN = re.compile(
    r"""
    (?P<code>`[^`]*`)
  | (?P<kept>[a-z]{1,9}://\S+ | [^\W\d_]\w{0,80}(?:\.[^\W\d_]\w{1,80})+ | [^\W\d_][^\W_]*(?:-[^\W_]+){2,})
  | (?P<word>[^\W\d_][^\W_]*)
  | (?P<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?)
  | (?P<blank>[ ]+)
  | (?P<mark>[\^_])
  | (?P<sign>\|+ | (?<![<>=!-])[<>!]=(?![=>]) | \+-(?![-+]) | (?<![-<])-> | <-(?=[ ]) | \.{2,})
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


def tokens(text: str) -> list[Token]:
    """The tokens of a text, which lose nothing of it."""
    return [_token(found.lastgroup or "other", found[0]) for found in _PATTERN.finditer(text)]


def _token(kind: str, text: str) -> Token:
    """A token, in which a word may turn out to be a letter or the name of one."""
    if kind == "word" and text in GREEK:
        return Token("greek", text)
    return Token("letter" if kind == "word" and len(text) == 1 and text.isascii() else kind, text)


def closing_brackets(given: list[Token]) -> dict[int, int]:
    """Where each parenthesis or brace that has a partner is closed."""
    found: dict[int, int] = {}
    open_ones: list[int] = []
    for index, token in enumerate(given):
        if token.text in ("(", "{"):
            open_ones.append(index)
        elif token.text in (")", "}"):
            if open_ones and given[open_ones[-1]].text + token.text in ("()", "{}"):
                found[open_ones.pop()] = index
            else:
                open_ones.clear()
    return found
