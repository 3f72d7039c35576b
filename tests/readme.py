"""`make table`: writes the generated parts of README.md, each between its two marks: the glossary, and the claims."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dlnrepro.claimfile.catalogue import packaged_folder
from dlnrepro.claimfile.loader import read_claim
from dlnrepro.claimfile.schema import Claim
from dlnrepro.claimfile.selection import by_paper
from dlnrepro.report.words.glossary import glossary_lines

README = Path(__file__).parent.parent / "README.md"
HEAD = ("| claim | what it says | basis | tags |", "|---|---|---|---|")
CLAIMS = "<!-- claims: `make table` writes this -->\n", "<!-- end of claims -->\n"
GLOSSARY = "<!-- glossary -->\n", "<!-- end of glossary -->\n"


def table(claims: Sequence[Claim]) -> str:
    """The claims by paper, in Markdown: id, title, how the criteria follow from the source, and tags."""
    lines = []
    for members in by_paper(claims):
        source = members[0].source
        names = ", ".join(source.authors) if len(source.authors) < 4 else f"{source.authors[0]} et al."
        link = f", [arXiv:{source.arxiv}](https://arxiv.org/abs/{source.arxiv})" if source.arxiv else ""
        lines += [f"**{source.paper}** ({names}, {source.venue}{link})", "", *HEAD, *map(_row, members), ""]
    return "\n".join(lines) + "\n"


def as_it_should_be(text: str) -> str:
    """The README's text with its generated parts as they are now."""
    claims = [read_claim(path) for path in packaged_folder().glob("*.yaml")]
    return _with_part(_with_part(text, GLOSSARY, "\n".join(["", *glossary_lines(), "", ""])), CLAIMS, table(claims))


def _with_part(text: str, marks: tuple[str, str], part: str) -> str:
    """The text with this part between its marks."""
    before, _, rest = text.partition(marks[0])
    _, _, after = rest.partition(marks[1])
    return before + marks[0] + part + marks[1] + after


def _row(claim: Claim) -> str:
    """One claim, with what is expected of it where that is not that it holds."""
    expected = "" if claim.expect == "reproduced" else f" (expected: {claim.expect})"
    title = claim.title.replace("|", "\\|") + expected
    return f"| [{claim.id}](claims/{claim.id}.yaml) | {title} | {claim.source.basis} | {', '.join(claim.tags)} |"


if __name__ == "__main__":
    README.write_text(as_it_should_be(README.read_text(encoding="utf-8")), encoding="utf-8")
