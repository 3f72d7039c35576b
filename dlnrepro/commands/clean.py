"""`dlnrepro clean` shows what is stored, and removes what is no longer used."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from dlnrepro.commands.arguments import options


@click.command("clean", short_help="Show what is stored, and remove what is no longer used.")
@click.option("--reports", is_flag=True, help="Also remove all stored reports.")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be removed; remove nothing.")
@click.option("-y", "--yes", is_flag=True, help="Remove without asking.")
@options.outputs
def command(reports: bool, dry_run: bool, yes: bool, outputs: Path) -> int:
    """Show what is stored in the outputs folder, and remove the numbers that can no longer be used.

    These are the arms that were computed by other code or other versions, and damaged files. Reports are kept unless
    --reports is given. The last verdict of each claim is always kept.
    """
    from dlnrepro.archive.storage import remove, storage
    from dlnrepro.errors import UsageError
    from dlnrepro.report.words.words import size

    found = storage(outputs)
    rows = (("usable arms", found.usable), ("unusable arms", found.useless), ("reports", found.reports))
    for name, things in rows:
        click.echo(f"{name:22}{len(things):6,}   {size(sum(thing.size for thing in things)):>8}")
    chosen = found.useless + (found.reports if reports else [])
    if not chosen or dry_run:
        click.echo(f"{len(chosen)} would be removed" if chosen else "there is nothing to remove")
        return 0
    if not yes and not sys.stdin.isatty():
        raise UsageError(f"clean: expected --yes, since no terminal can ask for it, found {len(chosen)} to remove")
    if not yes and not click.confirm(f"Remove {len(chosen)} of them?", err=True):
        return 0
    click.echo(f"{len(chosen)} removed, {size(remove(chosen))} freed")
    link = outputs / "latest"
    if link.is_symlink() and not link.exists():
        link.unlink()
    return 0
