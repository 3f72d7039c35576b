"""`dlnrepro run` trains networks, measures them, judges the claims, and reports."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dlnrepro.commands.arguments import candidates, options
from dlnrepro.compute.device import DEVICES
from dlnrepro.visible import on_one_line, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dlnrepro.archive.record import Report
    from dlnrepro.claimfile.gathering import Selection
    from dlnrepro.claimfile.schema import Claim
    from dlnrepro.compute.device import Device
    from dlnrepro.compute.variation import Variation
    from dlnrepro.errors import Unjudged
    from dlnrepro.session.execution import Job, RunOptions
    from dlnrepro.session.known_plans import Plans
    from dlnrepro.session.references import Upkeep
    from dlnrepro.session.run import Session
    from dlnrepro.signals import Signals

_EPILOG = """\b
Examples:
  dlnrepro run                                 every claim
  dlnrepro run rank-one-alignment              one claim, shown in full
  dlnrepro run my-claim.yaml --quick           a file, with small settings
  dlnrepro run -m alignment --seed-base 1000   claims by tag, with other seeds
  dlnrepro run rank-one-alignment -s hidden=12 -o report.html

\b
Exit codes:
  0  each claim has the verdict that its file expects
  1  a claim is not reproduced, or unexpectedly reproduced
  2  an option or a claim file is invalid
  3  a claim has an error, or this program has
  4  a claim is inconclusive
  5  no claim is selected
  130, 143, 129  ended by SIGINT (Ctrl-C), SIGTERM, SIGHUP
