"""A report in a few plain words, the same in every format: runs passed, the tightest criterion, controls, time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dlnrepro.claimfile.parameters import Derived, settled, with_values
from dlnrepro.errors import Unjudged
from dlnrepro.report.words.brief.outcomes import COVERED, COVERS, outcome_words
from dlnrepro.report.words.margins import distance_words, margin_words, on_its_threshold, use
from dlnrepro.report.words.numbers import duration, number
from dlnrepro.report.words.shares import TESTED, decision_words, inside_words, share_words, uncounted_words
from dlnrepro.settings.numerals import numeral, setting
from dlnrepro.signals import name_of
from dlnrepro.verdict.bounds import intervals
from dlnrepro.verdict.check import Check
from dlnrepro.verdict.judge import Judged, passes
from dlnrepro.verdict.outcome import BATCH
from dlnrepro.verdict.rule import MOST_RUNS
from dlnrepro.visible import in_a_line

if TYPE_CHECKING:
    # Only for annotations: `dlnrepro show` has no report, and this import takes a third of its time.
    from dlnrepro.archive.record import ClaimRecord, Report

SIGNS = {"reproduced": "✓", "not reproduced": "✗", "inconclusive": "?", "error": "!"}
MARKS = {"pass": "✓", "fail": "✗", "undecided": "?"}
ARM_HEADS = (
    "arm", "runs inside", "share as required (95 % interval)", "decision", "median", "smallest … largest"
)  # fmt: skip
MOST_NAMED = 4
"""Arms that are named where a parameter was changed; more of them are counted."""

ONLY_FORMULAS = "no control breaks a hypothesis; its only controls are wrong formulas"

ALMOST_ALL, EVERY, SHARE = "almost all runs", "every run", "share as required"
UNDECIDED, LEFT_OUT, FORMULA = "undecided", "left out", "wrong formula"
HOW_MUCH, PRINTED = "in full, in part, in a special case", "printed number"

LEGEND = (
    ("run", "one seed of one arm; it passes if all that must hold in this arm holds"),
    ("arm", "the settings with a few named changes; all arms use the same seeds"),
    (HOW_MUCH, "how much of the source's statement is tested; the report of the claim says what is not"),
    ("control", "an arm that must fail, because it breaks one hypothesis; it counts once per criterion, and 4/4 is "
     "good"),
    (FORMULA, "a control that changes only the formula that the measure is compared with, so that it breaks no "
     "hypothesis"),
    (ALMOST_ALL, f"a criterion is tested for {TESTED} of all possible runs; {BATCH} runs that all lie inside decide, "
     f"and in doubt further runs are made, up to {MOST_RUNS} per arm"),
    (EVERY, "one run outside refutes the criterion; its seed is then given"),
    (SHARE, "the part of the counted runs that lie inside (in a control: outside), in percent; in parentheses is its "
     "exact 95 % confidence interval, for one arm and one criterion, as for a fixed number of runs"),
    (UNDECIDED, "a run without a finite number, which counts for neither side; or an arm whose runs decide for neither "
     "side"),
    (LEFT_OUT, "a run that does not meet an assumption of its arm, so that it counts for nothing"),
    (PRINTED, "a number that others have printed, next to ours, which does not enter the verdict; it agrees to the "
     "last digit if no run of ours differs by more than one unit of this digit (or than the claim allows and "
     "explains), and a number of one random run agrees within the runs if it lies between our smallest and largest "
     "run"),
    ("tightest criterion", "its worst run (nearest to its threshold, or furthest outside) leaves the least room, "
     "relative to half the interval or to a single threshold"),
    ("computing time", "the times of all arms added, those of cached arms too"),
)  # fmt: skip
"""What the words of a report mean."""

SUMMARY_WORDS = ("run", HOW_MUCH, "control", FORMULA, PRINTED, "tightest criterion", "computing time")
"""The words of the legend that a summary without the claims in full needs."""

OWN_BASIS = "own"
"""The basis of a claim whose statement is taken from no source."""

BASES = {
    "theorem": "a theorem that was read",
    "reported": "a theorem that a third party reports",
    "abstract": "an abstract",
    "derived": "a derivation for this project",
    OWN_BASIS: "a statement of one's own",
}


def outcome(record: ClaimRecord) -> str:
    """The verdict of a record with how much of the source's statement it is about."""
    return outcome_words(record.verdict, covers_of(record))


