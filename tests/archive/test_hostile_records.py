"""A record from elsewhere, changed at any place, is shown or refused in one line: nothing else escapes."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dlnrepro.archive.record import Report
from dlnrepro.archive.report_store import read_report
from dlnrepro.errors import UsageError
from tests.showing import show

VALUES: dict[str, Any] = {
    "nothing": None,
    "true": True,
    "zero": 0,
    "minus one": -1,
    "half": 0.5,
    "a whole number beyond 64 bits": 2**70,
    "the largest number": 1.7e308,
    "no number": math.nan,
    "infinity": -math.inf,
    "no text": "",
    "a word": "word",
    "unseen characters": "\x1b[2J\u202e\x00\n",
    "an empty list": [],
    "an empty mapping": {},
    "a list of nothing": [None],
    "a list of lists": [[1.0], []],
    "a mapping": {"": 0, "near": {}},
}
STRIDE = 11
"""One place in so many is changed in a run of the tests, other places by each value."""

Place = tuple[Any, ...]


@pytest.fixture
def text(command: Callable[..., Any], write_claim: Callable[..., Path], tmp_path: Path) -> str:
    """A real report."""
    command("run", write_claim(), "-q", "-o", tmp_path / "report.json")
    return (tmp_path / "report.json").read_text()


def places(value: Any, above: Place = ()) -> Iterator[Place]:
    """Every place in a JSON value, as the keys that lead to it."""
    yield above
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*above, key))


def changed(report: Any, place: Place, value: Any) -> Any:
    """The report with another value at a place."""
    whole = copy.deepcopy(report)
    inner = whole
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return whole


def read(path: Path, report: Any) -> Report | None:
    """The report as the program reads it; None if it refuses it, in one line that begins with the path."""
    path.write_text(json.dumps(report))
    refused = None
    try:
        return read_report(path.parent, str(path))
    except UsageError as error:
        refused = str(error)
    assert refused.startswith(str(path))
    assert "\n" not in refused
    return None


# The changes are listed, not drawn: what a library of property tests draws goes by which modules are imported, so that
# a change that was tried in one order of the tests was not tried in another.
@pytest.mark.parametrize(("first", "value"), list(enumerate(VALUES.values())), ids=VALUES)
@pytest.mark.slow
def test_a_changed_record_is_shown_or_refused(text: str, tmp_path: Path, first: int, value: Any) -> None:
    report = json.loads(text)
    chosen = [place for place in places(report) if place][first % STRIDE :: STRIDE]
    shown = 0
    for place in chosen:
        if (found := read(tmp_path / "changed.json", changed(report, place, value))) is not None:
            show(found)
            shown += 1
    assert len(chosen) > 30
    assert shown < len(chosen)


@pytest.mark.slow
@pytest.mark.parametrize("part", ["positions", "median", "low", "high"])
@pytest.mark.parametrize("values", [[], [1.0], [None] * 10])
def test_a_line_of_a_figure_with_other_points_is_shown_or_refused(
    text: str, tmp_path: Path, part: str, values: list[float | None]
) -> None:
    place = ("claims", 0, "drawings", 0, "lines", 0, part)
    found = read(tmp_path / "changed.json", changed(json.loads(text), place, values))
    assert (found is None) == (len(values) != 10)
    if found is not None:
        show(found)
