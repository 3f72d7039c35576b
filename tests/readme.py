"""`make table`: writes the pages of `claims/`, and the parts of README.md between marks.

These parts are two samples of what the program prints of the stored reports, the probabilities of the rule, the
glossary, and the papers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from dlnrepro.archive.record import judged_again
from dlnrepro.archive.report_store import read_report
from dlnrepro.claimfile.schema import Claim
from dlnrepro.claimfile.selection import by_paper
from dlnrepro.report.terminal.detail import record_page
from dlnrepro.report.terminal.summary import summary
from dlnrepro.report.terminal.terminal_page import TerminalPage
from dlnrepro.report.words.glossary import glossary_lines
from tests.claim_pages.operating_curve import table
from tests.claim_pages.pages import REFERENCE, all_claims, paper_link, write_pages

README = Path(__file__).parent.parent / "README.md"
CLAIMS = "<!-- claims: `make table` writes this -->\n", "<!-- end of claims -->\n"
GLOSSARY = "<!-- glossary -->\n", "<!-- end of glossary -->\n"
SUMMARY = "<!-- summary: `make table` writes this -->\n", "<!-- end of summary -->\n"
REPORT = "<!-- report: `make table` writes this -->\n", "<!-- end of report -->\n"
RULE = "<!-- rule: `make table` writes this -->\n", "<!-- end of rule -->\n"
SHOWN, LAST = "one-neuron-rate", "winner-takes-all-matrices"
"""The claim that is shown in full, and another one of the summary."""


def papers(claims: Sequence[Claim]) -> str:
    """The papers with the number of claims of each, in Markdown, and where the claims are."""
    groups = by_paper(claims)
    rows = [f"| {paper_link(members[0])} | {len(members)} |" for members in groups]
    counted = f"the {len(claims)} claims of {len(groups)} papers"
    lead = f"The [pages of claims](claims/README.md) list {counted} by topic, each with its basis:"
    bases = Counter(claim.source.basis for claim in claims)
    lead += f" {bases['theorem']} rest on a theorem that was read, {bases['reported']} on a theorem that a third party"
    lead += f" reports, {bases['abstract']} on an abstract, and {bases['derived']} on a derivation for this project."
    lead += " The [page of the evidence](claims/evidence.md) says how much of each statement is tested, and how well."
    return "\n".join([lead, "", "| paper | claims |", "|---|---|", *rows]) + "\n"


def samples() -> tuple[str, str]:
    """A sample of the summary of all stored reports, and one of the report of a single claim."""
    report = judged_again(read_report(REFERENCE.parent, str(REFERENCE)))
    overview, claim = TerminalPage(80), TerminalPage(80)
    summary(overview, report)
    record_page(claim, next(record for record in report.claims if record.id == SHOWN))
    return _fenced(_summary(overview.text())), _fenced(_claim(claim.text()))


def _summary(text: str) -> list[str]:
    """The head, two claims and the counts of a summary."""
    entries = [re.findall(rf"^\S .* {name} .*\n(?:  .*\n)*", text, re.MULTILINE)[0] for name in (SHOWN, LAST)]
    (counts,) = re.findall(r"^\d+ reproduced.*\n", text, re.MULTILINE)
    head = "".join(text.splitlines(keepends=True)[:2])
    return [head + entries[0], entries[1], counts]


def _claim(text: str) -> list[str]:
    """The report of a claim without its source, its assumptions and the greater part of its figure."""
    title, *sections = re.split(r"\n(?=  \S)", text)
    named = {section.split()[0].rstrip(":,"): section for section in sections if not section.startswith("    ")}
    drawn = re.split(r"(?<=\n)(?=    \S.* [▁-█]+ )", named["figure"])
    shown = ["\n".join([title, *sections[: sections.index(named["source"])]])]
    return [part.strip("\n") + "\n" for part in (*shown, named["arms"], named["criteria"] + "\n" + "".join(drawn[:3]))]


def _fenced(parts: Sequence[str]) -> str:
    """Parts of a text as a block of Markdown, with dots for what is left out between and after them."""
    return "```\n" + "...\n".join(parts) + "...\n```\n"


def as_it_should_be(text: str) -> str:
    """The README's text with its generated parts as they are now."""
    overview, claim = samples()
    parts = {
        SUMMARY: overview,
        REPORT: claim,
        RULE: table(),
        GLOSSARY: "\n".join(glossary_lines()) + "\n",
        CLAIMS: papers(all_claims()),
    }
    for marks, part in parts.items():
        before, _, rest = text.partition(marks[0])
        _, _, after = rest.partition(marks[1])
        text = f"{before}{marks[0]}\n{part}\n{marks[1]}{after}"
    return text


if __name__ == "__main__":
    README.write_text(as_it_should_be(README.read_text(encoding="utf-8")), encoding="utf-8")
    write_pages()
