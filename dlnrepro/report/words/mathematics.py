"""Reads the notation of claims and runners: `sigma_1`, `W_(l+1)^T`, `s^(2-2/L)`, `||W||_F^2`, `<r>`, `sqrt(...)`.

The notation is plain ASCII in the middle of prose. Other text, such as `step_size`, `and/or`, the id
`max-margin-direction` or a name in backticks, stays as it is written. No text is refused, and none is lost: the
sources of the parts, one after another, are the text.

A subscript follows a letter, the name of a Greek letter, a closing bar or bracket, or a word such as `sum` or `max`.
An exponent follows a word, a number, a bar or a bracket. Each of them is a number, a name, or a group in parentheses
or braces.
"""

from __future__ import annotations

from collections.abc import Iterator

from dlnrepro.report.words.notation import (
    ACCENTS,
    GREEK,
    SIGNS,
    Code,
    Part,
    Root,
    Script,
    Sign,
    Token,
    Words,
    closing_brackets,
    tokens,
)

DEEPEST = 4
"""How deep exponents, subscripts and roots may lie in one another; what lies deeper stays as it is written."""

_NONE = Token("none", "")
_ATOMS = {"letter", "greek"}
_NAMES = {"letter", "greek", "word"}
_CAPITALS = set("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_CHANGES = {f"d{name}" for name in GREEK}
_OPENING = {"(", "[", "{", ",", "=", "~", "<=", ">=", "+-", "<", ">", "|"}
_CLOSING = {")", "]", "}", "|", "||", ">", "'", "*"}
_LARGE = {"sum", "prod", "int", "max", "min", "lim", "sup", "inf"}
_FUNCTIONS = {"log", "ln", "exp", "sqrt", "sin", "cos", "tan", "cot"}
_PROSE = {
    "a", "an", "and", "are", "as", "at", "by", "for", "from", "if", "in", "into", "is", "it", "of", "on", "or", "over",
    "so", "that", "then", "to", "under", "when", "where", "which", "with",
}  # fmt: skip
_ENDS = {"none", "blank"}
_AFTER_PRODUCT = set("|)]}.,;:^_/*'") | {"||"}
_SHORT = 4
"""Letters of the longest name below a Greek letter or a bar: `sigma_min` is notation, `theta_error` is a name."""
_LONGEST_PRODUCT = 24
"""Tokens between the angle brackets of an inner product."""


def parse(text: str) -> tuple[Part, ...]:
    """The parts of a text, whose characters can all be seen."""
    return tuple(_Reader(tokens(text), 0).parts())


class _Reader:
    """Reads tokens from left to right.

    Args:
        given: the tokens of a text, or of a group in it.
        depth: how many groups they lie in; 0 is prose.
    """

    def __init__(self, given: list[Token], depth: int) -> None:
        self._tokens = given
        self._depth = depth
        self._closing = closing_brackets(given)
        self._enclosed = _inside(self._closing)
        self._ends_of_products: set[int] = set()

    def parts(self) -> Iterator[Part]:
        """The parts; plain words that follow one another are one."""
        place, words = 0, ""
        while place < len(self._tokens):
            kind, text = self._tokens[place]
            part, after = self._part(place) if kind == "code" or text in _NOTATION else (None, place + 1)
            if part is None:
                words += text
            else:
                if words:
                    yield Words(words)
                yield part
                words = ""
            place = after
        if words:
            yield Words(words)

    def _at(self, place: int) -> Token:
        """The token at a place, and an empty one outside of the text."""
        return self._tokens[place] if 0 <= place < len(self._tokens) else _NONE

    def _source(self, start: int, end: int) -> str:
        """The text of some tokens."""
        return "".join(token.text for token in self._tokens[start:end])

    def _inner(self, start: int, end: int) -> tuple[Part, ...]:
        """The parts of a group."""
        return tuple(_Reader(self._tokens[start:end], self._depth + 1).parts())

    def _part(self, place: int) -> tuple[Part | None, int]:
        """The part that begins at a place, or None for plain words; and the place after it."""
        kind, text = self._at(place)
        if kind == "mark" and (end := self._end_of_script(place)):
            grouped = self._closing.get(place + 1) == end - 1
            inner = self._inner(place + 2, end - 1) if grouped else self._inner(place + 1, end)
            return Script(self._source(place, end), text == "^", inner, grouped), end
        if kind == "code":
            return Code(text), place + 1
        if text == "sqrt" and self._depth < DEEPEST and (closing := self._closing.get(place + 1)):
            return Root(self._source(place, closing + 1), self._inner(place + 2, closing)), closing + 1
        if text == "grad" and self._at(place + 1).text == " " and self._at(place + 2).text in _CAPITALS:
            return Sign("grad ", SIGNS["grad "]), place + 2
        if (sign := self._sign(place)) is not None:
            return Sign(text, sign), place + 1
        return None, place + 1

    def _sign(self, place: int) -> str | None:
        """The sign that a token stands for here, or None if it is a word."""
        kind, text = self._at(place)
        after = self._at(place + 1)
        if kind == "greek":
            return GREEK[text] if self._is_letter(place) else None
        if text in ACCENTS:
            return ACCENTS[text] if self._at(place - 1).text not in ("_", "-") else None
        if text in _CHANGES:
            return "d" + GREEK[text[1:]] if after.text in ("_", "/") else None
        rule = _RULES.get(text)
        return SIGNS[text] if rule is not None and rule(self, place) else None

    def _is_letter(self, place: int) -> bool:
        """Whether the name of a Greek letter stands alone, and is not part of a longer name."""
        before = self._at(place - 1).text
        if before in ("_", "\\") or (before == "-" and self._at(place - 2).kind == "word"):
            return False
        return self._at(place + 1).text != "_" or self._end_of_script(place + 1) > 0

    def _is_large(self, place: int) -> bool:
        """Whether a sum, a product or an integral has a subscript, or an integral a quantity after it."""
        if self._at(place + 1).text == "_":
            return self._end_of_script(place + 1) > 0
        after, second = self._at(place + 1), self._at(place + 2)
        quantity = second.kind in _ATOMS or second.text in ("||", "|", "(")
        return self._at(place).text == "int" and after.kind == "blank" and quantity and second.text != "a"

    def _is_times(self, place: int) -> bool:
        """Whether an x between two blanks stands between two quantities, one of which is more than a word."""
        if not self._is_between_blanks(place):
            return False
        left, right, last = self._at(place - 2), self._at(place + 2), self._at(place + 3)
        function = right.text in _FUNCTIONS and last.text in ("(", "^")
        if right.kind in ("number", "greek") or function or right.text in _CAPITALS:
            return left.text not in _PROSE and left.text not in (",", ";", ".", ":")
        subscript = self._at(place - 3).text == "_"
        quantity = left.kind in ("number", "greek") or left.text in _CLOSING
        follows = right.kind in _NAMES or right.text in ("(", "|", "||", "<")
        return quantity and not subscript and follows and right.text not in _PROSE

    def _is_minus(self, place: int) -> bool:
        """Whether a hyphen is a minus."""
        before, after = self._at(place - 1), self._at(place + 1)
        if "blank" in (before.kind, after.kind) and before.kind == after.kind:
            return True
        if before.kind in ("none", "blank") or before.text in _OPENING:
            return self._is_sign_of(place)
        if before.text == "-" or after.kind in ("none", "blank"):
            return False
        if self._depth:
            return before.kind != "word" or after.kind != "word"
        # Outside of parentheses k-2 may be the name of an arm, which has no capitals.
        over_depth = self._at(place + 2).text == "/" and self._at(place + 3).text in _CAPITALS
        quantity = place in self._enclosed or before.kind == "greek" or before.text in _CAPITALS or over_depth
        return quantity and self._is_difference(place)

    def _is_sign_of(self, place: int) -> bool:
        """Whether a hyphen with nothing, a blank or a bracket before it is the sign of a quantity, not of an option."""
        before, after, second = self._at(place - 1), self._at(place + 1), self._at(place + 2)
        if self._depth or after.kind in ("number", "greek") or after.text in ("(", "<", "|", "||"):
            return after.kind not in ("none", "blank")
        if after.text in ("ln", "log", "dln", "dlog", "max", "min"):
            return True
        if before.text == "(" and self._at(place - 2).kind in _NAMES:
            return after.kind in _NAMES
        if after.text == "d" and second.kind == "blank":
            return self._at(place + 3).text in ("ln", "log")
        said = self._at(place - 2).text if before.kind == "blank" else ""
        equal = said == "=" or (said == "is" and after.text in _CAPITALS)
        return after.kind == "letter" and (equal or second.kind == "mark" or second.text in ("'", "(", "/"))

    def _is_difference(self, place: int) -> bool:
        """Whether a hyphen stands between two quantities, and not in a range or a name."""
        before, after, second = self._at(place - 1), self._at(place + 1), self._at(place + 2)
        if second.text in ("-", "_", "."):
            return False
        if before.kind in _ATOMS or before.text in _CLOSING:
            return after.kind in {"number", *_ATOMS} or after.text == "("
        if before.kind != "number" or self._at(place - 2).text == "-":
            return False
        fraction = after.kind == "number" and second.text == "/" and self._at(place + 3).kind in _ATOMS
        return fraction or (after.kind in _ATOMS and after.text.islower() and second.text in (")", " "))

    def _is_prime(self, place: int) -> bool:
        """Whether an apostrophe is the prime of a letter or a function, and no end of a quotation."""
        before, after = self._at(place - 1), self._at(place + 1)
        letter = before.kind in _ATOMS and self._at(place - 2).text != '"'
        if not (letter or before.text == ")") or after.kind in {"number", "code", "kept", *_NAMES}:
            return False
        return not self._is_in_quotation(place)

    def _is_in_quotation(self, place: int) -> bool:
        """Whether the last apostrophe before a place opens a quotation, as that of 'depth L' does."""
        for earlier in range(place - 1, -1, -1):
            if self._at(earlier).text == "'":
                before, after = self._at(earlier - 1), self._at(earlier + 1)
                return (before.kind in _ENDS or before.text in _OPENING) and after.kind not in _ENDS
        return False

    def _is_bar(self, place: int) -> bool:
        """Whether two bars are those of a norm."""
        return not self._is_between_blanks(place)

    def _is_between_blanks(self, place: int) -> bool:
        """Whether there is a blank on both sides."""
        return self._at(place - 1).kind == "blank" == self._at(place + 1).kind

    def _is_ellipsis(self, place: int) -> bool:
        """Whether dots stand for a part that is left out, and are not part of a path."""
        return "/" not in (self._at(place - 1).text, self._at(place + 1).text)

    def _is_product(self, place: int) -> bool:
        """Whether an angle bracket opens an inner product or a mean, such as <u, v> and <r>; the end is remembered."""
        if self._at(place - 1).kind in ("number", *_NAMES) or self._at(place + 1).kind == "blank":
            return False
        for end in range(place + 2, min(place + _LONGEST_PRODUCT, len(self._tokens))):
            kind, text = self._at(end)
            if text == ">":
                after = self._at(end + 1)
                if self._at(end - 1).kind == "blank" or (after.kind not in _ENDS and after.text not in _AFTER_PRODUCT):
                    return False
                self._ends_of_products.add(end)
                return True
            if kind in ("word", "code", "kept") or text in ("<", ";", "="):
                return False
        return False

    def _is_end_of_product(self, place: int) -> bool:
        """Whether an angle bracket closes what another one opened."""
        return place in self._ends_of_products

    def _always(self, _place: int) -> bool:
        """What can be nothing but notation."""
        return True

    def _end_of_script(self, place: int) -> int:
        """The place after the exponent or the subscript that begins with a mark, or 0 if it is none."""
        if self._depth >= DEEPEST:
            return 0
        return self._end_of_exponent(place) if self._at(place).text == "^" else self._end_of_subscript(place)

    def _end_of_exponent(self, place: int) -> int:
        """The place after an exponent, or 0 if it is none."""
        base, start = self._at(place - 1), place + 1
        if base.kind not in {"number", *_NAMES} and base.text not in _CLOSING:
            return 0
        if self._at(start).text in ("*", "+"):
            return 0 if self._at(start + 1).kind in {"number", *_NAMES} else start + 1
        start += self._at(start).text == "-"
        if start in self._closing:
            return self._closing[start] + 1 if self._closing[start] > start + 1 else 0
        exponent, after, second = self._at(start), self._at(start + 1), self._at(start + 2)
        if exponent.kind not in {"number", *_NAMES} or after.kind in {"number", "mark", *_NAMES}:
            return 0
        # 2^1/2 may be meant as the root of 2.
        return 0 if after.text == "/" and exponent.kind == second.kind == "number" else start + 1

    def _end_of_subscript(self, place: int) -> int:
        """The place after a subscript, or 0 if it is none."""
        base, before, start = self._at(place - 1), self._at(place - 2), place + 1
        change = base.text in _CHANGES or (base.text[:1] == "d" and base.text[1:] in _CAPITALS)
        letter = base.kind == "letter" or base.text in ACCENTS or change
        if before.kind == "mark" or not (letter or base.kind == "greek" or base.text in _CLOSING | _LARGE):
            return 0
        if start in self._closing:
            return self._closing[start] + 1 if self._closing[start] > start + 1 else 0
        index, end = self._at(start), start + 1
        if index.text == "*" and letter:
            return end
        most = 99 if letter else 1 if base.text in _LARGE else _SHORT
        if not (index.text.isdecimal() or index.kind == "greek" or (index.kind in _NAMES and len(index.text) <= most)):
            return 0
        # A second index follows the comma at once: g_BP,l.
        while self._at(end).text == "," and self._is_index(end + 1):
            end += 2
        return 0 if self._at(end).text == "_" or self._at(end).kind in {"number", *_NAMES} else end

    def _is_index(self, place: int) -> bool:
        """Whether a second index stands here: a small letter or a number, and nothing that goes on."""
        kind, text = self._at(place)
        after = self._at(place + 1)
        single = text.isdecimal() or (kind == "letter" and text.islower())
        return single and after.kind not in {"number", "mark", *_NAMES}


def _inside(closing: dict[int, int]) -> set[int]:
    """The places between a bracket and its partner."""
    found: set[int] = set()
    for start, end in sorted(closing.items()):
        if start not in found:
            found.update(range(start + 1, end))
    return found


_RULES = {
    "-": _Reader._is_minus,
    "x": _Reader._is_times,
    "'": _Reader._is_prime,
    "||": _Reader._is_bar,
    "<": _Reader._is_product,
    ">": _Reader._is_end_of_product,
    "~": _Reader._is_between_blanks,
    "<-": _Reader._is_between_blanks,
    "..": _Reader._is_between_blanks,
    "...": _Reader._is_ellipsis,
    "sum": _Reader._is_large,
    "prod": _Reader._is_large,
    "int": _Reader._is_large,
    "<=": _Reader._always,
    ">=": _Reader._always,
    "!=": _Reader._always,
    "+-": _Reader._always,
    "->": _Reader._always,
}
_NOTATION = {"^", "_", "sqrt", "grad", *ACCENTS, *GREEK, *_CHANGES, *_RULES}
"""The tokens that may be notation; a name in backticks is, too."""
