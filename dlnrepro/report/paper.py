"""The paper a terminal report is laid out on: as wide as the terminal, in words its encoding knows."""

from __future__ import annotations

import shutil
import sys
from io import StringIO

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

NARROWEST = 60

_ASCII = str.maketrans(
    {
        "✓": "+", "✗": "x", "≤": "<=", "≥": ">=", "±": "+-", "·": "-", "–": "-", "…": "~", "×": "x", "η": "eta",
        "▁": "_", "▂": ".", "▃": "-", "▄": "~", "▅": "=", "▆": "+", "▇": "*", "█": "#", "→": "->", "²": "^2",
    }
)  # fmt: skip


class Paper:
    """Collects laid-out text and delivers it at once.

    Args:
        width: columns.
        colour: whether to use colour.
        encoding: of whoever reads it; what is not UTF gets ASCII stand-ins.
    """

    def __init__(self, width: int = 80, colour: bool = False, encoding: str = "utf-8") -> None:
        self._encoding = encoding
        self._console = Console(
            file=StringIO(),
            width=max(width, NARROWEST),
            force_terminal=colour,
            no_color=not colour,
            color_system="standard" if colour else None,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
        )

    @classmethod
    def of_terminal(cls) -> Paper:
        """The paper for standard output as it is now: 80 columns and no colour where it is no terminal."""
        terminal = sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if terminal else 80
        return cls(min(width, 120), terminal and "NO_COLOR" not in _environment(), sys.stdout.encoding or "ascii")

    @property
    def width(self) -> int:
        """Columns at hand."""
        return self._console.width

    def line(self, *parts: str | tuple[str, str], indent: int = 0, hang: int = 0) -> None:
        """A line of parts, each plain or with its style; a long one wraps, `hang` columns further in."""
        text = Text.assemble(*parts)
        if not text.plain:
            self._console.print()
            return
        lines = text.wrap(self._console, self.width - indent - hang)
        for number, part in enumerate(lines):
            self._console.print(Padding(part, (0, 0, 0, indent + (hang if number else 0)), expand=False))

    def verbatim(self, text: str, indent: int = 0) -> None:
        """A line that must not be broken, such as a command to copy."""
        self._console.print(" " * indent + text, soft_wrap=True)

    def table(
        self,
        rows: list[list[str | Text]],
        right: tuple[int, ...] = (),
        indent: int = 0,
        folds: int = -1,
        spaces: int = 1,
    ) -> None:
        """Rows in columns, `spaces` apart; columns in `right` are flush right, column `folds` may wrap."""
        grid = Table(box=None, show_header=False, padding=(0, spaces, 0, 0), pad_edge=False)
        for column in range(len(rows[0])):
            grid.add_column(
                justify="right" if column in right else "left",
                no_wrap=column != folds,
                overflow="fold" if column == folds else "ellipsis",
            )
        for row in rows:
            grid.add_row(*row)
        self._console.print(Padding(grid, (0, 0, 0, indent), expand=False))

    def text(self) -> str:
        """All that was laid out, without trailing blanks, in words the encoding knows."""
        file = self._console.file
        assert isinstance(file, StringIO)
        text = "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"
        if self._encoding.lower().replace("-", "").startswith("utf"):
            return text
        return text.translate(_ASCII).encode(self._encoding, "replace").decode(self._encoding)

    def deliver(self) -> None:
        """Write all that was laid out to standard output."""
        click.echo(self.text(), nl=False)


def _environment() -> dict[str, str]:
    """The environment, looked up late so that a test can change it."""
    import os

    return dict(os.environ)
