"""Text from elsewhere in every format: no control character, no half character, no command of a log gets through."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlnrepro.archive.comparison import compare
from dlnrepro.archive.last_results import LastVerdict
from dlnrepro.archive.record import ClaimRecord, Report, from_json, to_json
from dlnrepro.claimfile.listed import as_listed
from dlnrepro.claimfile.schema import Claim
from dlnrepro.errors import Unjudged
from dlnrepro.report.drawing.figure_folder import write_figures
from dlnrepro.report.exchange.github import report_annotations
from dlnrepro.report.exchange.junit import junit
from dlnrepro.report.exchange.markdown import markdown
from dlnrepro.report.page.html import to_html
from dlnrepro.report.terminal.detail import claim_page, record_page
from dlnrepro.report.terminal.differences import differences_page
from dlnrepro.report.terminal.listing import claim_list
from dlnrepro.report.terminal.summary import summary
from dlnrepro.report.terminal.terminal_page import TerminalPage
from dlnrepro.visible import storable, visible

NASTY = (
    "::error::\x1b[2K\x9b1A\x00\x07\x7f\u202e\u2066\u200b\u2028\ufeff\ud800\udce9\U000e0041\r\n##[group]\n \u3000::x"
)
FREE = {"title", "because", "says", "why", "statement", "paper", "note", "where", "command", "path", "fault", "text"}
"""Fields of a claim or a record that may hold any text."""

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]


def filled(value: Any, words: str, key: str = "") -> Any:
    """The value with some words in every field that may hold any text."""
    if isinstance(value, str):
        return words if key in FREE else value
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{item.name: filled(getattr(value, item.name), words, item.name) for item in fields(value)}
        )
    if isinstance(value, dict):
        if key == "meanings":
            return dict.fromkeys(value, words)
        # A claim is read from text in UTF-8, which holds no half character.
        words = storable(words) if key == "claim" else words
        return {name: filled(inner, words, name) for name, inner in value.items()}
    return type(value)(filled(inner, words, key) for inner in value) if isinstance(value, list | tuple) else value


def hostile(record: ClaimRecord, report: Report, words: str) -> Report:
    """A report whose every text is hostile; the drawings are those of its claim."""
    record = filled(record, words)
    record = replace(record, stamps=[words])
    origin = {"command": [words], "processor": words, "versions": {words: words}, "commit": words, "started": words}
    return replace(report, claims=[record], provenance=origin, unjudged=[Unjudged(2, words, words)], interrupted=True)  # type: ignore[arg-type]


def formats(report: Report) -> Iterator[tuple[str, str]]:
    """The name and the text of every form in which a report may be read."""
    (record,) = report.claims
    for width in (20, 60, 120):
        page = TerminalPage(width)
        record_page(page, record)
        summary(page, report)
        differences_page(page, compare(report, replace(report, claims=[replace(record, stamps=[])]), 0.0, 0.0))
        claim, path = Claim.model_validate(record.claim), Path(record.path)
        last = LastVerdict("reproduced", (record.title,), True, 1.0)
        claim_page(page, claim, path, last, record.meanings)
        yield f"terminal {width}", page.text()
        yield f"list {width}", claim_list([as_listed(claim)], {claim.id: last}, TerminalPage(width))
    yield "json", to_json(report).decode()
    yield "html", to_html(report).decode()
    yield "markdown", markdown(report).decode()
    yield "junit", junit(report).decode()
    yield "annotations", "\n".join(report_annotations(report))
    with tempfile.TemporaryDirectory() as folder:
        yield from ((path.name, path.read_text(encoding="utf-8")) for path in write_figures(report, Path(folder)))


def check(report: Report) -> None:
    """Hold every format against what may stand in it."""
    for name, text in formats(report):
        assert visible(text) == text, name
        for line in text.splitlines():
            assert name in {"annotations", "json", "html", "junit"} or not line.lstrip().startswith("::"), name
            assert "##[" not in line or name in {"html", "junit", "markdown"} or name.endswith(".svg"), name
        if name == "annotations":
            assert all(line.startswith(("::error ", "::warning ")) for line in text.splitlines())
    ET.fromstring(junit(report))
    json.loads(to_json(report))
    # Half characters are text by then; all else is as it was.
    assert from_json(to_json(report)).claims[0].title == storable(report.claims[0].title)


@pytest.fixture
def inside_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """The surroundings of a GitHub job."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")


@pytest.mark.usefixtures("inside_a_job")
def test_a_report_of_hostile_texts_is_visible_in_every_format(
    record_of: Callable[..., ClaimRecord], report_with: Callable[..., Report]
) -> None:
    record = record_of(values={"near": [3.0] * 4, "far": [5.0] * 4}, params={"near": {"value": NASTY}, "far": {}})
    check(hostile(record, report_with(record), NASTY))


@pytest.mark.slow
@pytest.mark.usefixtures("inside_a_job")
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.text(st.characters(exclude_categories=()), min_size=1))
def test_any_text_is_visible_in_every_format(
    record_of: Callable[..., ClaimRecord], report_with: Callable[..., Report], words: str
) -> None:
    record = record_of()
    check(hostile(record, report_with(record), words))


TITLE = '"::error::\\e[2K\\x9b1A\\u202e\\u200b ##[group] \\u3000"'


@pytest.mark.slow
@pytest.mark.usefixtures("inside_a_job")
@pytest.mark.parametrize(
    "words",
    [
        ["run", "CLAIM"],
        ["run", "CLAIM", "-n"],
        ["run", "CLAIM", "--json", "-q"],
        ["run", "CLAIM", "-s", "behaviour=raises"],
        ["show", "CLAIM"],
        ["check", "CLAIM"],
        ["check", "CLAIM", "--format", "json"],
        ["check", "BAD"],
        ["check", "BAD", "--format", "json"],
        ["check", "BAD", "--format", "github"],
        ["run", "BAD"],
        ["report", "-v"],
        ["report", "-v", "--json"],
        ["diff", "latest", "latest"],
        ["diff", "latest", "latest", "--json"],
        ["replay"],
        ["report", "no\x1b[2K\u202e\udce9such"],
        ["run", "no\x1b[2K\u202e\udce9such.yaml"],
        ["run", "CLAIM", "-k", "\x1b(", "-q"],
        ["run", "CLAIM", "--zzz\x1b\udce9"],
    ],
    ids=" ".join,
)
def test_every_command_shows_visible_text_and_no_foreign_command_of_a_log(
    command: Command, write_claim: Write, words: list[str]
) -> None:
    claim = write_claim(
        ("title: The toy is near one", f"title: {TITLE}"),
        ("statement: A toy that measures one.", f"statement: {TITLE}"),
        ("says: the value is one", f"says: {TITLE}"),
    )
    bad = write_claim(("title: The toy is near one", f"title: {TITLE}\n{TITLE}: 1"), name="bad")
    if words[0] in {"report", "diff", "replay"}:
        command("run", claim, "-q")
    for text in command(*[{"CLAIM": claim, "BAD": bad}.get(word, word) for word in words])[1:]:
        assert visible(text) == text
        assert "##[" not in text
        own = ("::error file=", "::error title=", "::warning title=", "::warning file=")
        assert not [line for line in text.splitlines() if line.lstrip().startswith("::") and not line.startswith(own)]
