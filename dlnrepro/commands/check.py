"""`dlnrepro check`: are claim files valid?"""

from __future__ import annotations

import re

import click

from dlnrepro.commands import candidates
from dlnrepro.visible import say, show_json

_FAULT = re.compile(r"^(?P<file>.+?):(?P<line>\d+):(?P<column>\d+): (?P<text>.*)$")


@click.command("check", short_help="Are claim files valid? Trains nothing.")
@click.argument("paths", nargs=-1, metavar="[PATH...]", shell_complete=candidates.claims)
@click.option("--format", "form", type=click.Choice(["text", "github", "json"]), default="text", show_default=True)
def command(paths: tuple[str, ...], form: str) -> int:
    """Hold claim files against the schema and against their runners; all faults are reported, nothing is trained.

    PATH is a file, a folder of claims, or the id of a claim; none stands for all claims.
    """
    from dlnrepro.catalogue import claim_paths
    from dlnrepro.errors import ClaimError
    from dlnrepro.loader import claims_at, load_claim

    files = claim_paths(paths)
    faults: tuple[str, ...] = ()
    try:
        claims_at(files, load_claim)
    except ClaimError as error:
        faults = error.faults
    if form == "json":
        show_json({"files": len(files), "faults": [_fields(fault) for fault in faults]})
    elif form == "github":
        from dlnrepro.report.github import annotation

        for fields in map(_fields, faults):
            click.echo(annotation("error", str(fields.pop("text")), **fields))  # type: ignore[arg-type]
    else:
        for fault in faults:
            say(fault)
        if not faults:
            click.echo(f"{len(files)} claim file{'s' * (len(files) != 1)} valid")
    return 2 if faults else 0 if files else 5


def _fields(fault: str) -> dict[str, str | int]:
    """The parts of a fault's line."""
    match = _FAULT.match(fault)
    assert match is not None, fault
    return {"file": match["file"], "line": int(match["line"]), "column": int(match["column"]), "text": match["text"]}
