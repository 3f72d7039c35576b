"""`dlnrepro audit` says how good each criterion of a claim is, how sharp it is, and what it does not notice."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dlnrepro.commands.arguments import candidates, options
from dlnrepro.visible import on_one_line, say, show, show_json

if TYPE_CHECKING:
    from dlnrepro.archive.audits import AuditRecord
    from dlnrepro.claimfile.gathering import Selection
    from dlnrepro.claimfile.schema import Claim
    from dlnrepro.errors import Unjudged
    from dlnrepro.session.audit_job import AuditJob
    from dlnrepro.session.audit_table import TableUpkeep
    from dlnrepro.session.execution import RunOptions
    from dlnrepro.signals import Signals

_EPILOG = """\b
Examples:
  dlnrepro audit restoration-time              one claim, shown in full
  dlnrepro audit restoration-time -n           what would be computed
  dlnrepro audit 'one-neuron-*' -o audit.html  several claims, as a page
  dlnrepro audit my-claim.yaml --runs 64       a first look
  dlnrepro audit --reference outputs/audits    brings the table of audits up to date

\b
Exit codes:
  0  every claim passes its audit
  2  an option or a claim file is invalid
  3  an arm has an error, or this program has
  4  something is named that is not as it should be
  5  no claim is selected
  130, 143, 129  ended by SIGINT (Ctrl-C), SIGTERM, SIGHUP
