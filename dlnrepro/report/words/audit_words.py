"""An audit in sentences and short words, the same in every format."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dlnrepro.archive.audits import AuditRecord, claim_hash, same_runner
from dlnrepro.claimfile.schema import Claim
from dlnrepro.report.words.digest import tested_words
from dlnrepro.report.words.margins import relative_words
from dlnrepro.report.words.numbers import number, percent
from dlnrepro.settings.numerals import numeral, setting
from dlnrepro.verdict.audited import GOOD_STATUS, ArmAudit, ArmChances, ChangeAudit, CriterionAudit, Response
from dlnrepro.verdict.bounds import range_words
from dlnrepro.verdict.distances import Unit
from dlnrepro.verdict.rule import BAD
from dlnrepro.verdict.sharpness import Resolution, Threshold

QUESTION = "How could this verdict be wrong?"
ARM_HEADS = ("arm", "as required", "95 % interval of the share", "median", "smallest … largest")
"""The heads of the table of arms: `as required` counts the runs inside, or, of a control, outside."""

TABLE_HEADS = (
    "",
    "claim",
    "smallest share",
    "smallest gap",
    "smallest error noticed",
    "flaws noticed",
    "harmless changes passed",
    "chance of another verdict",
)
"""The heads of the table of audits."""

TABLE_LEGEND = (
    "Smallest share: of the runs that are as required, over all arms and controls, with its exact 95 % interval. "
    "Smallest gap: from the worst run to the nearest control run, in interquartile ranges of the runs, over all "
    "criteria with controls. Smallest error noticed: relative, or a shift where zero lies in the interval; for "
    "criteria whose interval has two ends. Chance of another verdict: that a complete run of the claim ends otherwise, "
    "if the shares are those found."
)

LEAST_FACTOR = 1.01
"""Two thresholds that differ by a smaller factor are compared by their difference, which says more."""

LEAST_CHANCE = 1e-4
"""A chance below this is not given as a number, which would say more than is known."""


def fresh_words(record: AuditRecord) -> str:
    """What was run on which seeds, and the verdict on these runs, in a sentence."""
    last = record.seed_base + record.runs - 1
    if record.runs == 1:
        return f"With one run of each arm, the claim is {record.result.verdict}."
    return (
        f"With {record.runs} runs of each arm on the seeds {record.seed_base} to {last}, the claim is "
        f"{record.result.verdict}."
    )


def covers_text(record: AuditRecord) -> str | None:
    """How much of the source's statement the audited claim tests; None if its file does not say."""
    return None if record.covers is None else tested_words(record.covers.what, record.covers.says)


def share_text(share: float) -> str:
    """A share in percent with one decimal, such as `98.6 %`; only 1 is 100 %."""
    if share == 1:
        return "100 %"
    return f"{min(99.9, 100 * share):.1f} %"


def chance_text(chance: float) -> str:
    """A probability in percent with two significant digits, such as `3.2 %`; a very small one is only bounded."""
    if chance < LEAST_CHANCE:
        return f"below {numeral(100 * LEAST_CHANCE)} %"
    return f"{100 * chance:.0f} %" if chance >= 0.1 else f"{numeral(100 * chance, 2)} %"


def at_most(chance: float) -> str:
    """A bound on a probability, such as `at most 3.2 %`."""
    return f"at most {chance_text(chance)}" if chance >= LEAST_CHANCE else chance_text(chance)


def arm_cells(arm: ArmAudit) -> tuple[str, str, str, str, str]:
    """One arm: its name, the runs as required, the interval of their share, the median, and the range."""
    notes = [f"{arm.undecided} undecided"] * bool(arm.undecided) + [f"{arm.left_out} left out"] * bool(arm.left_out)
    name = ("control " if arm.control else "") + arm.arm + (f" ({', '.join(notes)})" if notes else "")
    share = "none"
    if arm.share is not None:
        share = f"{share_text(arm.share_low).removesuffix(' %')} to {share_text(arm.share_high)}"
    if not arm.quantiles:
        return name, f"{arm.passing}/{arm.counted}", share, "none", "none"
    smallest, median, largest = arm.quantiles[0], arm.quantiles[3], arm.quantiles[-1]
    spread = f"{number(smallest)} … {number(largest)}"
    return name, f"{arm.passing}/{arm.counted}", share, number(median), spread


