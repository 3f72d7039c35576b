"""A report as one page that needs nothing else: no network, no script, light or dark, on a screen or on paper."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dlnrepro.archive.provenance import Provenance
from dlnrepro.archive.record import ClaimRecord, Report
from dlnrepro.claimfile.schema import Claim
from dlnrepro.report.drawing.colours import COLOURS, DARK_COLOURS
from dlnrepro.report.drawing.figures import figure
from dlnrepro.report.drawing.legend import controls
from dlnrepro.report.drawing.strip_plot import strip_plot
from dlnrepro.report.words.digest import (
    MARKS,
    SIGNS,
    allowance,
    computing_time,
    control_words,
    departures,
    failed_controls,
    interruption,
    passing_runs,
    tightest,
    unjudged_words,
)
from dlnrepro.report.words.html_ids import with_html_ids
from dlnrepro.report.words.numbers import duration, number
from dlnrepro.report.words.origins import differing_origins
from dlnrepro.report.words.typeset import bound_words, in_html
from dlnrepro.report.words.words import STAMPS, evidence_of_criterion, size
from dlnrepro.settings.numerals import setting
from dlnrepro.verdict.judge import Judged
from dlnrepro.visible import visible


@dataclass(frozen=True)
class Shown:
    """A criterion beside its strip plot and the claim's reason for its threshold."""

    item: Judged
    plot: Markup
    why: str


@dataclass(frozen=True)
class Card:
    """All that the page says of one claim.

    Attributes:
        html_id: the claim's id, which differs from that of another claim of the same name.
        figures: each title and picture.
        settings: every parameter of the runner, as it was outside the arms that change it, and what the claim file has
            instead, if it was changed.
        controls: the arms that serve as controls.
        passing: how many runs pass, of how many.
        failed: how many controls fail as required, of how many.
        changed: how parameters differ from the claim file, arm by arm.
    """

    html_id: str
    record: ClaimRecord
    claim: Claim
    figures: list[tuple[str, Markup]]
    criteria: list[Shown]
    settings: list[tuple[str, Any, Any]]
    controls: set[str]
    passing: tuple[int, int]
    failed: tuple[int, int]
    tightest: str
    time: str
    changed: list[str]


def to_html(report: Report) -> bytes:
    """The report as an HTML page in UTF-8; the same report gives the same bytes."""
    page = (
        _environment()
        .get_template("page.html")
        .render(
            report=report,
            interruption=interruption(report),
            unjudged=[unjudged_words(item) for item in report.unjudged],
            cards=[_card(record, html_id) for html_id, record in with_html_ids(report)],
            provenance=[*_origin(report.provenance), *differing_origins(report)],
            colours=COLOURS,
            dark_colours=DARK_COLOURS,
        )
    )
    return page.encode()


def _card(record: ClaimRecord, html_id: str) -> Card:
    """A claim laid out, its pictures drawn."""
    claim = Claim.model_validate(record.claim)
    why = {criterion.id: criterion.why or criterion.because or "" for criterion in claim.criteria}
    # Markup: the pictures are our own drawing, in which every text is escaped.
    figures = [
        (drawing.title, Markup(figure(record, index, f"{html_id}.figure.{index}").inline()))
        for index, drawing in enumerate(record.drawings)
    ]
    criteria = [
        Shown(item, Markup(strip_plot(record, item, f"{html_id}.plot.{index}").inline()), why[item.id])
        for index, item in enumerate(record.criteria)
    ]
    return Card(
        html_id=html_id,
        record=record,
        claim=claim,
        figures=figures,
        criteria=criteria,
        settings=list(_settings(record, claim)),
        controls=controls(record),
        passing=passing_runs(record),
        failed=failed_controls(record),
        tightest=tightest(record),
        time=computing_time(record),
        changed=departures(record),
    )


def _settings(record: ClaimRecord, claim: Claim) -> Iterator[tuple[str, Any, Any]]:
    """Each parameter with its value, and the claim file's if that is another."""
    for key, written in claim.setup.items():
        plain = [params for arm, params in record.params.items() if key not in claim.arms.get(arm, {key: None})]
        used = [params[key] for params in plain if key in params]
        value = used[0] if used else written
        yield key, value, written if value != written else None


def _origin(provenance: Provenance) -> Iterator[tuple[str, str]]:
    """Where a report came from, entry by entry, in words."""
    for key, value in provenance.items():
        name = key.replace("_", " ")
        if isinstance(value, dict):
            yield name, ", ".join(f"{part} {found}" for part, found in value.items())
        elif key == "command" and isinstance(value, list):
            yield name, shlex.join(map(str, value))
        elif key.endswith("_bytes") and isinstance(value, int):
            yield name.removesuffix(" bytes"), size(value)
        elif key.endswith("_seconds") and isinstance(value, int | float):
            yield name.removesuffix(" seconds") + " time", duration(value)
        else:
            yield name, "unknown" if value is None else setting(value)


@cache
def _environment() -> Environment:
    """The templates, in which everything is escaped and nothing may be missing."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: visible(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number, "duration": duration, "typeset": in_html,
        "bound": bound_words, "setting": setting, "evidence": evidence_of_criterion, "allowance": allowance,
        "control": control_words,
    }  # fmt: skip
    environment.globals |= {"SIGNS": SIGNS, "MARKS": MARKS, "STAMPS": STAMPS}
    return environment
