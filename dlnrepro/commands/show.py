"""`dlnrepro show`: one claim, from its file alone."""

from __future__ import annotations

from pathlib import Path

import click

from dlnrepro.commands import candidates, options
from dlnrepro.visible import show_json


@click.command("show", short_help="What a claim says and how it is tested.")
@click.argument("claim", shell_complete=candidates.claims)
@options.as_json
@options.outputs
def command(claim: str, as_json: bool, outputs: Path) -> int:
    """What a claim says, what it assumes, how it is tested and what it cost last; trains nothing.

    CLAIM is an id, a file, or what stands for several: a pattern of ids or a folder. With --json several are a list.
    """
    from dataclasses import asdict

    from dlnrepro.archive.report_store import last_verdicts
    from dlnrepro.claimfile.gathering import gathered
    from dlnrepro.report.terminal.detail import claim_page
    from dlnrepro.report.terminal.terminal_page import TerminalPage

    selection = gathered((claim,))
    selection.say_rest()
    last = last_verdicts(outputs)
    if as_json:
        pages = [
            {
                **found.model_dump(mode="json", by_alias=True, exclude_none=True),
                "path": str(path),
                "last": asdict(last[found.id]) if found.id in last else None,
            }
            for found, path in selection.claims
        ]
        show_json(pages[0] if len(pages) == 1 else pages)
    else:
        for found, path in selection.claims:
            page = TerminalPage.of_terminal()
            claim_page(page, found, path, last.get(found.id))
            page.deliver()
    return 2 if selection.faults else 0
