"""One claim in full: what it says, how it is tested, where it comes from, and each test with its numbers."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from dlnrepro.claimfile.catalogue import command_name
from dlnrepro.claimfile.controls import kinds, wrong_formulas
from dlnrepro.claimfile.parameters import Derived, numbers, resolved_by_text, settled
from dlnrepro.claimfile.reach import arm_values, setters
from dlnrepro.claimfile.schema import Bounded, Claim, Criterion
from dlnrepro.registry.functions.reference import is_function
from dlnrepro.report.terminal.sparklines import text_figure
from dlnrepro.report.terminal.terminal_page import TerminalPage
from dlnrepro.report.terminal.verdict_text import verdict_text
from dlnrepro.report.words.brief.outcomes import last_words
from dlnrepro.report.words.digest import (
    MARKS,
    ONLY_FORMULAS,
    control_note,
    controls_words,
    covers_words,
    derived_lines,
    gap_words,
    is_tested,
    only_formulas,
    outcome,
    passing_runs,
    role,
    spread,
    tested_words,
    tightest,
    weak_controls,
    with_numbers,
)
from dlnrepro.report.words.labels import qualifications
from dlnrepro.report.words.margins import factor_words, slack_words
from dlnrepro.report.words.numbers import number
from dlnrepro.report.words.others import printed
from dlnrepro.report.words.remedies import counterexamples, remedies
from dlnrepro.report.words.resolution import resolution
from dlnrepro.report.words.shares import (
    SIGNS_OF_ARMS,
    decision_words,
    further_runs,
    inside_words,
    interval_words,
    quantifier_words,
    share_words,
    uncounted_words,
)
from dlnrepro.report.words.words import basis_words, reason_words
from dlnrepro.settings.formula import names_in
from dlnrepro.settings.numerals import setting
from dlnrepro.verdict.bounds import stated_in_arms
from dlnrepro.verdict.check import Check
from dlnrepro.verdict.judge import Judged, requirement, wanted

if TYPE_CHECKING:
    # Only for annotations: `dlnrepro show` has no report, and this import takes a third of its time.
    from dlnrepro.archive.last_results import LastVerdict
    from dlnrepro.archive.record import ClaimRecord

ASSUMPTIONS = "assumptions: a run that does not meet one is left out"
CRITERIA = "criteria, each with its negative controls, which must fail"
FIXED = "The thresholds are fixed in the claim file before the program runs."
PRECISION = "All runs compute in double precision (float64)."
HEADS = ("\n\narm", "\nruns\ninside", "share as\nrequired\n(95 % interval)", "\n\nmedian", "\n smallest\n … largest")
"""The heads of the table of arms, in three lines so that the columns need little room."""
PRINTED_HEADS = ("\n\nprinted number", "\n\nprinted", "\n\nours (smallest … largest run)", "units\nof the\nlast digit")
"""The heads of the table of printed numbers, in which the difference is ours minus the printed number."""
SIGNS_OF_PRINTED = {
    "to the last digit": ("✓", "green"),
    "within the runs": ("✓", "green"),
    "differs": ("✗", "yellow"),
    "not compared": ("?", ""),
}


def record_page(page: TerminalPage, record: ClaimRecord, history: bool = False) -> None:
    """A claim with its verdict and all numbers.

    Args:
        page: what it is laid out on.
        record: the claim.
        history: whether to say what was changed in its tests after they were first run.
    """
    claim = Claim.model_validate(record.claim)
    for word, says in qualifications(record):
        page.line((f"{word}: ", "yellow"), says, hang=2)
    _title(page, claim, verdict_text(record))
    _heading(page, "verdict")
    _verdict(page, record, claim)
    _opening(page, claim, full=not {"toy", "modified"} & set(record.stamps))
    if record.expect == "not reproduced" and claim.because:
        _heading(page, "why the claim is expected to fail")
        page.line(page.typeset(_flowing(claim.because)), indent=4)
    _source(page, claim)
    _arms(page, claim, [arm for arm in claim.arms if arm in record.outcomes])
    _formulas(page, {arm: record.formulas.get(arm, {}) for arm in record.outcomes})
    if assumptions := with_numbers(record, record.assumptions):
        _heading(page, ASSUMPTIONS)
    for item in assumptions:
        _assumption(page, item, record.meanings)
    if criteria := with_numbers(record, record.criteria):
        _heading(page, CRITERIA)
        page.line((FIXED + _changed(claim) * (not history), "dim"), indent=4)
    written = {criterion.id: criterion for criterion in claim.criteria}
    for item in criteria:
        page.line()
        _numbers(page, item, record.meanings)
        _printed(page, record, item.id)
        _reason(page, written[item.id], history)
    if record.drawings and record.drawings[0].lines:
        _heading(page, f"figure: {page.typeset(record.drawings[0].title)}")
        text_figure(page, record.drawings[0], record.meanings)
        if note := resolution(record.drawings[0]):
            page.line((note, "dim"), indent=4)
    _heading(page, "to repeat this")
    page.verbatim(record.command, indent=4)


def claim_page(
    page: TerminalPage,
    claim: Claim,
    path: Path,
    last: LastVerdict | None,
    meanings: Mapping[str, str],
    settings: Mapping[str, str] | None = None,
    audit: Sequence[str] = (),
    slacks: Mapping[str, float | None] | None = None,
) -> None:
    """A claim from its file alone: the same page without numbers, and its settings.

    Args:
        page: what it is laid out on.
        claim: the claim.
        path: its file.
        last: how it came out last, if it has run.
        meanings: the definitions of its measures, as far as they are known.
        settings: the meaning of each setting; with it the page also says what was changed in the tests after they were
            first run.
        audit: how its verdict could be wrong, by its last audit, in sentences.
        slacks: the factor between the threshold and the worst run of each criterion, as far as it is known.
    """
    history = settings is not None
    _title(page, claim, None)
    _opening(page, claim)
    if claim.covers:
        _heading(page, "how much of the source is tested")
        tested = tested_words(claim.covers.what, claim.covers.says)
        page.line(page.typeset(tested[:1].upper() + tested[1:]), indent=4)
    _source(page, claim)
    page.line(f"Basis: {basis_words(claim.source.basis)}", indent=4, hang=2)
    if claim.because:
        _heading(page, f"expected verdict: {claim.expect}")
        page.line(page.typeset(_flowing(claim.because)), indent=4)
    if claim.assumptions:
        _heading(page, ASSUMPTIONS)
    for assumption in claim.assumptions:
        page.line(page.typeset(assumption.says), indent=4, hang=2)
        _required(page, claim, assumption, meanings)
        _reason(page, assumption, history)
    _heading(page, CRITERIA)
    for index, criterion in enumerate(claim.criteria):
        if index:
            page.line()
        page.line((criterion.id, "bold"), f"   {page.typeset(criterion.says)}", indent=4, hang=2)
        _required(page, claim, criterion, meanings)
        _must_fail(page, claim, criterion)
        for said in printed.stated_in_file(criterion):
            page.line(page.typeset(said), indent=6, hang=2)
        _reason(page, criterion, history)
        if (slack := (slacks or {}).get(criterion.id)) is not None:
            page.line(f"in the stored reference: {factor_words(slack)}", indent=6, hang=2)
    _settings(page, claim, settings or {})
    if not history:
        page.line(("`dlnrepro show -v` explains each setting.", "dim"), indent=4, hang=2)
    _arms(page, claim, list(claim.arms), f", at least {claim.seeds} run{'s' * (claim.seeds != 1)} each")
    _formulas(page, {arm: resolved_by_text(arm_values(claim, arm, {}, quick=False)).derived for arm in claim.arms})
    if audit:
        from dlnrepro.report.words.audit_words import QUESTION

        _heading(page, QUESTION)
    for line in audit:
        page.line(line, indent=4, hang=2)
    _heading(page, "to run it")
    page.verbatim(f"dlnrepro run {command_name(path, by_path=is_function(claim.runner))}", indent=4)
    covers = claim.covers.what if claim.covers else None
    page.line(f"last time: {last_words(last, covers)}", indent=4, hang=2)
    page.verbatim(str(path), indent=4)


def _title(page: TerminalPage, claim: Claim, verdict: Text | None) -> None:
    """The id, the verdict if there is one, and the title."""
    page.line((claim.id, "bold"), "   ", *([(verdict.plain, str(verdict.style))] if verdict is not None else []))
    page.line(page.typeset(claim.title), indent=2, hang=2)


def _opening(page: TerminalPage, claim: Claim, full: bool = True) -> None:
    """The statement and the experiment, which is that of the claim file also where the result is not the full one."""
    _heading(page, "statement")
    page.line(page.typeset(_flowing(claim.statement)), indent=4)
    # A function of a user computes in the precision that it chooses itself.
    said = [page.typeset(_flowing(claim.experiment))] if claim.experiment else []
    said += [] if is_function(claim.runner) else [PRECISION]
    if said:
        _heading(
            page, "experiment" if full else "experiment of the claim file (this result differs from it, see above)"
        )
        page.line(" ".join(said), indent=4)
    if claim.independent:
        _heading(page, "independent route to the decisive number")
        page.line(page.typeset(_flowing(claim.independent)), indent=4)


def _source(page: TerminalPage, claim: Claim) -> None:
    """The paper, and which parts of it were read."""
    source = claim.source
    _heading(page, "source")
    page.line(source.citation, indent=4, hang=2)
    if source.note:
        page.line((page.typeset(_flowing(source.note)), "dim"), indent=4)


def _verdict(page: TerminalPage, record: ClaimRecord, claim: Claim) -> None:
    """The verdict and its reason, and on how many runs, on which basis and on what margin it rests."""
    expected = {
        (True, "not reproduced"): ", as expected",
        (False, "not reproduced"): ", though it was expected not to be",
    }.get((record.as_expected, record.expect), "")
    page.line((f"{outcome(record)}{expected}: ", str(verdict_text(record).style)), record.because, indent=4, hang=2)
    faults = [f"arm {arm}: {outcome.fault}" for arm, outcome in record.outcomes.items() if outcome.fault]
    for fault in faults[1:]:  # the first one is the reason, which stands above
        page.line(fault, indent=6, hang=2)
    if covers := covers_words(record):
        page.line(f"covers: {page.typeset(covers)}", indent=4, hang=2)
    passed, runs = passing_runs(record)
    if is_tested(record):
        page.line(f"runs passed: {passed} of {runs}; {controls_words(record)}", indent=4, hang=2)
    for said in weak_controls(record):
        page.line(said, indent=4, hang=2)
    page.line(f"basis: {basis_words(claim.source.basis)}", indent=4, hang=2)
    if (words := tightest(record)) != "none":
        page.line(f"tightest criterion: {words}", indent=4, hang=2)
    for said in further_runs(record):
        page.line(said, indent=4, hang=2)
    if counted := printed.printed_counts([record]):
        page.line(counted, indent=4, hang=2)
    for said in printed.printed_differences(record):
        page.line((said, "yellow"), indent=4, hang=2)
    if why := printed.why_not_compared(record):
        page.line(why, indent=4, hang=2)
    for found in counterexamples(record):
        page.line((found.says, "red"), indent=4, hang=2)
        page.verbatim(found.command, indent=6)
    for said in remedies(record):
        page.line(said, indent=4, hang=2)


def _changed(claim: Claim) -> str:
    """How many thresholds were changed after the first runs, in a sentence; nothing if none was."""
    changed = [item.history is not None for item in (*claim.assumptions, *claim.criteria)]
    if not any(changed):
        return ""
    counted = f"{sum(changed)} of {len(changed)} {'was' if sum(changed) == 1 else 'were'}"
    return f" {counted} changed after the first runs; `dlnrepro report -v` shows what was changed, and why."


def _settings(page: TerminalPage, claim: Claim, meanings: Mapping[str, str]) -> None:
    """Every parameter, its meaning if it is known, and the arms that set it themselves."""
    _heading(page, f"settings of the runner {claim.runner}")
    rows: list[list[str | Text]] = [[key, setting(value)] for key, value in claim.setup.items()]
    by_arms = setters(claim)
    below = []
    for key in claim.setup:
        texts = [page.typeset(_flowing(meanings[key]))] if key in meanings else []
        if key in by_arms:
            texts += [f"{len(by_arms[key])} of {len(claim.arms)} arms set this themselves: {', '.join(by_arms[key])}"]
        below.append("\n".join(texts))
    page.table(rows, indent=4, folds=1, below=below)


def _arms(page: TerminalPage, claim: Claim, arms: Sequence[str], runs: str = "") -> None:
    """Some arms of a claim with what each changes in its settings."""
    _heading(page, f"arms: the settings with a few named changes{runs}")
    roles = kinds(claim)
    for arm in arms:
        changes = ", ".join(f"{key} {setting(value)}" for key, value in claim.arms[arm].items())
        name = f"{roles[arm]} {arm}" if arm in roles else arm
        page.line((name, "bold"), f"   {changes or 'the settings as they are'}", indent=4, hang=2)
        if arm in claim.controls:
            page.line(page.typeset(_flowing(claim.controls[arm])), indent=6, hang=2)


def _formulas(page: TerminalPage, of_arms: Mapping[str, Mapping[str, Derived]]) -> None:
    """The settings that are formulas, with their values in the arms."""
    lines = derived_lines(of_arms)
    if lines:
        _heading(page, "settings that are formulas, with their values")
    for line in lines:
        page.line(line, indent=4, hang=2)


def _heading(page: TerminalPage, text: str) -> None:
    """A heading with a blank line above."""
    page.line()
    page.line((text, "underline"), indent=2, hang=2)


def _flowing(text: str) -> str:
    """A text whose lines are broken by the page alone."""
    return " ".join(text.split())


def _required(page: TerminalPage, claim: Claim, item: Bounded, meanings: Mapping[str, str]) -> None:
    """What a test of a claim file requires, in which arms, and what its measure is."""
    named = [*item.holds_in, *(item.fails_in if isinstance(item, Criterion) else ())]
    values = stated_in_arms(item.bounds, [numbers(settled(arm_values(claim, arm, {}, quick=False))) for arm in named])
    wanted = requirement(item.quantity, values)
    arms = f"; in {', '.join(item.holds_in)}"
    given = numbers(claim.setup)
    runs = "every" if item.measure is None and all(name in given for name in item.named) else item.runs
    page.line("required: ", (wanted, "bold"), quantifier_words(runs), arms, indent=6, hang=2)
    _meaning(page, item.named, meanings)


def _must_fail(page: TerminalPage, claim: Claim, criterion: Criterion) -> None:
    """The controls of a criterion of a claim file, those that break a hypothesis first, or why there are none."""
    formulas = wrong_formulas(claim, criterion)
    groups = [", ".join(arm for arm in criterion.fails_in if (arm in formulas) == wrong) for wrong in (False, True)]
    named = [*filter(None, groups[:1]), *(f"the wrong formulas {arms}" for arms in groups[1:] if arms)]
    controls = "; ".join(named) or f"no arm: {page.typeset(criterion.because or '')}"
    page.line(f"must fail in {controls}", indent=6, hang=2)
    if formulas and formulas == {*criterion.fails_in}:
        page.line(ONLY_FORMULAS, indent=6, hang=2)


def _meaning(page: TerminalPage, named: Sequence[str], meanings: Mapping[str, str]) -> None:
    """What a measure is, and each measure from which its threshold follows, where that is known."""
    for measure in named:
        if meaning := meanings.get(measure):
            page.line((f"{measure}: {page.typeset(_flowing(meaning))}", "dim"), indent=6, hang=2)


def _assumption(page: TerminalPage, item: Judged, meanings: Mapping[str, str]) -> None:
    """An assumption: its sentence, and its numbers over all arms in a line; arm by arm only where it is not met."""
    if not item.holds:
        _numbers(page, item, meanings)
        return
    values = [value for check in item.holds_in for value in check.values if value is not None]
    arms = f" in {len(item.holds_in)} arms" if len(item.holds_in) > 1 else ""
    page.line(("✓ ", "green"), page.typeset(item.says), indent=4, hang=2)
    _requirement(page, item, meanings)
    inside, counted = (sum(getattr(check, name) for check in item.holds_in) for name in ("inside", "counted"))
    lowest = min(item.holds_in, key=lambda check: check.share_low)
    interval = f"95 % interval of the share{' in each' * bool(arms)}: {interval_words(lowest)} %"
    if inside < counted and arms:
        interval = f"lowest share in {lowest.arm}: {share_words(lowest)}"
    range_ = f"median {number(statistics.median(values))}, from {number(min(values))} to {number(max(values))}"
    page.line(f"{inside} of {counted} runs{arms} inside ({interval}); {range_}", indent=6, hang=2)


def _numbers(page: TerminalPage, item: Judged, meanings: Mapping[str, str]) -> None:
    """A criterion, or an assumption that is not met: its sentence, threshold, and a row for each arm and control."""
    sign, style = MARKS[item.mark], {"pass": "green", "fail": "red", "undecided": "yellow"}[item.mark]
    page.line((f"{sign} {item.id}", style), f"   {page.typeset(item.says)}", indent=4, hang=2)
    _requirement(page, item, meanings)
    checks = (*item.holds_in, *item.fails_in)
    rows, notes = [_row(check) for check in checks], [_note(check) for check in checks]
    page.table(rows, right=(1, 2, 3), indent=6, folds=0, heads=HEADS, below=notes)
    said = [ONLY_FORMULAS if only_formulas(item) else None, gap_words(item), slack_words(item)]
    for words in filter(None, said):
        page.line(words, indent=6, hang=2)


def _printed(page: TerminalPage, record: ClaimRecord, criterion: str) -> None:
    """The numbers that others have printed for a criterion: a row for each with ours, and where they are printed."""
    if not (items := printed.of_criterion(record, criterion)):
        return
    page.line()
    rows: list[list[str | Text]] = []
    for item in items:
        sign, style = SIGNS_OF_PRINTED[item.agreement]
        name, text, ours, units, _ = printed.row(item)
        rows.append([Text(f"{sign} {name}", style=style), text, ours, units])
    notes = ["" if item.agreement == "to the last digit" else printed.agreement_words(item) for item in items]
    page.table(rows, right=(1, 3), indent=6, folds=0, heads=PRINTED_HEADS, below=notes)
    for said in printed.sources(items):
        page.line((page.typeset(said), "dim"), indent=6, hang=2)


def _requirement(page: TerminalPage, item: Judged, meanings: Mapping[str, str]) -> None:
    """The interval that is required, and what the measure is."""
    page.line("required: ", (wanted(item), "bold"), quantifier_words(item.runs), indent=6, hang=2)
    _meaning(page, (item.measure, *names_in(item.interval)), meanings)


def _reason(page: TerminalPage, item: Bounded, history: bool) -> None:
    """Where a threshold comes from, or why there is no control, and what was changed if that is asked for."""
    if item.why:
        page.line((page.typeset(reason_words(item.why)), "dim"), indent=6, hang=2)
    elif isinstance(item, Criterion) and item.because:
        page.line((f"no control: {page.typeset(_flowing(item.because))}", "dim"), indent=6, hang=2)
    if isinstance(item, Criterion) and item.slack:
        page.line((f"reason for the slack: {page.typeset(_flowing(item.slack))}", "dim"), indent=6, hang=2)
    if history and item.history:
        page.line((f"history: {page.typeset(_flowing(item.history))}", "dim"), indent=6, hang=2)


def _row(check: Check) -> list[str | Text]:
    """One arm in its words, with the sign of its decision; what is not as required stands out."""
    style = "" if check.holds else "red" if check.broken and not check.control else "yellow"
    name = f"{SIGNS_OF_ARMS[check.decision]} {role(check)}{check.arm}"
    return [
        Text(name, style=style),
        inside_words(check),
        share_words(check),
        number(check.median),
        f" {spread(check)}",
    ]


def _note(check: Check) -> str:
    """What the row of an arm does not say: runs that do not count, and a decision that is not as required."""
    said = control_note(check) or ("" if check.holds else decision_words(check))
    return "; ".join(filter(None, [uncounted_words(check), said]))
