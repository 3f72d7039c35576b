"""`make table`: writes the pages of `claims/`, and the parts of README.md between marks: glossary and papers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dlnrepro.claimfile.schema import Claim
from dlnrepro.claimfile.selection import by_paper
from dlnrepro.report.words.glossary import glossary_lines
from tests.claim_pages.pages import all_claims, paper_link, write_pages

README = Path(__file__).parent.parent / "README.md"
CLAIMS = "<!-- claims: `make table` writes this -->\n", "<!-- end of claims -->\n"
GLOSSARY = "<!-- glossary -->\n", "<!-- end of glossary -->\n"


def papers(claims: Sequence[Claim]) -> str:
    """The papers with the number of claims of each, in Markdown, and where the claims are."""
    groups = by_paper(claims)
    rows = [f"| {paper_link(members[0])} | {len(members)} |" for members in groups]
    lead = f"The [pages of claims](claims/README.md) list the {len(claims)} claims of {len(groups)} papers by topic."
    return "\n".join([lead, "", "| paper | claims |", "|---|---|", *rows]) + "\n"


def as_it_should_be(text: str) -> str:
    """The README's text with its generated parts as they are now."""
    parts = {GLOSSARY: "\n".join(glossary_lines()) + "\n", CLAIMS: papers(all_claims())}
    for marks, part in parts.items():
        before, _, rest = text.partition(marks[0])
        _, _, after = rest.partition(marks[1])
        text = f"{before}{marks[0]}\n{part}\n{marks[1]}{after}"
    return text


if __name__ == "__main__":
    README.write_text(as_it_should_be(README.read_text(encoding="utf-8")), encoding="utf-8")
    write_pages()
