"""`dlnrepro run`: train, measure, judge, report."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dlnrepro.commands import options

if TYPE_CHECKING:
    from dlnrepro.engine import Variation
    from dlnrepro.execution import Job, Means
    from dlnrepro.record import Report

_EPILOG = """\b
Examples:
  dlnrepro run                               every claim
  dlnrepro run rank-one-alignment            one claim, in full
  dlnrepro run my-claim.yaml --quick         a file, in its toy profile
  dlnrepro run -m alignment --seed-base 1000 other seeds
  dlnrepro run rank-one-alignment -s width=12 -o report.json
"""


@click.command("run", short_help="Train, measure and judge claims.", epilog=_EPILOG)
@click.argument("claims", nargs=-1, metavar="[CLAIM|PATH...]")
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
    "-j", "--jobs", type=click.IntRange(1, 1024), metavar="N", help="Worker processes; as many as cores if left out."
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
    "-o", "--output", "files", multiple=True, metavar="FILE", help="Also write FILE (.json, .md, .xml); repeatable."
)
@click.option("-q", "--quiet", is_flag=True, help="No progress, and only the summary.")
@click.option("-v", "--verbose", is_flag=True, help="Every criterion and control of every claim.")
@options.outputs
def command(
    claims: tuple[str, ...],
    words: str | None,
    tags: str | None,
    settings: tuple[str, ...],
    seeds: int | None,
    seed_base: int,
    budget: float | None,
    jobs: int | None,
    no_cache: bool,
    quick: bool,
    exitfirst: bool,
    last_failed: bool,
    dry_run: bool,
    no_controls: bool,
    allow_inconclusive: bool,
    as_json: bool,
    files: tuple[str, ...],
    quiet: bool,
    verbose: bool,
    outputs: Path,
) -> int:
    """Train the networks of claims, measure, and judge them; all claims if none is named.

    CLAIM is the id of a claim, PATH a claim file or a folder of them.
    """
    from dlnrepro.report.delivery import check_files, deliver

    check_files(files)
    chosen = options.structured_claims(claims, words, tags)
    if last_failed:
        from dlnrepro.store import last_verdicts

        failed = {name for name, last in last_verdicts(outputs).items() if not last.as_expected}
        chosen = [(claim, path) for claim, path in chosen if claim.id in failed]
    if not chosen:
        click.echo("nothing selected", err=True)
        return 5

    from dlnrepro.engine import Variation
    from dlnrepro.execution import Means
    from dlnrepro.pool import cores

    variation = Variation(seeds, seed_base, options.overrides(settings), quick, not no_controls)
    prepared = _jobs([path for _, path in chosen], variation, settings)
    if dry_run:
        _describe(prepared)
        return 0
    means = Means(outputs, jobs or cores(), not no_cache, budget)
    report, folder = _run(prepared, means, exitfirst, allow_inconclusive, quiet)
    deliver(report, folder, files, as_json=as_json, verbose=verbose or len(prepared) == 1, quiet=quiet)
    return report.exit_code


def _jobs(paths: list[Path], variation: Variation, settings: tuple[str, ...]) -> list[Job]:
    """The claims made ready to run, each held against its runner."""
    from dlnrepro.catalogue import called
    from dlnrepro.execution import prepare_job
    from dlnrepro.loader import claims_at, load_claim

    jobs = []
    for claim, path in claims_at(paths, load_claim):
        repeat = ["dlnrepro", "run", called(path)]
        repeat += [word for setting in settings for word in ("-s", setting)]
        repeat += ["--seeds", str(variation.seeds)] if variation.seeds else []
        repeat += ["--seed-base", str(variation.seed_base)] if variation.seed_base else []
        repeat += ["--quick"] if variation.quick else []
        repeat += [] if variation.controls else ["--no-controls"]
        jobs.append(prepare_job(claim, path, variation, shlex.join(repeat)))
    return jobs


def _describe(jobs: list[Job]) -> None:
    """Say what would be run."""
    from dlnrepro.runner import load_runner

    for job in jobs:
        click.echo(
            f"{job.claim.id}: {len(job.cells)} arms of {len(job.cells[0].seeds)} runs, runner {job.claim.runner}"
        )
        for cell in job.cells:
            needed = load_runner(cell.runner).Params.model_validate(cell.params).memory(len(cell.seeds))  # type: ignore[attr-defined]
            changes = (
                ", ".join(f"{key}={value}" for key, value in job.claim.arms[cell.arm].items()) or "the setup itself"
            )
            click.echo(f"  {cell.arm}: {changes} (about {needed / 1e6:,.0f} MB)")


def _run(jobs: list[Job], means: Means, exitfirst: bool, allow_inconclusive: bool, quiet: bool) -> tuple[Report, Path]:
    """Run the jobs and store the report; gives it and its folder."""
    from datetime import UTC, datetime

    from dlnrepro.execution import run_jobs
    from dlnrepro.provenance import provenance
    from dlnrepro.record import compile_report
    from dlnrepro.report.progress import watcher
    from dlnrepro.store import prepare, write_report

    prepare(means.root)
    started = datetime.now(UTC)
    with watcher(quiet) as watching:
        records, interrupted = run_jobs(jobs, means, watching, lambda record: exitfirst and not record.as_expected)
    words = ["dlnrepro", *sys.argv[1:]]
    report = compile_report(records, provenance(words, started), interrupted, allow_inconclusive)
    return report, write_report(means.root, report, started)
