"""A sweep as a table for other programs: CSV with a line for each point, or JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

from dlnrepro.report.sweep.swept import Swept
from dlnrepro.session.sweeps.points import Point
from dlnrepro.settings.numerals import setting
from dlnrepro.visible import seen_in_json, storable


def as_csv(swept: Swept) -> bytes:
    """A line for each point: the parameters, the verdict, the seconds, and the numbers of each criterion.

    For a criterion `x` these are `x:mark` (pass, fail or undecided), `x:worst`, and `x:ARM:median` for each arm.
    """
    rows = [_row(swept, point) for point in swept.points]
    names = list(dict.fromkeys(name for row in rows for name in row))
    file = io.StringIO()
    writer = csv.DictWriter(file, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode("utf-8", "backslashreplace")


def _row(swept: Swept, point: Point) -> dict[str, str]:
    row = {axis.key: setting(value) for axis, value in zip(swept.axes, point.values, strict=True)}
    row["verdict"] = point.verdict
    row["because"] = storable(point.refused if point.record is None else point.record.because)
    if point.record is None:
        return row
    row["seconds"] = repr(point.record.seconds)
    for test in (*point.record.assumptions, *point.record.criteria):
        row[f"{test.id}:mark"] = test.mark
        row[f"{test.id}:worst"] = "" if test.worst is None else repr(test.worst)
        for check in (*test.holds_in, *test.fails_in):
            row[f"{test.id}:{check.arm}:median"] = "" if check.median is None else repr(check.median)
    return row


def as_json(swept: Swept) -> bytes:
    """All of a sweep but the numbers of single runs, which the report of the runs has."""
    text = json.dumps(as_mapping(swept), indent=1, ensure_ascii=False, allow_nan=False)
    return seen_in_json(text).encode() + b"\n"


def as_mapping(swept: Swept) -> dict[str, Any]:
    """The content of the JSON file."""
    return {
        "schema": 1,
        "claim": swept.claim,
        "axes": [{"key": axis.key, "values": swept.values(place)} for place, axis in enumerate(swept.axes)],
        "own": list(swept.own),
        "points": [_fields(point) for point in swept.points],
        "changes": [
            {
                "before": change.before,
                "after": change.after,
                "verdicts": list(change.verdicts),
                "middle": change.middle,
                "half_width": change.half_width,
            }
            for change in swept.changes
        ],
        "theory": {
            "formula": swept.theory,
            "values": [value if math.isfinite(value) else None for value in swept.expected],
        },
    }


def _fields(point: Point) -> dict[str, Any]:
    fields: dict[str, Any] = {"values": list(point.values), "verdict": point.verdict}
    if point.record is None:
        return fields | {"because": storable(point.refused)}
    tests = (*point.record.assumptions, *point.record.criteria)
    return fields | {
        "because": point.record.because,
        "seconds": point.record.seconds,
        "command": point.record.command,
        "criteria": {
            test.id: {
                "mark": test.mark,
                "worst": test.worst,
                "medians": {check.arm: check.median for check in (*test.holds_in, *test.fails_in)},
            }
            for test in tests
        },
    }
