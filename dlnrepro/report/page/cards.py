"""One claim of a report, laid out for the page: its pictures are drawn, and its settings compared with its file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from dlnrepro.archive.audits import AuditRecord
from dlnrepro.archive.record import ClaimRecord
from dlnrepro.archive.references import numbers_digest
from dlnrepro.claimfile.parameters import with_values
from dlnrepro.claimfile.schema import Bounded, Claim, Criterion
from dlnrepro.report.drawing.figures import figure
from dlnrepro.report.drawing.legend import controls, formulas
from dlnrepro.report.drawing.strip_plot import strip_plot
from dlnrepro.report.page.notes import failing_arms, runs_per_arm
from dlnrepro.report.words.audit_words import stored_words
from dlnrepro.report.words.digest import (
    computing_time,
    covers_words,
    derived_lines,
    failed_controls,
    is_tested,
    passing_runs,
    tightest,
    weak_controls,
    with_numbers,
)
from dlnrepro.report.words.labels import qualifications
from dlnrepro.report.words.others import printed
from dlnrepro.report.words.remedies import Counterexample, counterexamples, remedies
from dlnrepro.report.words.resolution import resolution
from dlnrepro.report.words.shares import further_runs
from dlnrepro.report.words.words import reason_words
from dlnrepro.verdict.judge import Judged


@dataclass(frozen=True)
class Shown:
    """A criterion or assumption with its strip plot, which an assumption that is met does not need.

    Attributes:
        why: where the threshold comes from, and the reason for it; None if the claim gives none.
        because: why there is no control.
        slack: why the threshold may be far from every run.
        history: what was changed after the first runs.
        printed: the numbers that others have printed, each as a row of a table, and whether it differs.
        sources: where they are printed.
    """

    item: Judged
    plot: Markup | None
    why: tuple[str, str] | None
    because: str
    slack: str
    history: str
    printed: list[tuple[tuple[str, str, str, str, str], bool]]
    sources: list[str]


@dataclass(frozen=True)
class Drawn:
    """A figure with its title and, where it needs one, a note below it."""

    title: str
    picture: Markup
    note: str | None


@dataclass(frozen=True)
class Card:
    """All that the page says of one claim.

    Attributes:
        html_id: the claim's id, which differs from that of another claim of the same name.
        settings: every parameter of the runner, as it was outside the arms that change it, and what the claim file has
            instead, if it was changed.
        derived: the settings that are formulas, with their values in the arms, line by line.
        controls: the arms that serve as controls.
        formulas: those of them that are wrong formulas.
        covers: how much of the source's statement is tested, in a sentence; None if the claim file does not say.
        weak: the criteria of which no control breaks a hypothesis.
        runs: how many runs the arms of this result have.
        passing: how many runs pass, of how many.
        failed: how many controls fail as required, of how many.
        further: why arms have further runs.
        counterexamples: the runs that refute criteria for every run.
        remedies: what can still be done about the arms that are not as required.
        failing: the arms that keep the claim from being reproduced, line by line, where one sentence cannot say it.
        qualified: how the result departs from the claim file: words in capitals, each with what it means here.
        reduced: whether it is the result of the quick profile.
        full_command: runs the claim without the quick profile.
        printed: how many numbers that others have printed agree with ours; None without such numbers.
        differing: the printed numbers that differ, and why numbers are not compared.
        audit: how the verdict could be wrong, in sentences, by the stored audit of the claim; empty without one.
    """

    html_id: str
    record: ClaimRecord
    claim: Claim
    figures: list[Drawn]
    criteria: list[Shown]
    assumptions: list[Shown]
    settings: list[tuple[str, Any, Any]]
    derived: list[str]
    controls: set[str]
    formulas: set[str]
    covers: str | None
    weak: list[str]
    runs: str
    passing: tuple[int, int]
    failed: tuple[int, int]
    further: list[str]
    counterexamples: list[Counterexample]
    remedies: list[str]
    failing: list[str]
    tightest: str
    time: str
    qualified: list[tuple[str, str]]
    reduced: bool
    full_command: str
    printed: str | None
    differing: list[str]
    audit: list[str]


def card_of(record: ClaimRecord, html_id: str, audit: AuditRecord | None = None) -> Card:
    """A claim laid out, its pictures drawn, with its audit if there is one."""
    claim = Claim.model_validate(record.claim)
    shown = {item.id for item in with_numbers(record, record.criteria)}
    criteria = [pair for pair in zip(record.criteria, claim.criteria, strict=True) if pair[0].id in shown]
    assumptions = zip(record.assumptions, claim.assumptions, strict=True) if is_tested(record) else ()
    return Card(
        html_id=html_id,
        record=record,
        claim=claim,
        figures=_figures(record, html_id),
        criteria=[_shown(record, *pair, f"{html_id}.plot.{index}") for index, pair in enumerate(criteria)],
        assumptions=[_shown(record, *pair, None) for pair in assumptions],
        settings=list(_settings(record, claim)),
        derived=derived_lines({arm: record.formulas.get(arm, {}) for arm in record.outcomes}),
        controls=controls(record),
        formulas=formulas(record),
        covers=covers_words(record),
        weak=weak_controls(record),
        runs=runs_per_arm(record),
        passing=passing_runs(record),
        failed=failed_controls(record),
        further=further_runs(record),
        counterexamples=counterexamples(record),
        remedies=remedies(record),
        failing=failing_arms(record),
        tightest=tightest(record),
        time=computing_time(record),
        qualified=qualifications(record),
        reduced="toy" in record.stamps,
        full_command=record.command.replace(" --quick", ""),
        printed=printed.printed_counts([record]),
        differing=[*printed.printed_differences(record), *filter(None, [printed.why_not_compared(record)])],
        audit=[] if audit is None else stored_words(audit, claim, record.runner_hash, numbers_digest(record)),
    )


def _figures(record: ClaimRecord, html_id: str) -> list[Drawn]:
    """The figures of a claim. Markup: they are our own drawing, in which every text is escaped."""
    return [
        Drawn(drawing.title, Markup(figure(record, index, f"{html_id}.figure.{index}").inline()), resolution(drawing))
        for index, drawing in enumerate(record.drawings)
    ]


def _shown(record: ClaimRecord, item: Judged, bounded: Bounded, name: str | None) -> Shown:
    """A criterion or assumption with the words of its claim, and with a plot if the plot has a name."""
    plot = None if name is None else Markup(strip_plot(record.meanings, item, name).inline())
    because = bounded.because if isinstance(bounded, Criterion) else None
    slack = bounded.slack if isinstance(bounded, Criterion) else None
    found = printed.of_criterion(record, bounded.id) if isinstance(bounded, Criterion) else []
    return Shown(
        item=item,
        plot=plot,
        why=_reason(bounded.why),
        because=because or "",
        slack=slack or "",
        history=bounded.history or "",
        printed=[(printed.row(one), printed.differs(one)) for one in found],
        sources=printed.sources(found),
    )


def _reason(why: str | None) -> tuple[str, str] | None:
    """A reason as its heading, such as `Threshold from theory`, and its sentence."""
    if why is None:
        return None
    heading, _, sentence = reason_words(why).partition(": ")
    return heading.capitalize(), sentence


def _settings(record: ClaimRecord, claim: Claim) -> Iterator[tuple[str, Any, Any]]:
    """Each parameter with its value, and the claim file's if that is another."""
    for key, written in claim.setup.items():
        plain = [params for arm, params in record.params.items() if key not in claim.arms.get(arm, {key: None})]
        used = [params[key] for params in plain if key in params]
        value = used[0] if used else written
        stated = with_values(written, value)
        if stated != written:
            yield key, stated, None
        else:
            yield key, value, written if value != written else None
