"""`dlnrepro new`: a claim to start from."""

from __future__ import annotations

from pathlib import Path

import click

from dlnrepro.commands import candidates
from dlnrepro.visible import show


@click.command("new", short_help="A commented claim to start from.")
@click.argument("name", metavar="ID")
@click.option(
    "--runner",
    required=True,
    metavar="NAME",
    shell_complete=candidates.runners,
    help="What trains and measures; an unknown name lists them.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("claims"),
    show_default=True,
    help="Where to write the file.",
)
def command(name: str, runner: str, folder: Path) -> int:
    """Write FOLDER/ID.yaml: a commented claim for a runner, which passes `dlnrepro check`; then make it your own."""
    from dlnrepro.scaffold import write_scaffold

    path = write_scaffold(name, runner, folder)
    show(f"{path} written; next: edit it, dlnrepro check {path}, dlnrepro run {path} --quick")
    return 0