def signed(record: ClaimRecord) -> str:
    """The verdict with its sign, and with how much of the source's statement it is about."""
    return f"{SIGNS[record.verdict]} {outcome(record)}"


def covers_of(record: ClaimRecord) -> str | None:
    """How much of the source's statement a claim covers, or None if its file does not say."""
    found = record.claim.get("covers")
    what = found.get("what") if isinstance(found, Mapping) else None
    return what if what in COVERED else None


def covers_words(record: ClaimRecord) -> str | None:
    """What of the source's statement is tested, in a sentence; None if the claim file does not say."""
    what = covers_of(record)
    return None if what is None else tested_words(what, str(record.claim["covers"].get("says", "")))


def tested_words(what: str, says: str) -> str:
    """How much of the source's statement is tested, and what of it."""
    return f"{COVERS[what]} is tested: {' '.join(says.split())}"


def with_numbers(record: ClaimRecord, items: Sequence[Judged]) -> list[Judged]:
    """The tests of a claim that have something to show: of a claim in error, only those with a number in some arm."""
    if record.verdict != "error":
        return list(items)
    return [item for item in items if any(check.counted for check in (*item.holds_in, *item.fails_in))]


def is_tested(record: ClaimRecord) -> bool:
    """Whether a claim was tested by any run; without a number, a claim in error was not."""
    return record.verdict != "error" or bool(with_numbers(record, (*record.assumptions, *record.criteria)))


def passing_runs(record: ClaimRecord) -> tuple[int, int]:
    """How many runs of the arms that must hold satisfy every criterion and assumption, of how many."""
    passing: dict[str, list[bool]] = {}
    for item in (*record.assumptions, *record.criteria):
        for check in item.holds_in:
            runs = passing.setdefault(check.arm, [True] * len(check.seeds))
            own = intervals(item.interval, check.thresholds, len(check.seeds))
            for index, (value, mine) in enumerate(zip(check.values, own, strict=True)):
                runs[index] &= value is not None and mine is not None and mine.contains(value)
    return sum(map(sum, passing.values())), sum(map(len, passing.values()))


def tightest(record: ClaimRecord) -> str:
    """The criterion whose worst run uses most of its tolerance: its id, its measure in that run, and the margin."""
    item = max(record.criteria, key=use, default=None)
    if item is None or item.worst is None:
        return "none"
    exact = [other.id for other in record.criteria if other is not item and on_its_threshold(other)]
    left = f"; not compared, since exactly on its threshold: {', '.join(exact)}" if exact else ""
    return f"{item.id}; its worst run has {item.measure} {margin_words(item)}{left}"


def computing_time(record: ClaimRecord) -> str:
    """How long the claim's arms took, added up, and whether some of them were taken from the cache."""
    return duration(record.seconds) + (" cached" if "cached" in record.stamps else "")


def interruption(report: Report) -> str | None:
    """Which signal ended the program before all claims were judged; None if none did."""
    if not report.interrupted:
        return None
    ended = f"ended by {name_of(report.exit_code)}" if report.exit_code > 128 else "interrupted"
    return f"{ended}: the claims that are not listed did not finish"


def unjudged_words(item: Unjudged) -> str:
    """What could not be judged, and why, in a line; the line and column of a fault follow the path at once."""
    path = in_a_line(item.path or "")
    place = "" if item.line is None else f":{item.line}:{item.column or 1}"
    return f"{path}{place}: " * bool(path) + in_a_line(item.text)


def verdict_counts(report: Report) -> str:
    """How many claims came out in each way, and how much was not judged."""
    counts = [
        f"{count} {word}{_foreseen(report, word)}{_how_much(report, word)}"
        for word, count in report.counts.items()
        if count
    ]
    left = [f"{len(report.unjudged)} not judged"] if report.unjudged else []
    return ", ".join([*(counts or ["no claim finished"]), *left])