"""


@click.command("run", short_help="Train networks, measure them, and judge the claims.", epilog=_EPILOG)
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
    help="Give a parameter another value, in one arm or in every arm that does not set it itself. Can be given several "
    "times.",
)
@click.option(
    "--seeds",
    type=options.Whole(1, 100_000),
    metavar="N",
    help="Fix the number of runs per arm; the result is then labelled 'fixed runs'.  [default: that of the claim, and "
    "further runs for an arm in doubt]",
)
@click.option(
    "--seed-base", type=options.Whole(0, 2**63 - 1), default=0, show_default=True, metavar="N", help="First seed."
)
@click.option(
    "--budget",
    type=options.Duration(),
    metavar="TIME",
    help="Time limit of each arm, further runs included: a number of seconds, or 90s, 5m, 1h.",
)
@options.workers
@click.option(
    "--device",
    type=click.Choice(DEVICES),
    default="cpu",
    show_default=True,
    help="Device that computes; cuda is a GPU; the result is then labelled GPU.",
)
@click.option("--cache/--no-cache", default=True, help="Use the stored numbers of arms, or compute every arm again.")
@options.reference
@click.option("--quick", is_flag=True, help="Use each claim's small, fast settings, for a first look.")
@click.option(
    "-x", "--exitfirst", is_flag=True, help="Stop at the first claim whose verdict differs from its `expect:`."
)
@click.option(
    "--last-failed",
    "--lf",
    is_flag=True,
    help="Only claims whose last verdict, with the same options, differs from their `expect:`.",
)
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be computed; train and write nothing.")
@click.option(
    "--controls/--no-controls",
    default=True,
    help="Run the negative controls, or leave them out; the result is then labelled 'no controls'.",
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
    """Train the networks of claims, measure them, and judge the claims. Without an argument, all claims are run.

    CLAIM is the id of a claim, or a pattern of ids. PATH is a claim file, or a folder of claim files.
    """
    from dlnrepro.compute.variation import Variation
    from dlnrepro.report.delivery import check_files

    started = datetime.now(UTC)
    check_files(files, figures)
    variation = Variation(seeds, seed_base, options.overrides(settings), quick, controls, device)
    plans, selection = _selection(claims, words, tags, variation, outputs if last_failed else None, quiet)
    selection.say_rest()
    if not selection.claims:
        if not selection.faults:
            say("no claim is selected")
        return 2 if selection.faults else 5

    from dlnrepro.commands.dry_run import dry_run as describe
    from dlnrepro.commands.dry_run import notes
    from dlnrepro.report.terminal.progress import watcher
    from dlnrepro.session.execution import RunOptions
    from dlnrepro.session.late_processes import LateProcesses
    from dlnrepro.session.run import Session, run_and_store

    jobs = plans.jobs(selection.claims)
    for line in notes(jobs):
        say(line)
    run_options = RunOptions(outputs, LateProcesses(workers), cache, budget)
    care = None
    if reference is not None:
        whole = not (words or tags or last_failed) and all(os.path.isdir(name) for name in claims)
        care = _upkeep(reference, jobs, run_options, whole)
        jobs = care.jobs
    if dry_run:
        return describe(jobs, selection, outputs, cache, as_json)
    with signals.noted():
        if jobs:
            session = run_and_store(
                jobs,
                run_options,
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
        delivered = partial(_delivered, session, care, files, outputs, alone=len(jobs) == 1)
        return delivered(figures=figures, as_json=as_json, verbose=verbose, quiet=quiet)


def _delivered(
    session: Session,
    care: Upkeep | None,
    files: Sequence[str],
    outputs: Path,
    *,
    figures: Path | None,
    as_json: bool,
    verbose: bool,
    quiet: bool,
    alone: bool,
) -> int:
    """Show and write a report, update the reference if there is one, and give the exit code."""
    from dlnrepro.archive.record import most_serious
    from dlnrepro.report.delivery import deliver
    from dlnrepro.report.exchange.github import announce

    report, faults = session.report, [] if session.storage_fault is None else [session.storage_fault]
    shown = partial(deliver, report, session.folder, files, figures=figures, as_json=as_json)
    faults += shown(verbose=verbose, quiet=quiet, alone=alone, root=outputs)
    announce(report)
    faults += [] if care is None else _update(care, report)
    for fault in faults:
        say(fault.text)
    return most_serious([report.exit_code, *(fault.code for fault in faults)])


def _selection(
    names: Sequence[str],
    words: str | None,
    tags: str | None,
    variation: Variation,
    failed_in: Path | None,
    quiet: bool,
) -> tuple[Plans, Selection[Claim]]:
    """The claims that are selected, checked against their runners, and the plans of their runs.

    Args:
        names: ids, patterns, files and folders; none stands for all claims.
        words: an expression of words, as `-k`.
        tags: an expression of tags, as `-m`.
        variation: how the claims will be run.
        failed_in: the outputs folder, if only claims are selected whose last verdict was not the expected one.
        quiet: whether no message is shown while PyTorch and the runners are loaded.
    """
    from dlnrepro.claimfile.gathering import gathered
    from dlnrepro.report.terminal.waiting import waiting

    def failed(folder: Path, claims: Sequence[Claim]) -> frozenset[str]:
        """The ids of the claims whose last verdict in a folder was not the expected one."""
        from dlnrepro.archive.last_results import failed_last

        return failed_last(folder, {claim.id: variation.of(claim).name for claim in claims})

    only = None if failed_in is None else partial(failed, failed_in)
    with waiting("reading the claim files, and loading PyTorch and the runners", quiet):
        from dlnrepro.session.known_plans import Plans

        plans = Plans(variation)
        return plans, gathered(names, words, tags, plans.load, only)


def _upkeep(reference: Path, jobs: Sequence[Job], run_options: RunOptions, whole: bool) -> Upkeep:
    """The claims that must be computed to bring a reference up to date; the reasons are printed."""
    from dlnrepro.session.references import upkeep

    care = upkeep(reference, jobs, run_options, whole)
    for line in care.reasons:
        say(on_one_line(line))
    return care


def _update(care: Upkeep, report: Report) -> list[Unjudged]:
    """Update a reference, print what was done, and return what could not be written."""
    from dlnrepro.session.references import updated

    lines, unwritten = updated(care, report)
    for line in lines:
        say(on_one_line(line))
    return unwritten