"""


@click.command("audit", short_help="How good each criterion of a claim is, and how sharp.", epilog=_EPILOG)
@click.argument("claims", nargs=-1, metavar="[CLAIM|PATH...]", shell_complete=candidates.claims)
@options.words
@options.tags
@click.option(
    "--runs",
    type=options.Whole(16, 100_000),
    default=256,
    show_default=True,
    metavar="N",
    help="Number of runs of each arm on fresh seeds.",
)
@click.option(
    "--seed-base",
    type=options.Whole(0, 2**63 - 1),
    default=10_000,
    show_default=True,
    metavar="N",
    help="First fresh seed. Changes and flaws are tried from 10000 seeds later on. The pilots of the claims that "
    "come with the program used seeds below 10000. Where a threshold was changed in view of later seeds, its history "
    "says so.",
)
@click.option(
    "--budget",
    type=options.Duration(),
    metavar="TIME",
    help="Time limit of each piece of work, which is up to 128 runs of an arm: seconds, or 90s, 5m, 1h.",
)
@options.workers
@click.option("--cache/--no-cache", default=True, help="Use the stored numbers of runs, or compute every run again.")
@click.option(
    "--reference",
    type=options.Folder(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Bring a table of audits up to date: audit only the claims that have changed, and write one file per claim.",
)
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be computed; train and write nothing.")
@options.verbose
@options.quiet
@click.option(
    "-o",
    "--output",
    "files",
    multiple=True,
    metavar="FILE",
    help="Also write the audits to a file (.html: a page for people, .md: Markdown, .json: every number). "
    "Can be given several times.",
)
@options.as_json
@options.outputs
@click.pass_obj
def command(
    signals: Signals,
    claims: tuple[str, ...],
    words: str | None,
    tags: str | None,
    runs: int,
    seed_base: int,
    budget: float | None,
    workers: int | None,
    cache: bool,
    reference: Path | None,
    dry_run: bool,
    verbose: bool,
    quiet: bool,
    files: tuple[str, ...],
    as_json: bool,
    outputs: Path,
) -> int:
    """Say how good each criterion of a claim is, how sharp it is, and what it does not notice.

    Every arm is run on fresh seeds. Then each harmless change of the claim's `audit:` section
    must leave every criterion as it is, and each flaw must be noticed by the criteria that it names. Without an
    argument, all claims are audited.

    CLAIM is the id of a claim, or a pattern of ids. PATH is a claim file, or a folder of claim files. All numbers are
    stored, so an audit that was stopped goes on where it stopped.
    """
    from dlnrepro.report.audit.files import check_files

    check_files(files)
    selection = _selection(claims, words, tags, quiet)
    selection.say_rest()
    if not selection.claims:
        if not selection.faults:
            say("no claim is selected")
        return 2 if selection.faults else 5

    from dlnrepro.compute.executor import LocalProcesses, usual_workers
    from dlnrepro.session.audit_job import audit_job
    from dlnrepro.session.execution import RunOptions

    jobs = [audit_job(claim, path, runs, seed_base) for claim, path in selection.claims]
    run_options = RunOptions(outputs, LocalProcesses(workers or usual_workers("cpu")), cache, budget)
    whole = not (words or tags) and all(os.path.isdir(name) for name in claims)
    care = None if reference is None else _upkeep(reference, jobs, cache, whole)
    due = jobs if care is None else care.jobs
    if dry_run:
        return _described(due, selection, run_options, as_json)
    from dlnrepro.signals import name_of

    with signals.noted():
        records, faults = _audited(due, run_options, signals, quiet, care)
        shown = records if care is None else care.with_current(jobs, records)
        full = (verbose or len(selection.claims) == 1) and not quiet
        faults += _delivered(shown, files, as_json=as_json, full=full)
        for fault in faults:
            say(fault.text)
        if signals.code is not None:
            say(f"ended by {name_of(signals.code)}: the same command goes on where this audit stopped")
        return _code(shown, [*selection.unjudged, *faults], signals.code)


def _selection(names: Sequence[str], words: str | None, tags: str | None, quiet: bool) -> Selection[Claim]:
    """The claims that are selected, checked against their runners."""
    from dlnrepro.claimfile.gathering import gathered
    from dlnrepro.claimfile.loader import load_claim
    from dlnrepro.report.terminal.waiting import waiting

    with waiting("reading the claim files, and loading PyTorch and the runners", quiet):
        return gathered(names, words, tags, load_claim)


def _upkeep(folder: Path, jobs: Sequence[AuditJob], cache: bool, whole: bool) -> TableUpkeep:
    """The claims that must be audited to bring a table up to date; the reasons are printed."""
    from dlnrepro.session.audit_table import table_upkeep

    care = table_upkeep(folder, jobs, cache, whole)
    for line in care.reasons:
        say(on_one_line(line))
    return care


def _audited(
    jobs: Sequence[AuditJob], run_options: RunOptions, signals: Signals, quiet: bool, care: TableUpkeep | None
) -> tuple[list[AuditRecord], list[Unjudged]]:
    """The audits that came to their end; each is written into the table at once, if there is one."""
    from dlnrepro.report.terminal.progress import watcher
    from dlnrepro.session.audit_table import clear_gone, update
    from dlnrepro.session.auditing import audit_and_store

    lines: list[str] = []

    def done(record: AuditRecord) -> None:
        """Write an audit that has come to its end into the table, if there is one."""
        if care is not None and (line := update(care, record)) is not None:
            lines.append(line)

    records, faults = audit_and_store(jobs, run_options, watcher(quiet, "piece"), signals, done) if jobs else ([], [])
    faults += [] if care is None else clear_gone(care)
    for line in lines:
        say(on_one_line(line))
    return records, faults


def _delivered(records: Sequence[AuditRecord], files: Sequence[str], *, as_json: bool, full: bool) -> list[Unjudged]:
    """Print the audits and write them to files; gives what could not be written."""
    from dlnrepro.archive.audits import list_to_json
    from dlnrepro.errors import Unjudged, UsageError
    from dlnrepro.report.audit.audit_page import audit_in_full, audits_in_short
    from dlnrepro.report.audit.files import write_file
    from dlnrepro.report.terminal.terminal_page import TerminalPage

    # Printed first: the results of a long computation must not be lost because a file cannot be written.
    if as_json:
        click.echo(list_to_json(records), nl=False)
    elif records:
        page = TerminalPage.of_terminal()
        for record in records if full else ():
            audit_in_full(page, record)
            page.line()
        if len(records) > 1 or not full:
            audits_in_short(page, records)
        page.deliver()
    faults = []
    for name in files:
        try:
            write_file(Path(name), records)
        except UsageError as error:
            faults.append(Unjudged(2, None, str(error)))
    return faults


def _code(records: Sequence[AuditRecord], unjudged: Sequence[Unjudged], signal: int | None) -> int:
    """The exit code: that of a signal, or the most serious one of the audits and of what could not be audited."""
    from dlnrepro.archive.record import most_serious

    if signal is not None:
        return signal
    return most_serious([*(record.exit_code for record in records), *(item.code for item in unjudged)])


def _described(jobs: Sequence[AuditJob], selection: Selection[Claim], run_options: RunOptions, as_json: bool) -> int:
    """Show what would be computed, and return the exit code, which is 2 if a selected file is not a valid claim."""
    from dlnrepro.session.audit_job import costs

    found = [costs(job, run_options) for job in jobs]
    if as_json:
        show_json([asdict(cost) for cost in found])
    else:
        for cost in found:
            for line in cost.lines:
                show(on_one_line(line))
    return 2 if selection.faults else 0
