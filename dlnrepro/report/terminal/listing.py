"""The list of claims on a page of the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dlnrepro.claimfile.selection import by_paper
from dlnrepro.report.terminal.terminal_page import TerminalPage
from dlnrepro.report.words.brief.outcomes import last_words

if TYPE_CHECKING:
    from dlnrepro.archive.last_results import LastVerdict
    from dlnrepro.claimfile.listed import Listed


def claim_list(claims: Sequence[Listed], last: Mapping[str, LastVerdict], page: TerminalPage | None = None) -> str:
    """The claims of each paper, by its first author: id, last verdict and computing time, title and tags.

    The page is as wide as the terminal if none is given.
    """
    page = page or TerminalPage.of_terminal()
    for index, members in enumerate(by_paper(claims)):
        if index:
            page.line()
        page.line(members[0].source.heading, hang=2)
        for claim in members:
            page.line(f"{claim.id}   {last_words(last.get(claim.id), claim.covers)}", indent=2, hang=4)
            page.line(page.typeset(claim.title), indent=6)
            if claim.tags:
                page.line((f"tags: {', '.join(claim.tags)}", "dim"), indent=6, hang=2)
    return page.text()