def sharpness_words(item: CriterionAudit) -> list[str]:
    """How sharp a criterion is: its gap, its thresholds, its resolution, theory's threshold, and its chances."""
    lines = [_gap(item)] if item.worst is not None else []
    lines += [_range(item, threshold) for threshold in item.thresholds]
    lines += [_resolution(item.resolution, item.unit)] if item.resolution is not None else []
    lines += [] if item.assumption else [_theory(item)]
    return lines + _chances(item)


def _gap(item: CriterionAudit) -> str:
    """The distance between the worst run and the nearest control run."""
    decades = " decades" if item.scale == "logarithmic" else ""
    spread = f"{number(item.spread)}{decades}" if item.spread else "0, since the runs are equal"
    relative = "" if item.unit == "measure" else " of the values relative to their thresholds"
    of_spread = f"the spread (interquartile range{relative} of {item.worst_arm}) is {spread}"
    worst = f"The worst run has {number(item.worst)} ({item.worst_arm}{relative_words(item.unit, item.worst_place)})"
    if item.nearest is None:
        return f"{worst}; {of_spread}."
    place = relative_words(item.unit, item.nearest_place)
    nearest = f"the nearest control run has {number(item.nearest)} ({item.nearest_control}{place})"
    if item.gap is None:
        return f"{worst}, and {nearest}; {of_spread}."
    if item.gap < 0:
        return f"{worst}, and {nearest}: arms and controls overlap; {of_spread}."
    return f"{worst}, and {nearest}: the gap is {number_of_spreads(item.gap)}; {of_spread}."


def number_of_spreads(gap: float) -> str:
    """A gap in units of the spread, such as `12 spreads`."""
    return f"{gap:,.0f} spreads" if abs(gap) >= 10 else f"{gap:.2g} spreads"


def _range(item: CriterionAudit, threshold: Threshold) -> str:
    """Which thresholds would give the same decisions."""
    if item.unit != "measure":
        return _relative_range(item, threshold)
    name = f"{threshold.key} {number(threshold.value)}"
    same = "would give the same decisions in all arms and controls"
    tightest = number(threshold.tightest)
    if threshold.loosest is None:
        none = "" if item.controls else ", since there is no control"
        return f"Instead of {name}, {tightest} and every looser threshold {same}{none}."
    return f"Instead of {name}, every threshold from {tightest} to {number(threshold.loosest)} {same}."


def _relative_range(item: CriterionAudit, threshold: Threshold) -> str:
    """Which factor of a threshold that differs between runs would give the same decisions."""
    what = "of the threshold" if item.unit == "threshold" else "of half the width of the interval"
    same = f"{what} of each run would give the same decisions in all arms and controls"
    tightest = number(abs(threshold.tightest))
    if threshold.loosest is None:
        none = "" if item.controls else ", since there is no control"
        return f"For {threshold.key}, {tightest} times and every looser multiple {same}{none}."
    return f"For {threshold.key}, every multiple from {tightest} to {number(abs(threshold.loosest))} {same}."


def _resolution(found: Resolution, unit: Unit) -> str:
    """The smallest changes of a measure that a criterion notices."""
    if unit == "tolerance":
        up, down = number(found.up), number(found.down)
        return f"It notices a shift of the measure by +{up} or -{down} times half the width of the run's interval."
    shift = f"It notices a shift of the measure by +{number(found.up)} or -{number(found.down)}"
    factors = [f"too large by {_excess(found.larger - 1)}"] if found.larger is not None else []
    factors += [f"too small by {_excess(1 - found.smaller)}"] if found.smaller is not None else []
    return f"{shift}{', and a measure that is ' * bool(factors)}{' or '.join(factors)}."


def _excess(part: float) -> str:
    """A relative error in percent, or as a factor where it is large."""
    return f"{100 * part:.2g} %" if part < 1 else f"a factor of {number(1 + part)}"


