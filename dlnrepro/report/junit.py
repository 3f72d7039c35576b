"""Reports as JUnit XML, which every system of continuous integration reads.

A claim is a test suite; each of its assumptions and criteria is a test case. How a case comes out:

    the claim is as expected                       passed, also for what an expected failure breaks
    the claim is not reproduced, criterion broken  failure
    the claim is inconclusive                      skipped, with the reason, where a case is unmet, undecided or blind
    the claim is in error                          error, where a case needs an arm at fault; skipped where one is open

An inconclusive claim shows nothing for either side, and `skipped` is the state that systems show so: they count it
apart and print its reason, whereas most of them draw an `error` as a failure of what is tested. It is the exit code
that stops a build on it. A claim whose verdict no case shows (reproduced against its expectation, or at fault in an
arm that no test needs) has one more case, `verdict`.

The schemas in use differ. The file keeps to what they share: elements in the order properties, test cases; counts that
add up; a timestamp in UTC without an offset; no character that XML forbids. An arm's time counts in the first case
that needs it, so that the times of the cases add up to the time of the arms that are tested.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from dlnrepro.record import ClaimRecord, Report
from dlnrepro.report.digest import allowance, arm_words, gap_words
from dlnrepro.verdict import Judged

_RESULTS = {"reproduced": "failure", "not reproduced": "failure", "inconclusive": "skipped", "error": "error"}
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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
    if report.interrupted:
        said = "interrupted: claims that are not here did not finish"
        suites.append(_counted(ET.Element("testsuite", name="dlnrepro"), [_Case("run", "error", said, said, ())], {}))
    for key in ("tests", "failures", "errors", "skipped"):
        suites.set(key, str(sum(int(suite.get(key, 0)) for suite in suites)))
    suites.set("time", f"{sum(float(suite.get('time', 0)) for suite in suites):.3f}")
    ET.indent(suites)
    content: bytes = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _suite(record: ClaimRecord, cases: list[_Case], report: Report) -> ET.Element:
    """The test suite of a claim."""
    suite = ET.Element("testsuite", name=_allowed(record.id))
    if started := str(report.provenance.get("started", "")):
        # Runs start at a time of UTC; strict schemas know a time without an offset only.
        suite.set("timestamp", _allowed(started.removesuffix("+00:00")))
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(record, report):
        ET.SubElement(properties, "property", name=_allowed(name), value=_allowed(value))
    return _counted(suite, cases, {arm: outcome.seconds for arm, outcome in record.outcomes.items()}, record.path)


def _counted(suite: ET.Element, cases: list[_Case], seconds: dict[str, float], path: str = "") -> ET.Element:
    """The suite with its cases and their counts."""
    total, left = sum(seconds.values()), dict(seconds)
    for case in cases:
        time = sum(left.pop(arm, 0.0) for arm in case.arms)
        element = ET.SubElement(
            suite, "testcase", classname=suite.get("name", ""), name=_allowed(case.name), time=f"{time:.3f}"
        )
        if path:
            element.set("file", _allowed(path))
        if case.result is not None:
            shown = ET.SubElement(element, case.result, message=_allowed(case.message))
            if case.result != "skipped":
                shown.set("type", case.result)
                shown.text = _allowed(f"{case.message}\n{case.numbers}")
        ET.SubElement(element, "system-out").text = _allowed(case.numbers)
    results = [case.result for case in cases]
    counts = {"tests": len(cases), "failures": results.count("failure"), "errors": results.count("error")}
    for key, count in {**counts, "skipped": results.count("skipped")}.items():
        suite.set(key, str(count))
    suite.set("time", f"{total:.3f}")
    return suite


def _properties(record: ClaimRecord, report: Report) -> list[tuple[str, str]]:
    """What the claim came out as, and where it comes from."""
    found = [
        ("title", record.title),
        ("verdict", record.verdict),
        ("expect", record.expect),
        ("because", record.because),
        ("stamps", ", ".join(record.stamps)),
        ("command", record.command),
        ("commit", str(report.provenance.get("commit") or "unknown")),
        ("dirty", {True: "true", False: "false"}.get(report.provenance.get("dirty"), "unknown")),  # type: ignore[arg-type]
    ]
    return found + [(f"version.{name}", str(it)) for name, it in report.provenance.get("versions", {}).items()]


def _cases(record: ClaimRecord) -> list[_Case]:
    """The test cases of a claim: at least one of them is not passed if the claim is not as expected."""
    names = [f"assumption {item.id}" for item in record.assumptions] + [item.id for item in record.criteria]
    # Two assumptions on one measure would bear one name, and readers would take them for one test.
    unique = [
        name + f" ({names[:index].count(name) + 1})" * (name in names[:index]) for index, name in enumerate(names)
    ]
    items = (*record.assumptions, *record.criteria)
    cases = [_case(record, item, name) for item, name in zip(items, unique, strict=True)]
    result = _RESULTS[record.verdict]
    if record.as_expected or any(case.result == result for case in cases):
        return cases
    message = f"expected {record.expect}, found {record.verdict}: {record.because}"
    return [*cases, _Case("verdict", result, message, message, ())]


def _case(record: ClaimRecord, item: Judged, name: str) -> _Case:
    """The test case of a criterion or assumption."""
    arms = tuple(check.arm for check in (*item.holds_in, *item.fails_in))
    result, message = (None, "") if record.as_expected else _result(record, item, arms)
    return _Case(name, result, message, _numbers(item), arms)


def _result(record: ClaimRecord, item: Judged, arms: tuple[str, ...]) -> tuple[str | None, str]:
    """How the case of a claim that is not as expected came out, and why."""
    outcomes = [(arm, record.outcomes[arm]) for arm in arms if arm in record.outcomes]
    if faults := [f"arm {arm}: {outcome.fault}" for arm, outcome in outcomes if outcome.fault]:
        return "error", faults[0]
    wanted = f"{item.measure} {item.interval_text}"
    for check in item.holds_in:
        if check.broken:
            message = f"{wanted} is broken in {check.arm}: {check.outside} of {len(check.seeds)} runs outside"
            return ("failure" if record.verdict == "not reproduced" else "skipped"), message
    for check in item.holds_in:
        if not check.holds or not check.seeds:
            return "skipped", f"{wanted} is undecided in {check.arm}: {check.undecided} of {len(check.seeds)} runs"
    for check in item.fails_in:
        if not check.tells or not check.seeds:
            return "skipped", f"control {check.arm} does not tell: {check.inside} of {len(check.seeds)} runs inside"
    return None, ""


def _numbers(item: Judged) -> str:
    """The sentence, the threshold, and a line for each arm and control."""
    lines = [item.says, f"{item.measure} {item.interval_text}" + allowance(item.misses)]
    rows = [arm_words(check, False) for check in item.holds_in] + [arm_words(check, True) for check in item.fails_in]
    for name, inside, share, median, spread in rows:
        lines.append(f"{name}: {inside} runs in, {share}, median {median}, range {spread}")
    return "\n".join([*lines, *filter(None, [gap_words(item)])])


def _allowed(words: str) -> str:
    """Words with a number in the place of every character that XML forbids."""
    return _FORBIDDEN.sub(lambda found: f"\\x{ord(found[0]):02x}", words)
