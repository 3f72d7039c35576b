"""`dlnrepro show`: one claim, from its file alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dlnrepro.commands.arguments import candidates, options
from dlnrepro.visible import show_json

if TYPE_CHECKING:
    from dlnrepro.claimfile.schema import Claim


@click.command("show", short_help="What a claim says and how it is tested.")
@click.argument("claim", shell_complete=candidates.claims)
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Also explain each setting, and show what was changed in the tests after the first runs, how loose each "
    "threshold is by the stored reference, and what the last audit found.",
)
@options.as_json
@options.outputs
def command(claim: str, verbose: bool, as_json: bool, outputs: Path) -> int:
    """Show what a claim says, what it assumes, how it is tested, and how it came out last. Nothing is trained.

    CLAIM is an id, a file, a pattern of ids, or a folder. With --json, several claims are a list.
    """
    from dataclasses import asdict

    from dlnrepro.archive.last_results import last_verdicts
    from dlnrepro.claimfile.gathering import gathered
    from dlnrepro.registry.meanings import measure_meanings, setting_meanings
    from dlnrepro.report.terminal.detail import claim_page
    from dlnrepro.report.terminal.terminal_page import TerminalPage

    selection = gathered((claim,))
    selection.say_rest()
    last = last_verdicts(outputs, ((found.id, path) for found, path in selection.claims))
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
            settings = setting_meanings(found.located_runner) if verbose else None
            meanings = measure_meanings(found.located_runner)
            meanings |= {name: measure.definition for name, measure in found.measures.items()}
            audit = _audit(found, outputs) if verbose else []
            factors = _slacks(found, outputs) if verbose else {}
            claim_page(page, found, path, last.get(found.id), meanings, settings, audit, factors)
            page.deliver()
    return 2 if selection.faults else 0


def _slacks(claim: Claim, outputs: Path) -> dict[str, float | None]:
    """The factor between the threshold and the worst run of each criterion, as far as the reference gives it."""
    from dlnrepro.archive.reference_verdicts import slacks

    return dict(slacks(outputs, claim))


def _audit(claim: Claim, outputs: Path) -> list[str]:
    """How the verdict of a claim could be wrong, by its stored audit; nothing without one."""
    from dlnrepro.archive.audits import known_audit
    from dlnrepro.registry.sources import source_hash
    from dlnrepro.report.words.audit_words import stored_words

    audit = known_audit(outputs, claim.id)
    if audit is None:
        return []
    return stored_words(audit, claim, source_hash(claim.located_runner))
