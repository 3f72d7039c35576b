"""`make table`: writes the table of all claims into README.md, between its two marks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dlnrepro.claimfile.catalogue import packaged_folder
from dlnrepro.claimfile.loader import read_claim
from dlnrepro.claimfile.schema import Claim
from dlnrepro.claimfile.selection import by_paper

README = Path(__file__).parent.parent / "README.md"
HEAD = ("| claim | what it says | basis | tags |", "|---|---|---|---|")
BEGIN, END = "<!-- claims: `make table` writes this -->\n", "<!-- end of claims -->\n"


def table(claims: Sequence[Claim]) -> str:
    """The claims by paper, in Markdown: id, title, how the criteria follow from the source, and tags."""
    lines = []
    for members in by_paper(claims):
        source = members[0].source
        names = ", ".join(source.authors) if len(source.authors) < 4 else f"{source.authors[0]} et al."
        link = f", [arXiv:{source.arxiv}](https://arxiv.org/abs/{source.arxiv})" if source.arxiv else ""
        lines += [f"**{source.paper}** ({names}, {source.venue}{link})", "", *HEAD, *map(_row, members), ""]
    return "\n".join(lines) + "\n"


def with_table(text: str) -> str:
    """The README's text with the table as it is now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + table([read_claim(path) for path in sorted(packaged_folder().glob("*.yaml"))]) + END + after


def _row(claim: Claim) -> str:
    """One claim, with what is expected of it where that is not that it holds."""
    expected = "" if claim.expect == "reproduced" else f" (expected: {claim.expect})"
    title = claim.title.replace("|", "\\|") + expected
    return f"| [{claim.id}](claims/{claim.id}.yaml) | {title} | {claim.source.basis} | {', '.join(claim.tags)} |"


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