def _foreseen(report: Report, word: str) -> str:
    """How many of the claims that are not reproduced were expected not to be; nothing for another verdict."""
    failing = [record.as_expected for record in report.claims if record.verdict == word == "not reproduced"]
    expected = sum(failing)
    return "" if not expected else " (as expected)" if expected == len(failing) else f" ({expected} as expected)"


def _how_much(report: Report, word: str) -> str:
    """How many of the reproduced claims are reproduced in full, in part, and in a special case, if any claim says."""
    found = [covers_of(record) for record in report.claims if record.verdict == word == "reproduced"]
    if not any(found):
        return ""
    parts = [f"{found.count(what)} {words}" for what, words in COVERED.items() if what in found]
    return f" ({', '.join([*parts, *([f'{found.count(None)} of unknown coverage'] if None in found else [])])})"


def failed_controls(record: ClaimRecord) -> tuple[int, int]:
    """How many controls failed as required, of how many."""
    controls = [control for item in record.criteria for control in item.fails_in]
    return sum(control.holds for control in controls), len(controls)


def controls_words(record: ClaimRecord) -> str:
    """How many controls failed as required, and how many of them are wrong formulas, in a few words."""
    failed, controls = failed_controls(record)
    formulas = sum(control.wrong_formula for item in record.criteria for control in item.fails_in)
    which = f" ({formulas} of them {'is a wrong formula' if formulas == 1 else 'are wrong formulas'})" * bool(formulas)
    return f"controls failed as required: {failed} of {controls}{which}"


def only_formulas(item: Judged) -> bool:
    """Whether all controls of a criterion are wrong formulas, so that none of them breaks a hypothesis."""
    return bool(item.fails_in) and all(check.wrong_formula for check in item.fails_in)


def weak_controls(record: ClaimRecord) -> list[str]:
    """The criteria of which no control breaks a hypothesis, in a sentence each."""
    return [f"{item.id}: {ONLY_FORMULAS}" for item in record.criteria if only_formulas(item)]


def role(check: Check) -> str:
    """What an arm is for its criterion, as it is written before its name: nothing for an arm that must hold."""
    return "" if not check.control else f"{FORMULA} " if check.wrong_formula else "control "


def legend(records: Sequence[ClaimRecord], full: bool = True) -> list[tuple[str, str]]:
    """The words that a report needs, each with its meaning.

    Args:
        records: the claims of the report.
        full: whether the claims are shown in full, with their criteria and arms.

    Returns:
        The words, none if no claim was tested by any run.
    """
    records = [record for record in records if is_tested(record)]
    if not records:
        return []
    items = [item for record in records for item in (*record.assumptions, *record.criteria)]
    checks = [check for item in items for check in (*item.holds_in, *item.fails_in)]
    used = {
        ALMOST_ALL: any(item.runs != "every" for item in items),
        EVERY: any(item.runs == "every" for item in items),
        UNDECIDED: any(check.undecided or check.decision == "undecided" for check in checks),
        LEFT_OUT: any(check.left_out for check in checks),
        FORMULA: any(check.wrong_formula for check in checks),
        HOW_MUCH: any(covers_of(record) for record in records),
        PRINTED: any(record.printed for record in records),
    }
    return [(word, says) for word, says in LEGEND if used.get(word, True) and (full or word in SUMMARY_WORDS)]


def arm_words(check: Check) -> tuple[str, str, str, str, str, str]:
    """One arm: name, runs inside of the counted ones, share as required, decision, median, range."""
    name = f"{role(check)}{check.arm}"
    name += f" ({uncounted})" if (uncounted := uncounted_words(check)) else ""
    return name, inside_words(check), share_words(check), decision_words(check), number(check.median), spread(check)


def spread(check: Check) -> str:
    """The smallest and the largest number of an arm."""
    return "none" if check.min is None else f"{number(check.min)} … {number(check.max)}"


def control_note(check: Check) -> str:
    """What a control that does not fail means for its criterion; nothing if it fails as required."""
    if check.holds or not check.control:
        return ""
    if not passes(check):
        return "A control that is undecided has not failed as required."
    runs = f"{check.inside} of {check.counted} runs of this control lie inside"
    return f"{runs}: the criterion is uninformative."


