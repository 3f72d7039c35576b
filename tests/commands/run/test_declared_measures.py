"""`dlnrepro` on a claim that declares its measures: what is computed, what is shown, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]


def test_a_claim_measures_what_it_declares(command: Command, write_recorded: Write) -> None:
    code, out, _ = command("run", write_recorded(), "--json", "--seeds", "3")
    assert code == 0
    found = json.loads(out)["claims"][0]
    outcome = found["outcomes"]["near"]["measures"]
    assert outcome["rate"] == pytest.approx([1, 1, 1], rel=1e-12)
    assert outcome["arrival"] == [7, 8, 7]
    assert found["outcomes"]["short"]["measures"]["arrival"] == [None, None, None]
    assert found["meanings"]["rate"] == (
        "the rate at which the logarithm of the gap falls, over its formula (slope: [log(gap), step]; "
        "where: gap > 1e-9; ratio_to: log(1 - step_size))"
    )
    assert found["meanings"]["gap"] == "the distance of the first x from its strength"
    assert found["drawings"][0]["lines"]


def test_another_formula_is_another_cell_and_another_word_too(command: Command, write_recorded: Write) -> None:
    def cells(*changes: tuple[str, str]) -> dict[str, str]:
        return dict(json.loads(command("run", write_recorded(*changes), "--json")[1])["claims"][0]["cells"])

    first = cells()
    assert cells() == first
    assert cells(("slope: [log(gap), step]", "slope: [ log(gap),  step ]")) == first
    assert cells(("gap > 1e-9", "gap > 1e-8")).keys() == first.keys()
    assert not {*cells(("gap > 1e-9", "gap > 1e-8")).values()} & {*first.values()}


def test_replay_report_and_show_know_the_measures(command: Command, write_recorded: Write) -> None:
    command("run", write_recorded(), "-q")
    code, out, _ = command("replay")
    assert code == 0
    assert "bitwise identical" in out
    _, out, _ = command("show", "recorded-claim.yaml")
    assert (
        "rate: the rate at which the logarithm of the gap falls, over its formula (slope: [log(gap), step];"
        in " ".join(out.split())
    )
    code, out, _ = command("report")
    assert code == 0


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "slope: [log(gap), step]",
            "slope: [log(gapp), step]",
            "16:5: measures.rate.slope: expected one of strengths, step_size, steps, start.low, start.high, step, x, "
            "gap, drawn, rate, arrival, found 'gapp'; did you mean 'gap'?",
        ),
        ("slope: [log(gap), step]", "slope: log(gap)", "16:5: measures.rate.slope: expected two formulas [y, x]"),
        ("slope: [log(gap), step]", "slop: [log(gap), step]", "measures.rate.slop: expected one of 22 names"),
        (
            "slope: [log(gap), step]",
            "last: x",
            "16:5: measures.rate.last: expected a formula that is a number, found a list 'x'",
        ),
        (
            "ratio_to: log(1 - step_size)",
            "ratio_to: gap",
            "18:5: measures.rate.ratio_to: expected a number that does not",
        ),
        (
            "first_time: gap < strengths[1] / 10",
            "first_time: gap",
            "measures.arrival.first_time: expected an inequality",
        ),
        ("interpolation: none", "interpolation: cubic", "expected one of linear, log, none, found 'cubic'"),
        ("measure: arrival", "measure: arival", "found 'arival'; did you mean 'arrival'?"),
        ("y: gap", "y: gapp", "y: expected one of"),
        (
            "runner: recorder",
            "runner: toy",
            "13:1: measures: expected no such key, since the runner 'toy' has measures of its own",
        ),
        (
            "  rate:\n",
            "  gap: {says: x, last: step}\n  rate:\n",
            "measures.gap: expected a name that no quantity or setting has, found 'gap'",
        ),
        (
            "    says: the rate at which the logarithm of the gap falls, over its formula\n",
            "",
            "measures.rate.says: expected",
        ),
    ],
)
def test_a_measure_that_means_nothing_is_a_line_at_its_key(
    command: Command, write_recorded: Write, old: str, new: str, line: str
) -> None:
    code, out, err = command("check", write_recorded((old, new)))
    assert code == 2
    assert line in out + err


def test_a_claim_without_measures_for_a_runner_that_needs_them_is_a_line(
    command: Command, write_recorded: Write
) -> None:
    text = write_recorded().read_text(encoding="utf-8")
    block = text[text.index("measures:") : text.index("arms:")]
    code, out, err = command("check", write_recorded((block, "")))
    assert code == 2
    assert "measures: expected this key, found nothing" in out + err


def test_declared_series_are_drawn_under_their_own_names(command: Command, write_recorded: Write) -> None:
    series = (
        "arms:\n  near",
        "series:\n  share: \n    of: x[1] / strengths[1]\n    says: share of the strength\narms:\n  near",
    )
    path = write_recorded(series, ("y: gap", "y: [share, gap]"))
    code, out, _ = command("run", path, "--json")
    assert code == 0
    found = json.loads(out)["claims"][0]
    assert found["meanings"]["share"] == "share of the strength"
    assert {line["series"] for line in found["drawings"][0]["lines"]} == {"share", "gap"}


def test_the_schema_of_a_claim_has_the_keys_of_a_measure(command: Command) -> None:
    schema = json.loads(command("schema")[1])
    measure = schema["$defs"]["DeclaredMeasure"]["properties"]
    assert {"says", "last", "slope", "first_time", "from", "ratio_to"} <= measure.keys()
    assert schema["$defs"]["Assumption"]["properties"]["holds"]["anyOf"][0] == {"type": "string"}
