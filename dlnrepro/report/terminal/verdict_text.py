"""A verdict in its colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from dlnrepro.report.words.digest import signed

if TYPE_CHECKING:
    from dlnrepro.archive.record import ClaimRecord

STYLES = {"reproduced": "green", "not reproduced": "red", "inconclusive": "yellow", "error": "magenta"}


def verdict_text(record: ClaimRecord) -> Text:
    """The verdict with its sign, in its colour; an expected failure has the colour of a success."""
    style = "green" if record.as_expected else STYLES[record.verdict]
    return Text(signed(record), style=style)
