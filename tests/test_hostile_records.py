"""A record from elsewhere, changed at any place, is shown or refused in one line: nothing else escapes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlnrepro.comparison import compare
from dlnrepro.errors import UsageError
from dlnrepro.record import judged_again
from dlnrepro.report.detail import record_page
from dlnrepro.report.differences import differences_page
from dlnrepro.report.html import to_html
from dlnrepro.report.junit import junit
from dlnrepro.report.markdown import markdown
from dlnrepro.report.paper import Paper
from dlnrepro.report.summary import summary
from dlnrepro.staleness import without_stale_numbers
from dlnrepro.store import read_report

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture
def text(command: Callable[..., Any], write_claim: Callable[..., Path], tmp_path: Path) -> str:
    """A real report."""
    command("run", write_claim(), "-q", "-o", tmp_path / "report.json")
    return (tmp_path / "report.json").read_text()


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value, as the keys that lead to it."""
    yield above
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*above, key))


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_changed_record_is_shown_or_refused(text: str, data: st.DataObject) -> None:
    changed = json.loads(text)
    *above, last = data.draw(st.sampled_from([place for place in places(changed) if place]))
    inner = changed
    for key in above:
        inner = inner[key]
    inner[last] = data.draw(VALUES)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "changed.json"
        path.write_text(json.dumps(changed))
        refused = None
        try:
            report = read_report(Path(folder), str(path))
        except UsageError as error:
            refused = str(error)
    if refused is not None:
        assert refused.startswith(str(path))
        assert "\n" not in refused
        return
    for judged in (judged_again(report), without_stale_numbers(report, allow_inconclusive=False)):
        paper = Paper()
        for record in judged.claims:
            record_page(paper, record)
        summary(paper, judged)
        differences_page(paper, compare(judged, report, 0.0, 0.0))
        assert paper.text()
        assert markdown(judged)
        assert junit(judged)
        assert to_html(judged)
