"""The page that a terminal report is laid out on: as wide as the terminal, in characters that its encoding has.

The layout depends on the arguments alone, not on the environment: rich by itself asks COLUMNS, FORCE_COLOR, TERM and
whether it runs in a notebook. All text passes through `dlnrepro.visible`, since it may come from anywhere.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from io import StringIO

import click
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from dlnrepro.report.words.typeset import in_terminal, is_unicode
from dlnrepro.visible import harmless, visible

NARROWEST = 20
"""Columns below which no layout is tried; the terminal breaks the lines then."""

NARROW = 40
"""Columns below which indents are halved."""

LEAST_ROOM = 14
"""Columns that a folding column of a table must have; with less, each row becomes a few lines."""

_ASCII = str.maketrans(
    {
        "✓": "+", "✗": "x", "≤": "<=", "≥": ">=", "±": "+-", "·": "-", "–": "-", "…": "~", "×": "x", "η": "eta",
        "▁": "_", "▂": ".", "▃": "-", "▄": "~", "▅": "=", "▆": "+", "▇": "*", "█": "#", "→": "->", "²": "^2",
    }
)  # fmt: skip


class TerminalPage:
    """Collects laid-out text and delivers it at once.

    Args:
        width: columns.
        colour: whether to use colour.
        encoding: of the stream that the text is for; what is not UTF gets ASCII stand-ins.
    """

    def __init__(self, width: int = 80, colour: bool = False, encoding: str = "utf-8") -> None:
        self._encoding = encoding
        self._console = Console(
            file=StringIO(),
            width=max(width, NARROWEST),
            height=25,
            force_terminal=colour,
            force_jupyter=False,
            force_interactive=False,
            no_color=not colour,
            color_system="standard" if colour else None,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
            _environ={},
        )

    @classmethod
    def of_terminal(cls) -> TerminalPage:
        """The page for standard output as it is now: 80 columns and no colour where it is not a terminal."""
        terminal = sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if terminal else 80
        return cls(min(width, 120), terminal and not plain_terminal(), sys.stdout.encoding or "ascii")

    @property
    def width(self) -> int:
        """The number of columns."""
        return self._console.width

    def typeset(self, text: str) -> str:
        """The words of a claim or a runner with signs for their notation, as far as the encoding has them."""
        return in_terminal(text, self._encoding)

    def line(self, *parts: str | tuple[str, str], indent: int = 0, hang: int = 0) -> None:
        """A line of parts, each plain or with its style; a long one wraps, `hang` columns further in."""
        styled = [(part, "") if isinstance(part, str) else part for part in parts]
        text = Text.assemble(*((_line(words), style) for words, style in styled))
        indent, hang = self._indent(indent), self._indent(hang)
        for number, part in enumerate(wrapped(text, self.width - indent - hang)):
            self._put(part, indent + (hang if number else 0))

    def verbatim(self, text: str, indent: int = 0, style: str = "") -> None:
        """A line that must not be broken, such as a command or a path to copy."""
        self._put(Text(_line(text), style=style), self._indent(indent))

    def table(
        self,
        rows: Sequence[Sequence[str | Text]],
        right: tuple[int, ...] = (),
        indent: int = 0,
        folds: int = -1,
        spaces: int = 1,
        heads: Sequence[str] = (),
        below: Sequence[str] = (),
    ) -> None:
        """Rows in columns, `spaces` apart; columns in `right` are flush right, column `folds` may wrap.

        A head may have several lines. A text of `below` follows its row, two columns further in; it may have several
        lines too.

        Where the folding column has no room, each row becomes its first cell and, below it, the other cells, each
        after the head of its column.
        """
        indent = self._indent(indent)
        cells = [[_cell(cell) for cell in row] for row in rows]
        titles = [_cell(Text(head, style="dim")) for head in heads]
        shown = [titles, *cells] if titles else cells
        widths = _widths(shown)
        if folds >= 0:
            room = self.width - indent - sum(widths) + widths[folds] - spaces * (len(widths) - 1)
            if widths[folds] > room and room < LEAST_ROOM:
                self._stacked(cells, heads, indent, below)
                return
            widths[folds] = min(widths[folds], room)
        for number, row in enumerate(shown, -1 if titles else 0):
            self._row(row, widths, right, indent, spaces)
            self._below(below[number] if below and number >= 0 else "", indent)

    def text(self) -> str:
        """All that was laid out, without trailing blanks, in words the encoding knows."""
        file = self._console.file
        assert isinstance(file, StringIO)
        text = "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"
        if not is_unicode(self._encoding):
            text = text.translate(_ASCII).encode(self._encoding, "replace").decode(self._encoding)
        return harmless(text)

    def deliver(self) -> None:
        """Write all that was laid out to standard output."""
        click.echo(self.text(), nl=False)

    def _indent(self, columns: int) -> int:
        """An indent, half as deep on a narrow page."""
        return columns if self.width >= NARROW else columns // 2

    def _put(self, text: Text, indent: int) -> None:
        """Put down one line as it is."""
        if not text.spans and not text.style:
            # Most lines have no style, and rich takes half of the time of a list to find that out for each of them.
            self._console.file.write(f"{' ' * indent}{text.plain}\n")
            return
        self._console.print(Text(" " * indent) + text, soft_wrap=True)

    def _row(self, row: Sequence[Text], widths: Sequence[int], right: Iterable[int], indent: int, spaces: int) -> None:
        """Put down one row, in as many lines as its longest cell needs."""
        parts = [wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
        for number in range(max(map(len, parts))):
            line = Text()
            for column, (found, width) in enumerate(zip(parts, widths, strict=True)):
                cell = found[number] if number < len(found) else Text()
                blanks = Text(" " * max(0, width - cell.cell_len))
                line += blanks + cell if column in right else cell + blanks
                line += Text(" " * spaces)
            self._put(line, indent)

    def _below(self, text: str, indent: int) -> None:
        """Put down the text that follows a row, if there is one; a line that wraps goes on two columns further in."""
        for line in text.split("\n") if text else ():
            for number, part in enumerate(wrapped(Text(visible(line), style="dim"), self.width - indent - 4)):
                self._put(part, indent + (4 if number else 2))

    def _stacked(self, rows: Sequence[Sequence[Text]], heads: Sequence[str], indent: int, below: Sequence[str]) -> None:
        """Put down each row as a few lines: its first cell, then the other cells after their heads."""
        names = [" ".join(head.split()) for head in heads] or [""] * len(rows[0])
        for place, row in enumerate(rows):
            others = Text(", ").join(
                Text.assemble((f"{_line(name)} " if name else "", "dim"), Text(cell.plain.strip(), style=cell.style))
                for name, cell in zip(names[1:], row[1:], strict=True)
                if cell.plain.strip()
            )
            for text, inner in ((row[0], indent), (others, indent + 2)):
                for part in wrapped(text, self.width - inner) if text.plain else ():
                    self._put(part, inner)
            self._below(below[place] if below else "", indent)


def plain_terminal() -> bool:
    """Whether the terminal wants text alone: no colour, and no line that is drawn again."""
    return os.environ.get("TERM") in {"dumb", "unknown"} or bool(os.environ.get("NO_COLOR"))


def wrapped(text: Text, width: int) -> list[Text]:
    """The lines of a text in a number of columns.

    Lines break between words; a word that is longer than a line breaks after a hyphen, an underscore or a stop if it
    can, and between letters if it cannot.
    """
    width = max(width, 1)
    lines = []
    for paragraph in text.split("\n", allow_blank=True):
        breaks, column = [], 0
        for found in re.finditer(r"\s*\S+\s*", paragraph.plain):
            for start, piece in _pieces(found[0], width):
                if column and column + cell_len(piece.rstrip()) > width:
                    breaks.append(found.start() + start)
                    column = 0
                column += cell_len(piece)
        parts = list(paragraph.divide(breaks))
        for part in parts:
            part.rstrip()
        lines += parts
    return lines


def _pieces(word: str, width: int) -> list[tuple[int, str]]:
    """A word in the pieces that it may be broken into, each with its place; one piece if it fits in a line."""
    if cell_len(word.rstrip()) <= width:
        return [(0, word)]
    found: list[tuple[int, str]] = []
    for part in re.finditer(r"[^-_./,=]*[-_./,=]*\s*", word):
        place = part.start()
        for letter in part[0] if cell_len(part[0].rstrip()) > width else [part[0]]:
            found += [(place, letter)] if letter else []
            place += len(letter)
    return found


def _widths(rows: Sequence[Sequence[Text]]) -> list[int]:
    """How wide the columns of some rows are."""
    return [
        max((cell_len(line) for cell in column for line in cell.plain.split("\n")), default=0)
        for column in zip(*rows, strict=True)
    ]


def _line(text: str) -> str:
    """Text that stays in its line."""
    return visible(text).replace("\n", " ")


def _cell(cell: str | Text) -> Text:
    """A cell of a table as it may be shown; a text that is laid out already keeps its lines."""
    if isinstance(cell, str):
        return Text(_line(cell))
    plain = visible(cell.plain)
    return cell if plain == cell.plain else Text(plain, style=cell.style)
