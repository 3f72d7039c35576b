"""`dlnrepro list`: the claims at hand."""

from __future__ import annotations

from pathlib import Path

import click

from dlnrepro.commands import options
from dlnrepro.visible import say, show_json


@click.command("list", short_help="The claims at hand, with how each came out last.")
@options.words
@options.tags
@click.option("--json", "as_json", is_flag=True, help="As JSON, for a program.")
@options.outputs
def command(words: str | None, tags: str | None, as_json: bool, outputs: Path) -> int:
    """The claims at hand: id, title, paper, and how each came out last."""
    from dlnrepro.report.summary import claim_list
    from dlnrepro.store import last_verdicts

    claims = [claim for claim, _ in options.structured_claims((), words, tags)]
    if not claims:
        say("nothing selected")
        return 5
    last = last_verdicts(outputs)
    if as_json:
        rows = [
            {
                "id": claim.id,
                "title": claim.title,
                "paper": claim.source.paper,
                "arxiv": claim.source.arxiv,
                "tags": list(claim.tags),
                "last_verdict": last[claim.id].verdict if claim.id in last else None,
            }
            for claim in claims
        ]
        show_json(rows)
    else:
        click.echo(claim_list(claims, last), nl=False)
    return 0
