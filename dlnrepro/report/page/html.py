"""A report as one page that needs nothing else: no network, no script, light or dark, on a screen or on paper."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from dlnrepro.archive.audits import AuditRecord
from dlnrepro.archive.provenance import Provenance
from dlnrepro.archive.record import Report
from dlnrepro.report.drawing.colours import COLOURS, DARK_COLOURS
from dlnrepro.report.page.cards import card_of
from dlnrepro.report.page.notes import reduced_report, uninformative
from dlnrepro.report.page.overview import choices, expected_counts, ordered, shared_facts, shown_in
from dlnrepro.report.words.brief.outcomes import LABELS
from dlnrepro.report.words.digest import (
    BASES,
    MARKS,
    SIGNS,
    covers_of,
    interruption,
    outcome,
    role,
    unjudged_words,
    verdict_counts,
)
from dlnrepro.report.words.glossary import GLOSSARY
from dlnrepro.report.words.html_ids import with_html_ids
from dlnrepro.report.words.numbers import duration, number, percent
from dlnrepro.report.words.origins import differing_origins
from dlnrepro.report.words.others.printed import printed_counts
from dlnrepro.report.words.shares import (
    SIGNS_OF_ARMS,
    decision_words,
    inside_words,
    quantifier_words,
    share_words,
    uncounted_words,
)
from dlnrepro.report.words.typeset import bound_words, in_html
from dlnrepro.report.words.words import STAMPS, evidence_of_criterion, size
from dlnrepro.settings.numerals import setting
from dlnrepro.visible import visible

LEGEND = (
    "run",
    "arm",
    "covers",
    "control",
    "wrong formula",
    "almost all",
    "every",
    "share",
    "95 % interval",
    "tightest criterion",
)
"""The words of the glossary that a reader needs for the summary."""


def to_html(report: Report, audits: Mapping[str, AuditRecord] | None = None) -> bytes:
    """The report as an HTML page in UTF-8; the same report with the same audits gives the same bytes.

    Args:
        report: the report.
        audits: the audits of its claims that are known, by the ids of the claims.
    """
    page = (
        environment()
        .get_template("page.html")
        .render(
            report=report,
            interruption=interruption(report),
            unjudged=[unjudged_words(item) for item in report.unjudged],
            papers=ordered(
                [card_of(record, html_id, (audits or {}).get(record.id)) for html_id, record in with_html_ids(report)]
            ),
            choices=choices(report),
            counted=verdict_counts(report) if any(map(covers_of, report.claims)) else "",
            printed=printed_counts(report.claims),
            facts=shared_facts(report),
            reduced=reduced_report(report),
            expected=expected_counts(report),
            provenance=[*_origin(report.provenance), *differing_origins(report)],
            colours=COLOURS,
            dark_colours=DARK_COLOURS,
        )
    )
    return page.encode()


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


def _capitalised(text: str) -> str:
    """A text with a capital letter, in which all other letters stay as they are."""
    return text[:1].upper() + text[1:]


def _anchor(word: str) -> str:
    """A word of the glossary as a part of an id."""
    return "-".join(re.findall("[a-z0-9]+", word))


def _unbroken(text: str) -> Markup:
    """Words in which a number, a sign of comparison before it and a percent sign after it stand in one line."""
    found = re.split(r"((?:[≤≥<>±] ?)*[-−]?\d[\d.]*(?:e-?\d+)?(?:–\d+)?(?: %)?)", visible(text))
    parts = (Markup('<span class="whole">{}</span>').format(part) if index % 2 else escape(part)
             for index, part in enumerate(found))  # fmt: skip
    return Markup("").join(parts)


@cache
def environment() -> Environment:
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
        "bound": bound_words, "setting": setting, "evidence": evidence_of_criterion,
        "quantifier": quantifier_words, "inside": inside_words, "uncounted": uncounted_words, "share": share_words,
        "decision": decision_words, "anchor": _anchor, "percent": percent, "unbroken": _unbroken, "shown_in": shown_in,
        "outcome": outcome, "role": role, "capitalised": _capitalised,
    }  # fmt: skip
    environment.tests["uninformative"] = uninformative
    environment.globals |= {
        "SIGNS": SIGNS, "MARKS": MARKS, "SIGNS_OF_ARMS": SIGNS_OF_ARMS, "STAMPS": STAMPS, "LABELS": LABELS,
        "BASES": BASES, "GLOSSARY": GLOSSARY, "LEGEND": LEGEND,
    }  # fmt: skip
    return environment
