"""`dlnrepro show`: one claim, from its file alone."""

from __future__ import annotations

from pathlib import Path

import click

from dlnrepro.commands import candidates, options


@click.command("show", short_help="What a claim says and how it is tested.")
@click.argument("claim", shell_complete=candidates.claims)
@options.outputs
def command(claim: str, outputs: Path) -> int:
    """What a claim says, what it assumes, how it is tested and what it cost last; trains nothing."""
    from dlnrepro.report.detail import claim_page
    from dlnrepro.report.paper import Paper
    from dlnrepro.store import last_verdicts

    for found, path in options.structured_claims((claim,), None, None):
        paper = Paper.of_terminal()
        claim_page(paper, found, path, last_verdicts(outputs).get(found.id))
        paper.deliver()
    return 0