def gap_words(item: Judged) -> str | None:
    """How far apart the worst run and the nearest control run are; None where there is nothing to compare."""
    return distance_words(item)


def bases_of_report(report: Report) -> str | None:
    """On what the criteria of the claims rest, with the number of claims; None for a single claim."""
    return basis_of(report.claims) if len(report.claims) > 1 else None


def basis_of(records: Sequence[ClaimRecord]) -> str:
    """How many claims rest on a theorem, an abstract or a derivation."""
    found = [record.claim["source"].get("basis", OWN_BASIS) for record in records]
    parts = [(found.count(basis), words) for basis, words in BASES.items() if basis in found]
    if len(found) == 1:
        return f"The criteria of the claim rest on {parts[0][1]}."
    if len(parts) == 1:
        return f"All {len(found)} claims rest on {parts[0][1]}."
    rest = "rests on" if parts[0][0] == 1 else "rest on"
    listed = [f"{count} {rest if index == 0 else 'on'} {words}" for index, (count, words) in enumerate(parts)]
    return f"Of {len(found)} claims, {_joined(listed)}."


def departures(record: ClaimRecord) -> list[str]:
    """Each parameter that has another value than the claim file says, with the arms that have it and those that do not.

    An arm that sets a parameter itself keeps its value when the setup's value is changed. The quick profile is part of
    the claim file, so what it changes is not a departure.
    """
    setup, arms = record.claim.get("setup", {}), record.claim.get("arms", {})
    profile = record.claim.get("quick", {}).get("setup", {}) if "toy" in record.stamps else {}
    changed: dict[tuple[str, str], list[str]] = {}
    for arm, params in record.params.items():
        own = arms.get(arm, {})
        written = {**setup, **profile, **own}
        known = settled(written)
        for key, value in params.items():
            if key in written and plain(value) != plain(known[key]):
                origin = "quick profile" if key in profile and key not in own else "claim file"
                text = f"{key} {setting(value)} ({origin}: {setting(with_values(written[key], known[key]))})"
                changed.setdefault((key, text), []).append(arm)
    lines = []
    for (key, text), reached in changed.items():
        affected = {arm for (name, _), members in changed.items() if name == key for arm in members}
        keeping = [arm for arm in record.params if arm not in affected]
        kept = f"; unchanged in {_named(keeping)}" if keeping else ""
        where = f"in {_named(reached)}" if len(reached) < len(record.params) else "in every arm"
        lines.append(f"{text} {where}{kept}")
    return lines


def derived_lines(of_arms: Mapping[str, Mapping[str, Derived]]) -> list[str]:
    """A line for each formula: its value, or its values with the arms that have them.

    Args:
        of_arms: arm -> the name of each setting that is a formula -> the formula and its value.
    """
    arms: dict[tuple[str, str], dict[str, list[str]]] = {}
    for arm, found in of_arms.items():
        for name, item in found.items():
            arms.setdefault((name, item.formula), {}).setdefault(numeral(item.value, 6), []).append(arm)
    lines = []
    for (name, text), values in arms.items():
        everywhere = len(values) == 1 and len(next(iter(values.values()))) == len(of_arms)
        parts = [value if everywhere else f"{value} in {', '.join(named)}" for value, named in values.items()]
        lines.append(f"{name} = {text}: {'; '.join(parts)}")
    return lines


def _joined(parts: Sequence[str]) -> str:
    """Parts of a sentence with commas and an `and`."""
    return " and ".join(parts) if len(parts) < 3 else f"{', '.join(parts[:-1])}, and {parts[-1]}"


def _named(arms: Sequence[str]) -> str:
    """Some arms in a few words: their names, or how many there are."""
    return ", ".join(arms) if len(arms) <= MOST_NAMED else f"{len(arms)} arms"


def plain(value: object) -> object:
    """A parameter's value with lists for all series, so that equal ones are equal."""
    return list(map(plain, value)) if isinstance(value, list | tuple) else value
