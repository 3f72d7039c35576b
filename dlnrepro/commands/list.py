"""`dlnrepro list` lists the available claims."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dlnrepro.commands.arguments import candidates, options
from dlnrepro.visible import say, show, show_json

if TYPE_CHECKING:
    from dlnrepro.archive.last_results import LastVerdict
    from dlnrepro.claimfile.listed import Listed

ALL_TAGS = ""
"""The value of `--tags` if no value follows it."""


@click.command("list", short_help="List the available claims.")
@options.words
@click.option(
    "-m",
    "--tags",
    "tags",
    metavar="[TAGS]",
    is_flag=False,
    flag_value=ALL_TAGS,
    shell_complete=candidates.tags,
    help="Only claims with these tags, such as 'core and not rate' (a comma means 'or'); without value, list tags.",
)
@click.option("--runners", is_flag=True, help="List the runners instead, with the number of claims of each.")
@options.as_json
@options.outputs
def command(words: str | None, tags: str | None, runners: bool, as_json: bool, outputs: Path) -> int:
    """List the available claims: id, title, paper and tags, with the last verdict of each claim and its computing time.

    If a claim file says how much of its source it tests, this stands with the verdict.

    The exit code is 2 if a file in the folder is not a valid claim; the valid claims are still listed.
    """
    from dlnrepro.archive.last_results import last_verdicts
    from dlnrepro.claimfile.listed import listed

    selection = listed(words, tags or None)
    selection.say_rest()
    claims = [claim for claim, _ in selection.claims]
    code = 2 if selection.faults else 0
    if runners:
        from dlnrepro.registry.names import runner_names

        _print_counts("runner", {**dict.fromkeys(runner_names(), 0), **Counter(c.runner for c in claims)}, as_json)
        return code
    if not claims:
        if not code:
            say("no claim is selected")
        return code or 5
    if tags == ALL_TAGS:
        _print_counts("tag", Counter(tag for claim in claims for tag in claim.tags), as_json)
        return code
    last = last_verdicts(outputs, ((claim.id, path) for claim, path in selection.claims))
    if as_json:
        rows = [fields(claim, last.get(claim.id)) for claim in claims]
        show_json(rows)
    else:
        from dlnrepro.report.terminal.listing import claim_list

        click.echo(claim_list(claims, last), nl=False)
    return code


def fields(claim: Listed, last: LastVerdict | None) -> dict[str, Any]:
    """The main facts about a claim, for programs."""
    return {
        "id": claim.id,
        "title": claim.title,
        "paper": claim.source.paper,
        "arxiv": claim.source.arxiv,
        "tags": list(claim.tags),
        "runner": claim.runner,
        "covers": claim.covers,
        "last_verdict": last.verdict if last else None,
        "last_stamps": list(last.stamps) if last else None,
        "last_seconds": last.seconds if last else None,
    }


def _print_counts(what: str, counts: dict[str, int], as_json: bool) -> None:
    """Print the names in alphabetical order, with the number of claims for each."""
    names: Sequence[str] = sorted(counts)
    if as_json:
        show_json([{what: name, "claims": counts[name]} for name in names])
        return
    width = max(map(len, names), default=0)
    for name in names:
        count = counts[name]
        show(f"{name:<{width}}  {count} claim{'s' * (count != 1)}")
