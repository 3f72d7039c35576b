"""Mathematics as a reader is used to see it, on a page, in a picture and in a terminal; and numbers and intervals.

`mathematics` reads the notation. Three functions write what it found: `in_html`, `in_picture` and `in_terminal`.
"""

from __future__ import annotations

import re
from textwrap import wrap

from markupsafe import Markup, escape

from dlnrepro.report.words.mathematics import parse
from dlnrepro.report.words.notation import Code, Part, Root, Script, Sign, Words
from dlnrepro.settings.numerals import numeral
from dlnrepro.visible import in_a_line, visible

SUBSCRIPT, SUPERSCRIPT, END = "\ufdd0", "\ufdd1", "\ufdd2"
"""Marks around what stands lower or higher in a picture. No text holds them: `visible` takes them for unseen."""

_LOWERED = str.maketrans("0123456789+-−iklmnprstx", "₀₁₂₃₄₅₆₇₈₉₊₋₋ᵢₖₗₘₙₚᵣₛₜₓ")
_RAISED = str.maketrans("0123456789+-−TLNn", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ᵀᴸᴺⁿ")
_NUMBER = re.compile(r"\d[\d.]*(?:e-\d+(?: %)?| %)")
"""A number that a browser would break after its hyphen or before its percent sign."""
_AS_IN_ASCII = {"-", "~", "...", "..", "'", "grad "}
"""Notation that a terminal shows as it is written, since it reads as well there."""


def in_html(text: str) -> Markup:
    """The text in one line of HTML: with Greek letters, exponents and subscripts, and with all else escaped."""
    return Markup("").join(map(_html, parse(in_a_line(text))))


def in_picture(text: str) -> str:
    """The text in one line for a picture, in which marks enclose what stands lower or higher.

    `dlnrepro.report.drawing.svg` makes the marks elements. A line breaks neither in an exponent nor in a subscript.
    """
    return _pictures(parse(in_a_line(text)))


def in_terminal(text: str, encoding: str = "utf-8") -> str:
    """The visible text for a terminal: exponents and subscripts only where there are signs for all of them.

    Blanks stay as they are, because the terminal page lays them out. Where the encoding is not a form of Unicode, the
    notation stays as it is written.
    """
    return _terminals(parse(visible(text))) if is_unicode(encoding) else visible(text)


def is_unicode(encoding: str) -> bool:
    """Whether an encoding holds all signs."""
    return encoding.lower().replace("-", "").replace("_", "").startswith("utf")


def picture_lines(text: str, letters: int, name: str = "") -> list[str]:
    """The text for a picture in lines of a limited length, each of which ends what it begins.

    Args:
        text: the text.
        letters: the most that a line may have.
        name: the name of what the text explains, which stands before it as it is.
    """
    lines, opened = [], ""
    for line in wrap(f"{in_a_line(name)}: {in_picture(text)}" if name else in_picture(text), letters):
        whole = opened + line
        opened = _opened(whole)
        lines.append(whole + END * len(opened))
    return lines


def _opened(line: str) -> str:
    """The marks that a line begins and does not end."""
    opened = ""
    for letter in line:
        opened = opened + letter if letter in (SUBSCRIPT, SUPERSCRIPT) else opened[:-1] if letter == END else opened
    return opened


def _html(part: Part) -> Markup:
    """A part in HTML."""
    match part:
        case Words(source):
            return Markup(_NUMBER.sub(r'<span class="whole">\g<0></span>', str(escape(source))))
        case Code(source):
            return Markup("<code>{}</code>").format(source.strip("`"))
        case Sign(_, sign):
            return escape(sign)
        case Script(_, raised, inner, _):
            tag = Markup("<sup>{}</sup>" if raised else "<sub>{}</sub>")
            return tag.format(Markup("").join(map(_html, inner)))
        case Root(_, inner):
            return Markup("√{}" if _is_short(inner) else "√({})").format(Markup("").join(map(_html, inner)))


def _picture(part: Part) -> str:
    """A part in a picture."""
    match part:
        case Words(source):
            return source
        case Code(source):
            return source.strip("`")
        case Sign(_, sign):
            return sign
        case Script(_, raised, inner, _):
            # Blanks that do not break keep it in one line.
            return (SUPERSCRIPT if raised else SUBSCRIPT) + _pictures(inner).replace(" ", "\u00a0") + END
        case Root(_, inner):
            return f"√{_pictures(inner)}" if _is_short(inner) else f"√({_pictures(inner)})"


def _pictures(parts: tuple[Part, ...]) -> str:
    """Parts in a picture."""
    return "".join(map(_picture, parts))


def _terminal(part: Part) -> str:
    """A part in a terminal."""
    match part:
        case Words(source) | Code(source):
            return source
        case Sign(source, sign):
            return source if source in _AS_IN_ASCII else sign
        case Script(source, raised, inner, grouped):
            words = _terminals(inner)
            signs = _RAISED if raised else _LOWERED
            # A word in letters this small is hard to read, a single letter is not.
            if all(ord(letter) in signs for letter in words) and not re.search("[A-Za-z]{2}", words):
                return words.translate(signs)
            return f"{source[0]}({words})" if grouped else f"{source[0]}{words}"
        case Root(_, inner):
            return f"√{_terminals(inner)}" if _is_short(inner) else f"√({_terminals(inner)})"


def _terminals(parts: tuple[Part, ...]) -> str:
    """Parts in a terminal."""
    return "".join(map(_terminal, parts))


def _is_short(parts: tuple[Part, ...]) -> bool:
    """Whether the parts under a root are one number or one letter, which need no parentheses."""
    if not parts or not all(isinstance(part, Script) and not part.raised for part in parts[1:]):
        return False
    first = parts[0]
    return isinstance(first, Sign) or (
        isinstance(first, Words) and re.fullmatch(r"\d+(\.\d+)?|[A-Za-z]", first.source) is not None
    )


def power_of_ten(value: float) -> str:
    """A tick of a logarithmic axis, such as 10⁻⁸, or 0.01 to 100 as they are."""
    exponent = f"{value:e}".partition("e")[2]
    if not f"{value:.3e}".startswith("1.000") or -2 <= int(exponent) <= 2:
        return numeral(value, 6)
    return "10" + str(int(exponent)).translate(_RAISED)


def bound_words(text: str) -> str:
    """An interval as a claim states it, with signs for minus: ≤ 1e-8, −2 ± 0.02."""
    return re.sub(r"(?<![\w.])-(?=[\d.]|inf)", "−", text)


def shortened(text: str, letters: int) -> str:
    """The text, or as much of it as has room."""
    text = visible(text)
    return text if len(text) <= letters else text[: letters - 1] + "…"
