"""`dlnrepro run`: train, measure, judge, report."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dlnrepro.commands import candidates, options
from dlnrepro.compute.device import DEVICES
from dlnrepro.visible import on_one_line, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dlnrepro.claimfile.schema import Claim
    from dlnrepro.compute.device import Device
    from dlnrepro.signals import Signals

_EPILOG = """\b
Examples:
  dlnrepro run                               every claim
  dlnrepro run rank-one-alignment            one claim, in full
  dlnrepro run my-claim.yaml --quick         a file, in its toy profile
  dlnrepro run -m alignment --seed-base 1000 other seeds
  dlnrepro run rank-one-alignment -s hidden=12 -o report.json
  dlnrepro run my-claims/ --reference reference/   what has changed since reference/ was written
"""


@click.command("run", short_help="Train, measure and judge claims.", epilog=_EPILOG)
@click.argument("claims", nargs=-1, metavar="[CLAIM|PATH...]", shell_complete=candidates.claims)
@options.words
@options.tags
@click.option(
    "-s",
    "--settings",
    "settings",
    cls=options.Renamed,
    older=("--set",),
    multiple=True,
    metavar="[ARM.]KEY=VALUE",
    shell_complete=candidates.settings,
    help="Another value for a parameter, in every arm that does not set it itself, or in one arm; repeatable.",
)
@click.option(
    "--seeds", type=options.Whole(1, 100_000), metavar="N", help="Runs per arm instead of the claim's own number."
)
@click.option("--seed-base", type=options.Whole(0, 2**63 - 1), default=0, metavar="N", help="First seed.")
@click.option(
    "--budget", type=options.Duration(), metavar="TIME", help="Time that each arm may take: seconds, or 90s, 5m, 1h."
)
@options.workers
@click.option(
    "--device",
    type=click.Choice(DEVICES),
    default="cpu",
    show_default=True,
    help="Where tensors live; cuda is a GPU (the result is stamped).",
)
@click.option(
    "--cache/--no-cache", default=True, help="Whether to use stored numbers of arms, or to compute every arm again."
)
@options.reference
@click.option("--quick", is_flag=True, help="The claims' toy profiles: a first look in seconds.")
@click.option("-x", "--exitfirst", is_flag=True, help="Stop after the first claim that is not as expected.")
@click.option(
    "--last-failed", "--lf", is_flag=True, help="Only claims that were not as expected the last time in this variation."
)
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be run; train and write nothing.")
@click.option(
    "--controls/--no-controls",
    default=True,
    help="Whether to run the negative controls; without them the result is stamped.",
)
@options.delivery
@options.outputs
@click.pass_obj
def command(
    signals: Signals,
    claims: tuple[str, ...],
    words: str | None,
    tags: str | None,
    settings: tuple[str, ...],
    seeds: int | None,
    seed_base: int,
    budget: float | None,
    workers: int | None,
    device: Device,
    cache: bool,
    reference: Path | None,
    quick: bool,
    exitfirst: bool,
    last_failed: bool,
    dry_run: bool,
    controls: bool,
    allow_inconclusive: bool,
    as_json: bool,
    files: tuple[str, ...],
    figures: Path | None,
    quiet: bool,
    verbose: bool,
    outputs: Path,
) -> int:
    """Train the networks of claims, measure, and judge them; all claims if none is named.

    CLAIM is the id of a claim or a pattern of ids, PATH a claim file or a folder of them.
    """
    from dlnrepro.claimfile.gathering import gathered
    from dlnrepro.claimfile.loader import load_claim
    from dlnrepro.report.delivery import check_files, deliver
    from dlnrepro.report.exchange.github import announce
    from dlnrepro.report.terminal.waiting import waiting

    started = datetime.now(UTC)
    check_files(files, figures)
    from dlnrepro.compute.plan import Variation

    variation = Variation(seeds, seed_base, options.overrides(settings), quick, controls, device)

    def failed(found: Sequence[Claim]) -> frozenset[str]:
        from dlnrepro.archive.report_store import failed_last

        return failed_last(outputs, {claim.id: variation.stamps(claim) for claim in found})

    with waiting("reading the claim files, and loading PyTorch and the runners", quiet):
        selection = gathered(claims, words, tags, load_claim, failed if last_failed else None)
    selection.say_rest()
    if not selection.claims:
        if not selection.faults:
            say("nothing selected")
        return 2 if selection.faults else 5

    from dlnrepro.archive.record import most_serious
    from dlnrepro.commands.dry_run import dry_run as describe
    from dlnrepro.commands.dry_run import notes
    from dlnrepro.compute.pool import usual_workers
    from dlnrepro.report.terminal.progress import watcher
    from dlnrepro.session.execution import Means
    from dlnrepro.session.references import updated, upkeep
    from dlnrepro.session.run import Session, carried_out, prepared

    ready = prepared(selection.claims, variation)
    for line in notes(ready):
        say(line)
    means = Means(outputs, workers or usual_workers(device), cache, budget)
    care = None
    if reference is not None:
        whole = not (words or tags or last_failed) and all(os.path.isdir(name) for name in claims)
        care = upkeep(reference, ready, means, whole)
        ready = care.jobs
        for line in care.reasons:
            say(on_one_line(line))
    if dry_run:
        return describe(ready, selection, outputs, cache, as_json)
    with signals.noted():
        if ready:
            session = carried_out(
                ready,
                means,
                watcher(quiet),
                signals,
                ["dlnrepro", *sys.argv[1:]],
                started,
                stop=lambda record: exitfirst and not record.as_expected,
                allow_inconclusive=allow_inconclusive,
                unjudged=selection.unjudged,
            )
        else:
            assert care is not None
            session = Session(care.unchanged(allow_inconclusive, selection.unjudged), None, None)
        report, full = session.report, verbose or len(ready) == 1
        lost = deliver(report, session.folder, files, figures=figures, as_json=as_json, verbose=full, quiet=quiet)
        announce(report)
        lost = [session.fault, *lost] if session.fault is not None else lost
        if care is not None:
            lines, unwritten = updated(care, report)
            lost += unwritten
            for line in lines:
                say(on_one_line(line))
    for fault in lost:
        say(fault.text)
    return most_serious([report.exit_code, *(fault.code for fault in lost)])