def resolution_word(item: CriterionAudit) -> str | None:
    """The smallest error of its measure that a criterion with two ends surely notices, such as `2.3 %`; or None."""
    found = item.resolution
    if found is None:
        return None
    parts = [found.larger - 1] if found.larger is not None else []
    parts += [1 - found.smaller] if found.smaller is not None else []
    unit = " half-widths" if item.unit == "tolerance" else ""
    return _excess(max(parts)) if parts else f"shift by {numeral(max(found.up, found.down), 2)}{unit}"


def _theory(item: CriterionAudit) -> str:
    """How much looser the threshold is than theory allows."""
    if item.theory_allows is None:
        if (item.why or "").startswith("pilot:"):
            return "Theory gives no number: the threshold comes from a pilot."
        return "The claim file does not say which threshold theory allows (theory_allows)."
    (key, ours), *_ = [(key, value) for key, value in item.interval.items() if key != "equals"]
    lower, pairs = key in ("above", "at_least"), list(item.theory)
    if not pairs and not isinstance(ours, str) and not isinstance(item.theory_allows, str):
        pairs = [(ours, item.theory_allows)]
    if not pairs:
        return f"Theory allows {_bound(item.theory_allows)}, which has no value in any run."
    head = f"Theory allows {_bound(item.theory_allows, pairs, 1)}, and the threshold is {_bound(ours, pairs, 0)}"
    words = list(dict.fromkeys(looseness(mine, theirs, lower) for mine, theirs in pairs))
    return (
        f"{head}: it is {words[0]}."
        if len(words) == 1
        else f"{head}: in one run it is {words[0]}, in another {words[1]}."
    )


def _bound(bound: float | str, pairs: Sequence[tuple[float, float]] = (), place: int = 0) -> str:
    """A threshold as a number, or as a formula with its values in the runs where it differs most from the other one."""
    if not isinstance(bound, str):
        return numeral(bound)
    return f"{bound} ({range_words([pair[place] for pair in pairs])})" if pairs else bound


def looseness(ours: float, allowed: float, lower: bool) -> str:
    """How much looser or tighter a threshold is than theory's."""
    if ours == allowed:
        return "as loose as theory allows"
    looser = ours < allowed if lower else ours > allowed
    word = "looser" if looser else "tighter"
    if min(ours, allowed) > 0 and (factor := max(ours, allowed) / min(ours, allowed)) >= LEAST_FACTOR:
        return f"{word} by a factor of {number(factor)}"
    return f"{word} by {number(abs(ours - allowed))}"


def _chances(item: CriterionAudit) -> list[str]:
    """The chances of a wrong decision about a criterion."""
    lines = []
    arms = [arm for arm in (*item.arms, *item.controls) if arm.estimated is not None]
    if all(arm.counted < 2 for arm in arms):
        return []
    if arms:
        found = _sum(arm.estimated for arm in arms if arm.estimated is not None)
        low = _sum(arm.pessimistic for arm in arms if arm.pessimistic is not None)
        lines.append(
            f"Chance that it is broken, or undecided, by chance, over all arms and controls: {_pair(found)}; at "
            f"the lower ends of the intervals: {_pair(low)}."
        )
    if item.like_controls is not None:
        lines.append(
            "Chance that it holds in an arm whose runs lie inside as often as those of a control: "
            f"{chance_text(item.like_controls)}."
        )
    return lines


def _pair(chances: tuple[float, float]) -> str:
    """Two probabilities, or once what both are."""
    first, second = map(chance_text, chances)
    return first if first == second else f"{first} and {second}"


def _sum(chances: Iterable[ArmChances]) -> tuple[float, float]:
    """The sums of the chances that an arm is broken, or undecided."""
    listed = list(chances)
    return min(1.0, sum(found.broken for found in listed)), min(1.0, sum(found.undecided for found in listed))


def change_words(change: ChangeAudit) -> str:
    """What is changed, in a line."""
    settings = ", ".join(f"{key} {setting(value)}" for key, value in change.settings.items())
    parts = [change.says.strip().rstrip(".")] if change.says else []
    parts += [settings] if settings else []
    parts += [f"planted: {change.plant}"] if change.plant else []
    return "; ".join(parts)


