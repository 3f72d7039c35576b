"""Work that takes long is named, work that takes a moment is not."""

from __future__ import annotations

import threading
import time

import pytest

from dlnrepro.report.terminal import waiting as module
from dlnrepro.report.terminal.waiting import waiting


@pytest.mark.slow
@pytest.mark.parametrize(
    ("patience", "quiet", "said"), [(0.01, False, "reading\n"), (60.0, False, ""), (0.01, True, "")]
)
def test_what_takes_long_is_said_once(
    patience: float, quiet: bool, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "PATIENCE", patience)
    before = threading.active_count()
    with waiting("reading", quiet):
        time.sleep(0.2)
    assert capsys.readouterr().err == said
    assert threading.active_count() == before
