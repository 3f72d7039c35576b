"""`dlnrepro run`: train, measure, judge, report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dlnrepro.commands import candidates, options
from dlnrepro.device import DEVICES
from dlnrepro.visible import say, show

if TYPE_CHECKING:
    from dlnrepro.device import Device
    from dlnrepro.execution import Job
    from dlnrepro.signals import Signals

_EPILOG = """\b
Examples:
  dlnrepro run                               every claim
  dlnrepro run rank-one-alignment            one claim, in full
  dlnrepro run my-claim.yaml --quick         a file, in its toy profile
  dlnrepro run -m alignment --seed-base 1000 other seeds
  dlnrepro run rank-one-alignment -s width=12 -o report.json
"""


@click.command("run", short_help="Train, measure and judge claims.", epilog=_EPILOG)
@click.argument("claims", nargs=-1, metavar="[CLAIM|PATH...]", shell_complete=candidates.claims)
@options.words
@options.tags
@click.option(
    "-s", "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Another value for a parameter; repeatable."
)
@click.option(
    "--seeds", type=click.IntRange(1, 100_000), metavar="N", help="Runs per arm instead of the claim's own number."
)
@click.option("--seed-base", type=click.IntRange(0), default=0, metavar="N", help="First seed.")
@click.option(
    "--budget", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="Time that each arm may take."
)
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="Worker processes; if left out, as many as cores, or one with a GPU.",
)
@click.option(
    "--device",
    type=click.Choice(DEVICES),
    default="cpu",
    show_default=True,
    help="Where tensors live; cuda is a GPU (the result is stamped).",
)
@click.option("--no-cache", is_flag=True, help="Compute every arm anew, also those whose numbers are stored.")
@click.option("--quick", is_flag=True, help="The claims' toy profiles: a first look in seconds.")
@click.option("-x", "--exitfirst", is_flag=True, help="Stop after the first claim that is not as expected.")
@click.option("--last-failed", is_flag=True, help="Only claims that were not as expected the last time.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be run; train and write nothing.")
@click.option("--no-controls", is_flag=True, help="Leave out the negative controls (the result is stamped).")
@click.option("--allow-inconclusive", is_flag=True, help="An inconclusive claim does not change the exit code.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option(
    "-o",
    "--output",
    "files",
    multiple=True,
    metavar="FILE",
    help="Also write FILE (.html, .json, .md, .xml); repeatable.",
)
@options.figures
@click.option("-q", "--quiet", is_flag=True, help="No progress, and only the summary.")
@click.option("-v", "--verbose", is_flag=True, help="Every criterion and control of every claim.")
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
    jobs: int | None,
    device: Device,
    no_cache: bool,
    quick: bool,
    exitfirst: bool,
    last_failed: bool,
    dry_run: bool,
    no_controls: bool,
    allow_inconclusive: bool,
    as_json: bool,
    files: tuple[str, ...],
    figures: Path | None,
    quiet: bool,
    verbose: bool,
    outputs: Path,
) -> int:
    """Train the networks of claims, measure, and judge them; all claims if none is named.

    CLAIM is the id of a claim, PATH a claim file or a folder of them.
    """
    from dlnrepro.report.delivery import check_files, deliver
    from dlnrepro.report.github import announce
    from dlnrepro.report.waiting import waiting

    check_files(files, figures)
    with waiting("reading claim files", quiet):
        chosen = options.structured_claims(claims, words, tags)
    if last_failed:
        from dlnrepro.store import last_verdicts

        failed = {name for name, last in last_verdicts(outputs).items() if not last.as_expected}
        chosen = [(claim, path) for claim, path in chosen if claim.id in failed]
    if not chosen:
        say("nothing selected")
        return 5

    with waiting("loading PyTorch and the runners", quiet):
        from dlnrepro.execution import Means
        from dlnrepro.plan import Variation
        from dlnrepro.pool import usual_workers
        from dlnrepro.record import most_serious
        from dlnrepro.report.progress import watcher
        from dlnrepro.session import carried_out, prepared

        variation = Variation(seeds, seed_base, options.overrides(settings), quick, not no_controls, device)
        ready = prepared([path for _, path in chosen], variation)
    if dry_run:
        _describe(ready)
        return 0
    means = Means(outputs, jobs or usual_workers(device), not no_cache, budget)
    with signals.noted():
        session = carried_out(
            ready,
            means,
            watcher(quiet),
            signals,
            ["dlnrepro", *sys.argv[1:]],
            stop=lambda record: exitfirst and not record.as_expected,
            allow_inconclusive=allow_inconclusive,
        )
        report, full = session.report, verbose or len(ready) == 1
        lost = deliver(report, session.folder, files, figures=figures, as_json=as_json, verbose=full, quiet=quiet)
        announce(report)
    lost = [session.fault, *lost] if session.fault is not None else lost
    for fault in lost:
        say(fault.text)
    return most_serious([report.exit_code, *(fault.code for fault in lost)])


def _describe(jobs: list[Job]) -> None:
    """Say what would be run."""
    from dlnrepro.runner import load_runner

    for job in jobs:
        show(f"{job.claim.id}: {len(job.cells)} arms of {len(job.cells[0].seeds)} runs, runner {job.claim.runner}")
        for cell in job.cells:
            needed = load_runner(cell.runner).Params.model_validate(cell.params).memory(len(cell.seeds))  # type: ignore[attr-defined]
            changes = (
                ", ".join(f"{key}={value}" for key, value in job.claim.arms[cell.arm].items()) or "the setup itself"
            )
            show(f"  {cell.arm}: {changes} (about {needed / 1e6:,.0f} MB)")