_STATUS = {
    "holds": "holds",
    "broken": "is broken",
    "noticed": "notices it",
    "in doubt": "does not hold, and is not decided",
    "left out": "has no runs, since an assumption is not met any more",
    "undecided": "is undecided",
    "passed": "does not notice it",
    "no effect": "has the same numbers as without it",
    "error": "has an error",
}


def response_words(change: ChangeAudit) -> str:
    """How all criteria come out under a change, in a line."""
    if change.fault is not None:
        return change.fault
    if not change.responses:
        return "no arm is changed in which a criterion must hold"
    good = [item for item in change.responses if item.status == "holds"]
    runs = f" ({change.runs} run{'s' * (change.runs != 1)})"
    if change.kind == "harmless" and len(good) == len(change.responses):
        return f"every criterion holds{runs}"
    others = [item for item in change.responses if item.status != "holds" or change.kind == "flaw"]
    return "; ".join(f"{item.criterion} {_STATUS[item.status]}{_worst_arm(item)}" for item in others) + runs


def _worst_arm(item: Response) -> str:
    """The arm that decides how a criterion comes out, with its runs."""
    order = ("broken", "undecided", "open", "holds")
    worst = min(item.arms, key=lambda arm: (order.index(arm.decision), arm.inside), default=None)
    if worst is None or item.status in ("no effect", "error"):
        return ""
    undecided = f", {worst.undecided} undecided" if worst.undecided else ""
    return f" ({worst.inside} of {worst.counted} runs inside in {worst.arm}{undecided})"


def noticed(record: AuditRecord) -> tuple[int, int]:
    """How many flaws all their criteria notice, of how many."""
    return _good(record, "flaw")


def unharmed(record: AuditRecord) -> tuple[int, int]:
    """With how many harmless changes every criterion holds, of how many."""
    return _good(record, "harmless")


def _good(record: AuditRecord, kind: str) -> tuple[int, int]:
    """Under how many changes of a kind every criterion comes out as it should, of how many."""
    changes = [change for change in record.result.changes if change.kind == kind]
    return sum(map(is_good, changes)), len(changes)


def smallest_share(record: AuditRecord) -> tuple[CriterionAudit, ArmAudit] | None:
    """The arm or control in which the smallest share of runs is as required; None if no arm has a number."""
    pairs = [(item, arm) for item in record.result.criteria for arm in (*item.arms, *item.controls)]
    return min((pair for pair in pairs if pair[1].share is not None), key=lambda pair: pair[1].share or 0, default=None)


def smallest_gap(record: AuditRecord) -> CriterionAudit | None:
    """The criterion with the smallest gap in units of its spread; None if no criterion has one."""
    found = [item for item in record.result.criteria if item.gap is not None]
    return min(found, key=lambda item: item.gap or 0.0, default=None)


def wrong_words(record: AuditRecord) -> list[str]:
    """How the verdict of a claim could be wrong, in sentences."""
    lines = [fresh_words(record)]
    lines += _wrong_by_chance(record) if record.runs > 1 else ["One run of each arm shows no chances."]
    if (narrow := smallest_gap(record)) is not None and narrow.gap is not None:
        lines.append(
            f"The smallest gap between runs and controls is {number_of_spreads(narrow.gap)} "
            f"({narrow.id}; a spread is the interquartile range of the runs)."
        )
    resolutions = [(item.id, word) for item in record.result.criteria if (word := resolution_word(item)) is not None]
    if resolutions:
        named = "; ".join(f"{name} {word}" for name, word in resolutions)
        lines.append(f"Smallest error of a measure that is noticed in both directions: {named}.")
    return [*lines, *_change_sentences(record)]


