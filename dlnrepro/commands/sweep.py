"""`dlnrepro sweep` runs a claim at many settings, and shows where its verdict changes."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dlnrepro.commands.arguments import candidates, options
from dlnrepro.compute.device import DEVICES
from dlnrepro.errors import UsageError
from dlnrepro.visible import on_one_line, say, show, show_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dlnrepro.archive.record import ClaimRecord
    from dlnrepro.claimfile.schema import Claim
    from dlnrepro.compute.device import Device
    from dlnrepro.report.sweep.swept import Swept
    from dlnrepro.session.execution import Job
    from dlnrepro.session.sweeps.points import Grid
    from dlnrepro.signals import Signals

TABLES = (".csv", ".json")
FIGURES = (".png", ".svg", ".pdf")

_EPILOG = """\b
Examples:
  dlnrepro sweep restoration-time -s depth=3,4,5
  dlnrepro sweep my-claim.yaml -s step_size=0.5:1.5:11 --refine 6 \\
      --theory '2 / (strengths[1] + strengths[2])'
  dlnrepro sweep my-claim.yaml -s depth=2:6:5 -s start_scale=1e-3:1:13:log \\
      --seeds 8 -o map.svg -o map.csv

\b
Exit codes:
  0  each point has a verdict, or cannot be run at its settings
  2  an option or the claim file is invalid, or no point can be run
  3  a point has an error, or this program has
  130, 143, 129  ended by SIGINT (Ctrl-C), SIGTERM, SIGHUP
