"""Reports reach the terminal and the files in whatever encoding and however narrow it is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from dlnrepro.archive.record import ClaimRecord, Report, from_json
from dlnrepro.report.delivery import deliver

Make = Callable[..., ClaimRecord]
With = Callable[..., Report]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("as_json", [True, False])
def test_standard_output_of_any_encoding_takes_a_report(
    record_of: Make, report_with: With, monkeypatch: pytest.MonkeyPatch, encoding: str, as_json: bool
) -> None:
    report = report_with(record_of(("says: the value is one", 'says: "the values of René ≤ 数"')))
    stream = BytesIO()
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(stream, encoding=encoding))
    assert deliver(report, Path("outputs"), [], as_json=as_json, verbose=True, quiet=False) == []
    sys.stdout.flush()
    if as_json:
        assert from_json(stream.getvalue()).claims[0].criteria[0].says == "the values of René ≤ 数"
    else:
        assert "toy-claim" in stream.getvalue().decode(encoding)


def test_the_path_of_the_report_is_one_line(
    record_of: Make, report_with: With, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path("outputs") / "reports" / ("long-name-" * 12)
    deliver(report_with(record_of()), folder, [], as_json=False, verbose=False, quiet=True)
    assert capsys.readouterr().out.splitlines()[-1] == f"{folder}/report.json"
