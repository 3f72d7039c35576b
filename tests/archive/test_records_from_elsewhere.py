"""A record from elsewhere, changed at any place, is shown or refused in one line: nothing else escapes."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlnrepro.archive.report_store import read_report
from dlnrepro.errors import UsageError
from dlnrepro.session.replay import recorded_cells
from tests.showing import show

HUGE = st.sampled_from([2**63, -(2**63) - 1, 10**30, 1e308, -1e308, 5e-324])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | HUGE | st.text(max_size=5),
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


@pytest.mark.slow
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
    how = data.draw(st.sampled_from(["another value", "another value", "empty", "gone", "twice"]))
    if how == "another value":
        inner[last] = data.draw(VALUES)
    elif how == "empty":
        inner[last] = type(inner[last])() if inner[last] is not None else []
    elif how == "gone":
        del inner[last]
    elif isinstance(inner, list):
        inner.append(inner[last])
    shown_or_refused(changed)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("outcomes", "near", "seeds"), [0, 1, 2, 2**63]),
        (("outcomes", "near", "seeds"), [0, 1, 2, -1]),
        (("outcomes", "near", "seeds"), [0, 1, 2, 2]),
        (("outcomes", "near", "seeds"), []),
        (("outcomes", "near"), None),
        (("outcomes", "near", "seconds"), math.inf),
        (("outcomes", "near", "seconds"), -1),
        (("seconds",), math.inf),
        (("seconds",), math.nan),
        (("outcomes", "elsewhere"), {"seeds": [0], "measures": {}}),
        (("cells", "elsewhere"), "0"),
        (("drawings", 0, "lines", 0, "low"), []),
        (("drawings", 0, "lines", 0, "high"), []),
    ],
)
def test_a_record_that_could_not_be_judged_drawn_or_run_again_is_refused(
    text: str, tmp_path: Path, command: Callable[..., Any], place: tuple[Any, ...], value: Any
) -> None:
    changed = json.loads(text)
    *above, last = ("claims", 0, *place)
    inner = changed
    for key in above:
        inner = inner[key]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(changed))
    for words in (["report"], ["replay"], ["diff", tmp_path / "report.json"]):
        code, out, err = command(*words, path, "-q")
        assert (code, out) == (2, "")
        assert err.startswith(f"{path}: expected a report, found an error in claims.0.{place[0]}")
        assert err.count("\n") == 1


def test_a_record_with_a_claim_twice_is_refused(text: str, tmp_path: Path, command: Callable[..., Any]) -> None:
    changed = json.loads(text)
    changed["claims"] *= 2
    path = tmp_path / "twice.json"
    path.write_text(json.dumps(changed))
    for words in (["report"], ["replay"], ["diff", tmp_path / "report.json"]):
        assert command(*words, path)[::2] == (
            2,
            f"{path}: expected each claim once per variation, found 'toy-claim' again\n",
        )


def test_numbers_without_keys_are_stale(text: str, tmp_path: Path, command: Callable[..., Any]) -> None:
    changed = json.loads(text)
    changed["claims"][0]["cells"] = {}
    path = tmp_path / "bare.json"
    path.write_text(json.dumps(changed))
    code, out, _ = command("report", path)
    assert code == 4
    assert "the record has no key for the numbers in near, far" in " ".join(out.split())


def shown_or_refused(changed: Any) -> None:
    """Insist that a record is refused in one line, or goes through every command and format."""
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
    show(report)
    with suppress(UsageError):
        recorded_cells(report)


@pytest.mark.slow
@pytest.mark.parametrize("code", [-1, 0, 1, 4, 128, 256, 10**9])
def test_an_interrupted_record_has_the_exit_code_of_a_signal(text: str, tmp_path: Path, code: int) -> None:
    changed = json.loads(text) | {"interrupted": True, "exit_code": code}
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(changed))
    with pytest.raises(UsageError, match=f"expected the exit code of a signal, as it was interrupted, found {code}$"):
        read_report(tmp_path, str(path))
    path.write_text(json.dumps(changed | {"exit_code": 143}))
    assert read_report(tmp_path, str(path)).exit_code == 143
