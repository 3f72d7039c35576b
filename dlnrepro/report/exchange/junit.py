"""Reports as JUnit XML, which every system of continuous integration reads.

A claim is a test suite; each of its assumptions and criteria is a test case. How a case comes out:

    the claim is as expected                       passed, also for what an expected failure breaks
    the claim is not reproduced, criterion broken  failure
    the claim is inconclusive                      skipped, with the reason, where a case is open or uninformative
    the claim is in error                          error, where a case needs an arm at fault; skipped where one is open

An inconclusive claim is evidence for neither side. Systems show the state `skipped` in this way: they count it
separately and print its reason, whereas most of them show an `error` as a failure of what is tested. The exit code
stops a build. A claim whose verdict no case shows (reproduced against its expectation, or at fault in an arm that no
test needs) has one more case, `verdict`. What was selected and could not be judged, and the signal that ended the
program, are test cases in error in one more suite.

The schemas in use differ. The file keeps to what they share: elements in the order properties, test cases; counts that
add up; a timestamp in UTC without an offset; no character that XML forbids. An arm's time counts in the first case
that needs it, so that the times of the cases add up to the time of the arms that are tested.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree as ET

from dlnrepro.archive.record import ClaimRecord, Report
from dlnrepro.report.words.brief.outcomes import label_words
from dlnrepro.report.words.chances import chance_words
from dlnrepro.report.words.digest import (
    ONLY_FORMULAS,
    arm_words,
    control_note,
    covers_words,
    gap_words,
    interruption,
    only_formulas,
    outcome,
    unjudged_words,
)
from dlnrepro.report.words.labels import qualifications
from dlnrepro.report.words.margins import slack_words
from dlnrepro.report.words.others import printed
from dlnrepro.report.words.remedies import counterexamples, remedies
from dlnrepro.report.words.shares import further_runs, quantifier_words, uncounted_words
from dlnrepro.verdict.judge import Judged, wanted
from dlnrepro.visible import escaped

_RESULTS = {"reproduced": "failure", "not reproduced": "failure", "inconclusive": "skipped", "error": "error"}


@dataclass(frozen=True)
class _Case:
    """One test case: how it came out (`failure`, `error`, `skipped`, or None for passed), and the sentence for it."""

    name: str
    result: str | None
    message: str
    numbers: str
    arms: tuple[str, ...]


def junit(report: Report) -> bytes:
    """The report as JUnit XML in UTF-8."""
    suites = ET.Element("testsuites", name="dlnrepro")
    for record in report.claims:
        suites.append(_suite(record, _cases(record), report))
    if left := _left(report):
        suites.append(_counted(ET.Element("testsuite", name="dlnrepro"), left, {}))
    for key in ("tests", "failures", "errors", "skipped"):
        suites.set(key, str(sum(int(suite.get(key, 0)) for suite in suites)))
    suites.set("time", f"{sum(float(suite.get('time', 0)) for suite in suites):.3f}")
    ET.indent(suites)
    content: bytes = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _left(report: Report) -> list[_Case]:
    """A test case in error for everything that was not judged, and for the signal that ended the program."""
    said = interruption(report)
    names = _unique([item.path or "program" for item in report.unjudged])
    texts = [unjudged_words(item) for item in report.unjudged]
    cases = [_Case(name, "error", text, "", ()) for name, text in zip(names, texts, strict=True)]
    return cases + ([_Case("run", "error", said, "", ())] if said else [])


def _suite(record: ClaimRecord, cases: list[_Case], report: Report) -> ET.Element:
    """The test suite of a claim."""
    suite = ET.Element("testsuite", name=escaped(record.id))
    if started := str(report.provenance.get("started", "")):
        # The time is in UTC; strict schemas admit only a time without an offset.
        suite.set("timestamp", escaped(started.removesuffix("+00:00")))
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(record, report):
        ET.SubElement(properties, "property", name=escaped(name), value=escaped(value))
    return _counted(suite, cases, {arm: outcome.seconds for arm, outcome in record.outcomes.items()}, record.path)


def _counted(suite: ET.Element, cases: list[_Case], seconds: dict[str, float], path: str = "") -> ET.Element:
    """The suite with its cases and their counts."""
    total, left = sum(seconds.values()), dict(seconds)
    for case in cases:
        time = sum(left.pop(arm, 0.0) for arm in case.arms)
        element = ET.SubElement(
            suite, "testcase", classname=suite.get("name", ""), name=escaped(case.name), time=f"{time:.3f}"
        )
        if path:
            element.set("file", escaped(path))
        if case.result is not None:
            shown = ET.SubElement(element, case.result, message=escaped(case.message))
            if case.result != "skipped":
                shown.set("type", case.result)
                shown.text = escaped("\n".join(filter(None, (case.message, case.numbers))))
        if case.numbers:
            ET.SubElement(element, "system-out").text = escaped(case.numbers)
    results = [case.result for case in cases]
    counts = {"tests": len(cases), "failures": results.count("failure"), "errors": results.count("error")}
    for key, count in {**counts, "skipped": results.count("skipped")}.items():
        suite.set(key, str(count))
    suite.set("time", f"{total:.3f}")
    return suite


def _properties(record: ClaimRecord, report: Report) -> list[tuple[str, str]]:
    """The verdict, what qualifies it, and where it comes from."""
    found = [
        ("title", record.title),
        ("verdict", record.verdict),
        ("expect", record.expect),
        ("because", record.because),
        *((("covers", f"{outcome(record)}: {covers}"),) if (covers := covers_words(record)) else ()),
        ("labels", label_words(record.stamps)),
        *((word.lower(), says) for word, says in qualifications(record)),
        *(("further runs", said) for said in further_runs(record)),
        *(("counterexample", f"{found.says} {found.command}") for found in counterexamples(record)),
        *(("not as required", said) for said in remedies(record)),
        *((("printed numbers", counted),) if (counted := printed.printed_counts([record])) else ()),
        *(("printed number that differs", said) for said in printed.printed_differences(record)),
        ("chance of a wrong verdict", " ".join(chance_words([record]))),
        ("command", record.command),
        ("commit", str(report.provenance.get("commit") or "unknown")),
        ("dirty", {True: "true", False: "false"}.get(report.provenance.get("dirty"), "unknown")),  # type: ignore[arg-type]
    ]
    versions = report.provenance.get("versions", {})
    return found + [(f"version.{name}", str(version)) for name, version in versions.items()]


def _cases(record: ClaimRecord) -> list[_Case]:
    """The test cases of a claim: at least one of them is not passed if the claim is not as expected."""
    names = [f"assumption {item.id}" for item in record.assumptions] + [item.id for item in record.criteria]
    items = (*record.assumptions, *record.criteria)
    cases = [_case(record, item, name) for item, name in zip(items, _unique(names), strict=True)]
    result = _RESULTS[record.verdict]
    if record.as_expected or any(case.result == result for case in cases):
        return cases
    message = f"expected {record.expect}, found {record.verdict}: {record.because}"
    return [*cases, _Case("verdict", result, message, "", ())]


def _unique(names: list[str]) -> list[str]:
    """The names, with a number after a repeated one: readers take cases of one name for one test."""
    return [name + f" ({names[:index].count(name) + 1})" * (name in names[:index]) for index, name in enumerate(names)]


def _case(record: ClaimRecord, item: Judged, name: str) -> _Case:
    """The test case of a criterion or assumption."""
    arms = tuple(check.arm for check in (*item.holds_in, *item.fails_in))
    result, message = (None, "") if record.as_expected else _result(record, item, arms)
    numbers = _numbers(item, record.meanings.get(item.measure))
    lines = map(printed.sentence, printed.of_criterion(record, item.id) if item in record.criteria else ())
    return _Case(name, result, message, "\n".join([numbers, *lines]), arms)


def _result(record: ClaimRecord, item: Judged, arms: tuple[str, ...]) -> tuple[str | None, str]:
    """How the case of a claim that is not as expected came out, and why."""
    outcomes = [(arm, record.outcomes[arm]) for arm in arms if arm in record.outcomes]
    if faults := [f"arm {arm}: {outcome.fault}" for arm, outcome in outcomes if outcome.fault]:
        return "error", faults[0]
    for check in item.holds_in:
        if check.broken:
            message = f"{wanted(item)} does not hold in {check.arm}: {check.outside} of {check.counted} runs outside"
            return ("failure" if record.verdict == "not reproduced" else "skipped"), message
    for check in item.holds_in:
        if not check.seeds:
            return "skipped", f"{item.measure} has no number in {check.arm}"
        if not check.holds:
            inside = f"{check.inside} of {check.counted} runs inside" if check.counted else "no run counts"
            message = f"{wanted(item)} is undecided in {check.arm}: {inside}"
            return "skipped", ", ".join(filter(None, [message, uncounted_words(check)]))
    for check in item.fails_in:
        if not check.holds or not check.seeds:
            return "skipped", f"control {check.arm}: {control_note(check)}"
    return None, ""


def _numbers(item: Judged, meaning: str | None) -> str:
    """The sentence, the threshold, the definition of the measure, and a line for each arm and control."""
    lines = [item.says.strip(), f"required: {wanted(item)}{quantifier_words(item.runs)}"]
    lines += [f"{item.measure}: {meaning}"] if meaning else []
    for check in (*item.holds_in, *item.fails_in):
        name, inside, share, decision, median, spread = arm_words(check)
        shown = f"{inside} runs inside; {decision}; share as required (95 % interval): {share}"
        lines.append(f"{name}: {shown}; median {median}; smallest … largest: {spread}")
    notes = [ONLY_FORMULAS if only_formulas(item) else None, gap_words(item), slack_words(item)]
    return "\n".join([*lines, *filter(None, notes)])