def _wrong_by_chance(record: AuditRecord) -> list[str]:
    """How often a run of the claim ends with another verdict by chance, in sentences."""
    result, lines = record.result, []
    if (least := smallest_share(record)) is not None:
        item, arm = least
        where = f"{item.id} in {'the control ' if arm.control else ''}{arm.arm}"
        interval = f"{share_text(arm.share_low)} to {share_text(arm.share_high)}"
        lines.append(f"The smallest share of runs as required is {share_text(arm.share or 0)} ({interval}): {where}.")
    if result.estimated is not None and result.pessimistic is not None:
        now, low = result.estimated, result.pessimistic
        lines.append(
            f"A complete run of the claim ends as not reproduced by chance alone with a chance that is "
            f"{at_most(now.not_reproduced)}, and as inconclusive with one that is {at_most(now.undecided)}. If each "
            f"share were the lower end of its interval, these would be {at_most(low.not_reproduced)} and "
            f"{at_most(low.undecided)}."
        )
    missed = f"{chance_text(result.false_holds)}"
    lines.append(
        f"A criterion that {percent(BAD)} of all possible runs satisfy would hold in an arm with a chance of {missed}."
    )
    like = max((item.like_controls for item in result.criteria if item.like_controls is not None), default=None)
    if like is not None:
        lines.append(
            "If the runs of an arm lay inside only as often as those of a control, a criterion would hold there with a "
            f"chance that is {at_most(like)}."
        )
    return lines


def stored_words(record: AuditRecord, claim: Claim, runner_hash: str, numbers: str = "") -> list[str]:
    """How the verdict of a claim could be wrong by a stored audit, which may be older than the claim or its runner.

    Args:
        record: the audit.
        claim: the claim as it is now.
        runner_hash: the SHA-256 of the sources of its runner as they are now.
        numbers: the digest of the numbers that these sources give on the claim's own seeds.
    """
    same = record.claim_hash == claim_hash(claim) and same_runner(record, runner_hash, numbers)
    old = [] if same else ["This audit was made of an earlier version of the claim or of its runner."]
    return [*old, *wrong_words(record), *(f"Finding: {line}" for line in finding_lines(record.result.findings))]


def _change_sentences(record: AuditRecord) -> list[str]:
    """How many flaws are noticed, and how many harmless changes are passed."""
    (seen, flaws), (good, harmless) = noticed(record), unharmed(record)
    parts = [f"{seen} of {flaws} flaws that were planted are noticed" if flaws else "No flaw was tried"]
    parts += [f"{good} of {harmless} harmless changes change nothing" if harmless else "no harmless change was tried"]
    return [f"{'; '.join(parts)}."]


def is_good(change: ChangeAudit) -> bool:
    """Whether every criterion comes out under a change as it should."""
    good = bool(change.responses) and all(item.status in GOOD_STATUS for item in change.responses)
    return good and change.fault is None


def counts(records: Sequence[AuditRecord]) -> str:
    """How many claims pass their audit, in a sentence."""
    passed = sum(not record.result.findings for record in records)
    claims = f"{len(records)} claim{'s' * (len(records) != 1)}"
    return f"{passed} of {claims} pass{'es' * (len(records) == 1)} the audit"


def table_cells(record: AuditRecord) -> tuple[str, ...]:
    """One audit as a row of the table of audits."""
    least, narrow, now = smallest_share(record), smallest_gap(record), record.result.estimated
    share = "none"
    if least is not None:
        arm = least[1]
        share = f"{share_text(arm.share or 0.0)} ({share_text(arm.share_low)} to {share_text(arm.share_high)})"
    resolutions = [(item.id, word) for item in record.result.criteria if (word := resolution_word(item)) is not None]
    return (
        "✗" if record.result.findings else "✓",
        record.id,
        share,
        "none" if narrow is None else f"{number_of_spreads(narrow.gap or 0.0)} ({narrow.id})",
        "; ".join(f"{word} ({name})" for name, word in resolutions) or "none",
        "{} of {}".format(*noticed(record)),
        "{} of {}".format(*unharmed(record)),
        "none" if now is None else chance_text(min(1.0, now.not_reproduced + now.undecided)),
    )


def finding_lines(findings: Sequence[str]) -> list[str]:
    """Findings as sentences of a list."""
    return [f"{text[0].upper()}{text[1:]}." for text in findings]
