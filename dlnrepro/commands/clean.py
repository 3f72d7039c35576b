"""`dlnrepro clean`: what is stored, and room for more."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from dlnrepro.commands import options


@click.command("clean", short_help="What is stored, with its size; removes stored arms of no further use.")
@click.option("--reports", is_flag=True, help="Remove all stored reports, too.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be removed; remove nothing.")
@click.option("-y", "--yes", is_flag=True, help="Remove without a question.")
@options.outputs
def command(reports: bool, dry_run: bool, yes: bool, outputs: Path) -> int:
    """Say what is stored in the outputs folder, and remove the numbers that no run can use again.

    These are the stored arms that other code or other versions have computed, and damaged ones. Reports stay, unless
    --reports is given; how each claim came out last stays in any case.
    """
    from dlnrepro.archive.storage import remove, storage
    from dlnrepro.errors import UsageError
    from dlnrepro.report.words.words import size

    found = storage(outputs)
    rows = (("stored arms in use", found.usable), ("stored arms of no use", found.useless), ("reports", found.reports))
    for name, things in rows:
        click.echo(f"{name:22}{len(things):6,}   {size(sum(thing.size for thing in things)):>8}")
    chosen = found.useless + (found.reports if reports else [])
    if not chosen or dry_run:
        click.echo(f"{len(chosen)} would be removed" if chosen else "nothing to remove")
        return 0
    if not yes and not sys.stdin.isatty():
        raise UsageError(f"clean: expected --yes where nobody can be asked, found {len(chosen)} to remove")
    if not yes and not click.confirm(f"Remove {len(chosen)} of them?", err=True):
        return 0
    click.echo(f"{len(chosen)} removed, {size(remove(chosen))} freed")
    link = outputs / "latest"
    if link.is_symlink() and not link.exists():
        link.unlink()
    return 0