"""


@click.command("sweep", short_help="Run a claim at many settings: where does it hold?", epilog=_EPILOG)
@click.argument("claim", metavar="CLAIM|PATH", shell_complete=candidates.claims)
@click.option(
    "-s",
    "--settings",
    "settings",
    multiple=True,
    metavar="[ARM.]KEY=VALUES",
    shell_complete=candidates.settings,
    help="The values of one parameter, or of two: KEY=A,B,C or KEY=LOW:HIGH:COUNT or KEY=LOW:HIGH:COUNT:log. "
    "KEY=VALUE gives another parameter one value at every point.",
)
@click.option(
    "--refine",
    type=options.Whole(0, 40),
    default=0,
    metavar="N",
    help="Halve the distance N times wherever the verdict changes, along one parameter.",
)
@click.option(
    "--theory",
    default="",
    metavar="FORMULA",
    help="Where theory expects the change: a formula of the settings for the last of the parameters. It is compared "
    "with the changes that are found, and drawn.",
)
@click.option(
    "--measure", "measured", default="", metavar="ID", help="Draw the measure of this criterion instead of the verdict."
)
@click.option(
    "--seeds",
    type=options.Whole(1, 100_000),
    metavar="N",
    help="Fix the number of runs per arm.  [default: that of the claim, and further runs for an arm in doubt]",
)
@click.option(
    "--seed-base", type=options.Whole(0, 2**63 - 1), default=0, show_default=True, metavar="N", help="First seed."
)
@click.option("--budget", type=options.Duration(), metavar="TIME", help="Time limit of each arm of each point.")
@options.workers
@click.option("--device", type=click.Choice(DEVICES), default="cpu", show_default=True, help="Device that computes.")
@click.option("--cache/--no-cache", default=True, help="Use the stored numbers of arms, or compute every arm again.")
@click.option("--quick", is_flag=True, help="Use the claim's small, fast settings.")
@click.option(
    "--controls/--no-controls",
    default=False,
    show_default=True,
    help="Run the negative controls at every point, or leave them out.",
)
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be computed; train and write nothing.")
@click.option(
    "-o",
    "--write",
    "files",
    multiple=True,
    type=click.Path(),
    metavar="FILE",
    help="Also write a table (.csv, .json) or a figure (.png, .svg, .pdf) to FILE. Can be given several times.",
)
@options.as_json
@options.quiet
@options.outputs
@click.pass_obj
def command(
    signals: Signals,
    claim: str,
    settings: tuple[str, ...],
    refine: int,
    theory: str,
    measured: str,
    seeds: int | None,
    seed_base: int,
    budget: float | None,
    workers: int | None,
    device: Device,
    cache: bool,
    quick: bool,
    controls: bool,
    dry_run: bool,
    files: tuple[str, ...],
    as_json: bool,
    quiet: bool,
    outputs: Path,
) -> int:
    """Run one claim at many values of one or two of its parameters, and show where its verdict changes.

    The controls are left out, unless --controls is given: what is swept is where the criteria hold. The numbers of all
    arms are stored, so a sweep that was stopped goes on where it stopped, and `dlnrepro run` with the settings of a
    point shows it in full at once. The runs of all points are one report, for `dlnrepro report`, `replay` and `diff`.
    """
    from dlnrepro.compute.executor import LocalProcesses, usual_workers
    from dlnrepro.compute.variation import Variation
    from dlnrepro.files import check_output
    from dlnrepro.report.sweep.swept import theory_values
    from dlnrepro.report.terminal.progress import watcher
    from dlnrepro.session.execution import RunOptions
    from dlnrepro.session.run import run_and_store
    from dlnrepro.session.sweeps.axes import read_axes
    from dlnrepro.session.sweeps.points import Grid

    started = datetime.now(UTC)
    check_output(files, (*TABLES, *FIGURES))
    axes, fixed = read_axes(settings)
    if refine and (len(axes) > 1 or not axes[0].numeric):
        raise UsageError("--refine: expected one parameter with numbers, found two parameters, or values in words")
    variation = Variation(seeds, seed_base, options.overrides(fixed), quick, controls, device)
    found, path = _claim(claim, quiet)
    grid = Grid(found, path, variation, axes)
    _check_measure(found, measured)
    theory_values(theory, grid.in_order(), axes)
    if dry_run:
        return _describe(grid, outputs, cache)
    run_options = RunOptions(outputs, LocalProcesses(workers or usual_workers(device)), cache, budget)
    with signals.noted():
        session = run_and_store(
            grid.jobs,
            run_options,
            watcher(quiet, points=True),
            signals,
            ["dlnrepro", *sys.argv[1:]],
            started,
            allow_inconclusive=True,
            further=lambda records: _halves(grid, records, refine),
        )
        swept = _swept(grid, found, theory, measured)
        _deliver(swept, files, as_json)
    faults = [*session.report.unjudged, *filter(None, [session.storage_fault])]
    for fault in faults:
        say(on_one_line(fault.text))
    wrong = any(point.verdict == "error" for point in swept.points)
    return signals.code or max([3 if wrong else 0, *(fault.code for fault in faults)])


def _claim(name: str, quiet: bool) -> tuple[Claim, Path]:
    """The claim of an id or a path.

    Raises:
        UsageError: it is not one valid claim.
    """
    from dlnrepro.claimfile.gathering import gathered
    from dlnrepro.claimfile.loader import load_claim
    from dlnrepro.report.terminal.waiting import waiting

    with waiting("reading the claim file, and loading PyTorch and the runner", quiet):
        selection = gathered([name], None, None, load_claim, None)
    if selection.faults:
        raise UsageError(*(fault.text for fault in selection.unjudged))
    if len(selection.claims) != 1:
        raise UsageError(f"expected one claim, found {len(selection.claims)} that '{name}' selects")
    return selection.claims[0]


def _check_measure(claim: Claim, measured: str) -> None:
    """Refuse the name of a criterion that the claim does not have.

    Raises:
        UsageError: there is no such criterion.
    """
    from dlnrepro.errors import unknown

    names = [criterion.id for criterion in claim.criteria]
    if measured and measured not in names:
        raise UsageError(f"--measure: {unknown(measured, names).wording}")


def _halves(grid: Grid, records: Sequence[ClaimRecord], refine: int) -> Sequence[Job]:
    """The jobs between the neighbours with different verdicts, at most `refine` times."""
    from dlnrepro.session.sweeps.boundaries import between, changes

    grid.judged(records)
    if grid.halvings >= refine:
        return []
    grid.halvings += 1
    (axis,) = grid.axes
    found = changes(grid.in_order())
    return [job for change in found for job in grid.first_of([(value,) for value in between(axis, change)])]


def _swept(grid: Grid, claim: Claim, theory: str, measured: str) -> Swept:
    """What there is to show.

    Raises:
        UsageError: theory's boundary is not a formula of the settings.
    """
    from dlnrepro.report.sweep.swept import Swept, theory_values
    from dlnrepro.session.sweeps.boundaries import changes

    points = grid.in_order()
    single = len(grid.axes) == 1 and grid.axes[0].numeric
    labels = {stamp for point in points if point.record is not None for stamp in point.record.stamps}
    said = [word for stamp, word in (("no-controls", "no controls"), ("fixed-seeds", "fixed runs")) if stamp in labels]
    return Swept(
        claim.id,
        grid.axes,
        tuple(points),
        tuple(claim.setup.get(axis.key) for axis in grid.axes),
        tuple(changes(points)) if single else (),
        theory,
        theory_values(theory, points, grid.axes),
        tuple(test.id for test in claim.criteria),
        measured,
        f" ({', '.join(said)})" if said else "",
    )


def _describe(grid: Grid, outputs: Path, cache: bool) -> int:
    """Show how many arms would be computed, and return the exit code."""
    from dlnrepro.commands.dry_run import stored_seconds

    cells = {cell.key: cell for job in grid.jobs for cell in job.cells}
    stored = sum(cache and stored_seconds(cell, outputs) is not None for cell in cells.values())
    refused = len(grid.points) - len(grid.jobs)
    runs = sum(len(cell.seeds) for cell in cells.values())
    show(f"{len(grid.points)} points, {len(cells)} arms with {runs} runs at first; {stored} arms are stored")
    if refused:
        show(f"{refused} points cannot be run at their settings")
    return 0


def _deliver(swept: Swept, files: Sequence[str], as_json: bool) -> None:
    """Show a sweep, and write its files.

    Raises:
        UsageError: a file cannot be written.
    """
    from dlnrepro.files import write_whole
    from dlnrepro.report.sweep.sweep_files import as_csv, as_mapping
    from dlnrepro.report.sweep.sweep_files import as_json as json_of
    from dlnrepro.report.sweep.sweep_page import sweep_page
    from dlnrepro.report.terminal.terminal_page import TerminalPage

    if as_json:
        show_json(as_mapping(swept))
    else:
        page = TerminalPage.of_terminal()
        sweep_page(page, swept)
        page.deliver()
    for name in files:
        suffix = Path(name).suffix
        if suffix in FIGURES:
            from dlnrepro.report.sweep.sweep_figure import sweep_figure

            content = sweep_figure(swept, suffix)
        else:
            content = as_csv(swept) if suffix == ".csv" else json_of(swept)
        write_whole(Path(name), content)
        say(on_one_line(f"{name} was written"))
