"""Expressions of words with `and`, `or`, `not` and brackets, with the precedence of Python.

An expression is a function. Its argument says whether a word matches; its value says whether the whole expression
matches. Several words in double quotes count as one word.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from dlnrepro.errors import UsageError, shortened
from dlnrepro.visible import on_one_line

DEEPEST = 50
"""The deepest nesting of brackets and `not`; nobody writes a deeper expression."""

_TOKEN = re.compile(r'\s*(\(|\)|"[^"]*"|[^\s()"]+|")')
_TOKEN_OR_COMMA = re.compile(r'\s*(\(|\)|,|"[^"]*"|[^\s(),"]+|")')

Matches = Callable[[str], bool]
Expression = Callable[[Matches], bool]


def expression(option: str, text: str, *, commas: bool) -> Expression:
    """The expression that a text describes.

    Args:
        option: the option of the text, such as `-k`, for messages.
        text: the expression, such as `align and not margin`.
        commas: whether a comma means `or`; otherwise a comma is part of a word.

    Raises:
        UsageError: the text is not an expression.
    """
    parser = _Parser(option, text, commas)
    whole = parser.either()
    parser.finish()
    return whole


class _Parser:
    """The rest of a text, read from left to right: one method for each level of the grammar.

    Attributes:
        tokens: the words, brackets and commas of the text.
        position: the index of the next token.
        depth: the number of brackets and `not` that are open.
    """

    def __init__(self, option: str, text: str, commas: bool) -> None:
        self.option = option
        self.shown = _quoted(text)
        self.tokens: list[str] = (_TOKEN_OR_COMMA if commas else _TOKEN).findall(text)
        self.alternatives = {"or", ","} if commas else {"or"}
        self.position = self.depth = 0
        if not self.tokens:
            raise UsageError(f"{option}: expected words, 'and', 'or', 'not' and brackets, found nothing")

    def either(self) -> Expression:
        """Terms with `or` between them."""
        terms = [self.both()]
        while self._peek() in self.alternatives:
            self._take()
            terms.append(self.both())
        return lambda matches: any(term(matches) for term in terms)

    def both(self) -> Expression:
        """Factors with `and` between them."""
        factors = [self.single()]
        while self._peek() == "and":
            self._take()
            factors.append(self.single())
        return lambda matches: all(factor(matches) for factor in factors)

    def single(self) -> Expression:
        """A word, a factor after `not`, or an expression in brackets."""
        token = self._take()
        if token == "not":
            return self._negation()
        if token == "(":
            return self._brackets()
        if token in {")", "and", *self.alternatives} or not token.strip('"').strip():
            raise UsageError(f"{self.option}: expected a word, found '{token}' in {self.shown}")
        word = token.strip('"')
        return lambda matches: matches(word)

    def finish(self) -> None:
        """Refuse the rest of the text."""
        if (rest := self._peek()) is not None:
            raise UsageError(f"{self.option}: expected 'and' or 'or' before {_quoted(rest)} in {self.shown}")

    def _negation(self) -> Expression:
        """The expression after `not`."""
        self._open()
        inner = self.single()
        self.depth -= 1
        return lambda matches: not inner(matches)

    def _brackets(self) -> Expression:
        """The expression after an opening bracket, with its closing bracket."""
        self._open()
        inner = self.either()
        self.depth -= 1
        if (closing := self._peek()) != ")":
            found = "nothing" if closing is None else _quoted(closing)
            raise UsageError(f"{self.option}: expected ')' in {self.shown}, found {found}")
        self._take()
        return inner

    def _open(self) -> None:
        """Count a `not` or a bracket, and refuse an expression that is nested too deeply."""
        self.depth += 1
        if self.depth > DEEPEST:
            limit = f"at most {DEEPEST} brackets and 'not' inside one another"
            raise UsageError(f"{self.option}: expected {limit}, found more in {self.shown}")

    def _peek(self) -> str | None:
        """The next token, or None at the end."""
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def _take(self) -> str:
        """The next token, which is used up."""
        if (token := self._peek()) is None:
            raise UsageError(f"{self.option}: expected a word at the end of {self.shown}, found nothing")
        self.position += 1
        return token


def _quoted(text: str) -> str:
    """A text for a message, on one line and not too long."""
    return f"'{on_one_line(shortened(text))}'"
