"""The pages of `claims/`: an index, and for each topic one page with a figure and a table of its claims."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import dlnrepro
from dlnrepro.archive.record import ClaimRecord, from_json
from dlnrepro.claimfile.loader import read_claim
from dlnrepro.claimfile.schema import Claim
from dlnrepro.claimfile.selection import by_paper
from dlnrepro.report.drawing.figures import figure
from dlnrepro.report.exchange.markup import text
from dlnrepro.report.words.typeset import in_terminal
from tests.claim_pages import audit_table, evidence_table, operating_curve
from tests.claim_pages.topics import TOPICS, Topic

ROOT = Path(__file__).parent.parent.parent
CLAIMS, REFERENCE = ROOT / "claims", ROOT / "outputs" / "reference"
FIGURES = "figures"

_MADE = "<!-- `make table` writes this page -->"
_BASES = (
    "The **basis** says how the criteria of a claim follow from the source: from a *theorem* that was read, from a "
    "theorem that a third party reports (*reported*), from an *abstract*, or by a derivation for this project "
    "(*derived*). How much of its source a claim **covers** is on the page [of the evidence](evidence.md)."
)


def all_claims() -> list[Claim]:
    """The claims of this repository."""
    return [read_claim(path) for path in CLAIMS.glob("*.yaml")]


def pages(claims: Iterable[Claim]) -> dict[str, str]:
    """The name of each page -> its text."""
    by_topic: dict[str, list[Claim]] = {name: [] for name in TOPICS}
    members = list(claims)
    for claim in members:
        by_topic[topic_of(claim)].append(claim)
    found = {f"{name}.md": _page(name, members) for name, members in by_topic.items()}
    audits = audit_table.stored()
    tables = {
        audit_table.NAME: audit_table.page(audits),
        evidence_table.NAME: evidence_table.page(members, {record.id: record for record in audits}),
    }
    return {"README.md": _index(by_topic), **found, **tables}


def figures() -> dict[str, str]:
    """The name of each figure -> its SVG: for each topic one from the stored report of a claim, and one of the rule."""
    drawn = {f"{name}.svg": figure(_record(topic), 0, "f", titled=True) for name, topic in TOPICS.items()}
    drawn[f"{operating_curve.NAME}.svg"] = operating_curve.curve()
    return {name: found.alone() for name, found in drawn.items()}


def topic_of(claim: Claim) -> str:
    """The package of runners that a claim's runner lies in."""
    (path,) = Path(dlnrepro.__path__[0], "runners").glob(f"*/{claim.runner}.py")
    return path.parent.name


def paper_link(claim: Claim) -> str:
    """A claim's paper in Markdown, with its authors, its venue and its number in arXiv."""
    source = claim.source
    names = ", ".join(source.authors) if len(source.authors) < 4 else f"{source.authors[0]} et al."
    arxiv = f", [arXiv:{source.arxiv}](https://arxiv.org/abs/{source.arxiv})" if source.arxiv else ""
    return f"{text(source.paper or source.heading)} ({text(names)}, {text(source.venue or source.kind)}{arxiv})"


def write_pages() -> None:
    """Write all pages and figures, and remove what is no longer one of them."""
    _write(CLAIMS, "*.md", pages(all_claims()))
    _write(CLAIMS / FIGURES, "*.svg", figures())


def _index(by_topic: Mapping[str, list[Claim]]) -> str:
    """The page of all topics."""
    count = sum(map(len, by_topic.values()))
    rows = [
        f"| [{TOPICS[name].title}]({name}.md) | {len(members)} | {TOPICS[name].about} |"
        for name, members in by_topic.items()
    ]
    lines = [
        _MADE, "", "# The claims by topic", "",
        f"Each of the {count} claims is one YAML file in this folder. Each page has the claims of one topic.",
        "", "| topic | claims | about |", "|---|---|---|", *rows, "",
        "[What of each statement is tested](evidence.md): coverage, independent routes, controls, slack", "",
        "[How good the criteria are](audits.md): the table of all audits", "",
        "[What a claim is](../README.md#what-a-claim-is)",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _page(name: str, claims: Iterable[Claim]) -> str:
    """The page of one topic: what it is about, a figure, and its claims by paper."""
    topic = TOPICS[name]
    members = list(claims)
    (title,) = [claim.figures[0].title for claim in members if claim.id == topic.shown]
    lines = [
        _MADE, "", f"# {topic.title}", "", topic.about, "",
        f"![{text(in_terminal(title))}]({FIGURES}/{name}.svg)", "",
        f"The figure belongs to the claim [{topic.shown}]({topic.shown}.yaml).", "",
        _BASES,
    ]  # fmt: skip
    for group in by_paper(members):
        head = ("| claim | what it says | covers | basis |", "|---|---|---|---|")
        lines += ["", f"## {paper_link(group[0])}", "", *head, *map(_row, group)]
    return "\n".join([*lines, "", "[All topics](README.md)"]) + "\n"


def _row(claim: Claim) -> str:
    """One claim, with what is expected of it where that is not that it is reproduced."""
    expected = "" if claim.expect == "reproduced" else f" (expected: {claim.expect})"
    covers = claim.covers.what if claim.covers else ""
    cells = [
        f"[{claim.id}]({claim.id}.yaml)",
        f"{text(in_terminal(claim.title))}{expected}",
        covers,
        claim.source.basis or claim.source.kind,
    ]
    return f"| {' | '.join(cells)} |"


def _record(topic: Topic) -> ClaimRecord:
    """The stored result of the claim that a topic shows."""
    (record,) = from_json((REFERENCE / f"{topic.shown}.json").read_bytes()).claims
    return record


def _write(folder: Path, pattern: str, files: Mapping[str, str]) -> None:
    """Write files into a folder, and remove other files that the pattern finds."""
    folder.mkdir(exist_ok=True)
    for path in folder.glob(pattern):
        if path.name not in files:
            path.unlink()
    for name, contents in files.items():
        (folder / name).write_text(contents, encoding="utf-8")
