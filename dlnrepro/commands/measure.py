"""`dlnrepro measure` measures weights that somebody trained."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dlnrepro.commands.arguments import options
from dlnrepro.errors import UsageError
from dlnrepro.visible import on_one_line, say, show_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dlnrepro.dynamics.checkpoints.data_measures import LossKind
    from dlnrepro.dynamics.checkpoints.measured import MeasuredFile, Reading

    Ignored = Sequence[Sequence[str]]

FIGURES = (".png", ".svg", ".pdf")
NOTHING_FOUND = 5
"""The exit code if no file has a linear layer."""

_EPILOG = """\b
Examples:
  dlnrepro measure model.pt                          each chain of linear layers
  dlnrepro measure model.safetensors --json          all numbers, for programs
  dlnrepro measure model.pt --data test.npz          loss, margin and sharpness
  dlnrepro measure run/step-*.pt -o run.svg          a series, with a figure
  dlnrepro measure model.npz --layers W1,W2,W3       the layers of one chain

\b
Exit codes:
  0  every file was measured
  2  an option is invalid, a file cannot be read or is not safe to load, or the
     data fit no chain of any file
  5  no file has a linear layer
"""


@click.command("measure", short_help="Measure weights that somebody trained.", epilog=_EPILOG)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path())
@click.option("--data", type=click.Path(), metavar="FILE", help="Inputs x and targets y, in an .npz or a .csv file.")
@click.option(
    "--loss",
    type=click.Choice(["squared", "logistic"]),
    help="Loss on the data.  [default: logistic for labels that fit the outputs, else squared]",
)
@click.option(
    "--layers",
    metavar="NAME,...",
    help="Measure one chain, of these layers from the input to the output, whatever stands between them.",
)
@click.option("--transposed", is_flag=True, help="Matrices have the shape (inputs, outputs), as in JAX and TensorFlow.")
@click.option("--inside", default="", metavar="NAME", help="The mapping with the weights in a checkpoint of PyTorch.")
@click.option(
    "-o",
    "--write",
    "figures",
    multiple=True,
    type=click.Path(),
    metavar="FILE",
    help="Also draw a figure of spectra and alignment to FILE (.png, .svg or .pdf). Can be given several times.",
)
@options.as_json
@click.option("-v", "--verbose", is_flag=True, help="Show each file of a series in full.")
def command(
    files: tuple[str, ...],
    data: str | None,
    loss: LossKind | None,
    layers: str | None,
    transposed: bool,
    inside: str,
    figures: tuple[str, ...],
    as_json: bool,
    verbose: bool,
) -> int:
    """Measure the linear layers in files of weights: norms, ranks, spectra, alignment and imbalance.

    A FILE is a checkpoint of PyTorch with a state_dict (.pt, .pth, .ckpt, .bin, .tar), .safetensors or .npz. A file is
    never executed: a pickle with anything other than tensors, numbers and texts is refused. The program finds each
    chain of linear layers, that is, of consecutive matrices whose shapes fit. A bias that is not zero, a convolution, a
    normalisation or another entry ends a chain. Activations are not in such a file, so check that the layers of a chain
    really follow one another.

    Several FILEs are a series of checkpoints, in the order of the numbers in their names.
    """
    from dlnrepro.dynamics.checkpoints.file_order import in_order, steps
    from dlnrepro.dynamics.checkpoints.measured import Reading
    from dlnrepro.files import check_output

    check_output(figures, FIGURES)
    if loss is not None and data is None:
        raise UsageError("--loss: expected --data FILE with it, found none")
    names = tuple(name.strip() for name in layers.split(",")) if layers is not None else ()
    if layers is not None and not all(names):
        raise UsageError(f"--layers: expected names with commas between them, found '{layers}'")
    reading = Reading(names, transposed, inside)
    paths = in_order(files)
    measured, wrong = _measured(paths, reading, data, loss)
    wrong += _unfit(measured, data)
    ignored = _ignored(measured, reading)
    said = ignored if names else [*map(_on_data_alone, measured, ignored)]
    code = 2 if wrong else 0 if any(file.chains for file in measured) else NOTHING_FOUND
    if measured:
        found = steps([file.path for file in measured])
        if as_json:
            _show_json(measured, ignored, found, code)
        else:
            _show(measured, said, data or "", verbose)
        _draw(measured, said, found, figures)
    for line in wrong:
        say(on_one_line(line))
    return code


def _measured(
    paths: Sequence[str], reading: Reading, data: str | None, loss: LossKind | None
) -> tuple[list[MeasuredFile], list[str]]:
    """The files that can be measured, and a line for each file that cannot be measured.

    Raises:
        UsageError: the data cannot be read.
    """
    from dlnrepro.dynamics.checkpoints import data_file, weight_files
    from dlnrepro.dynamics.checkpoints.measured import measure_file
    from dlnrepro.report.terminal.waiting import waiting
    from dlnrepro.runner import silent

    if data is not None:
        _refuse_folder(data, f"a file of data ({', '.join(data_file.SUFFIXES)})")
    samples = data_file.read_data(data) if data is not None else None
    measured: list[MeasuredFile] = []
    wrong: list[str] = []
    for path in paths:
        try:
            _refuse_folder(path, f"a file of weights ({', '.join(weight_files.SUFFIXES)})")
            with waiting(f"{path} is being measured"):
                measured.append(measure_file(path, reading, samples, loss, silent))
        except UsageError as error:
            wrong.extend(map(str, error.args))
    return measured, wrong


def _refuse_folder(path: str, expected: str) -> None:
    """Refuse a folder, which has no suffix that could be named.

    Raises:
        UsageError: the path is that of a folder.
    """
    from dlnrepro.dynamics.checkpoints.entries import refusal

    if os.path.isdir(path):
        raise refusal(path, expected, "a folder")


def _unfit(measured: Sequence[MeasuredFile], data: str | None) -> list[str]:
    """A line if there are data, and they fit no chain of any file."""
    chains = [chain for file in measured for chain in file.chains]
    if data is None or not chains or any(chain.on_data is not None for chain in chains):
        return []
    faults = dict.fromkeys(chain.data_fault for chain in chains)
    return [f"{data}: fits no chain of linear layers: {'; '.join(faults)}"]


def _ignored(measured: Sequence[MeasuredFile], reading: Reading) -> list[Ignored]:
    """The biases that are not zero and that the measures ignore, of each chain of each file."""
    from dlnrepro.dynamics.checkpoints.ignored_biases import ignored_biases

    return [ignored_biases(file, reading.inside) for file in measured]


def _on_data_alone(file: MeasuredFile, ignored: Ignored) -> Ignored:
    """The ignored biases of the chains that are measured on data; every other chain that was found ends at its bias."""
    return [names if chain.on_data is not None else [] for chain, names in zip(file.chains, ignored, strict=True)]


def _show_json(measured: Sequence[MeasuredFile], ignored: Sequence[Ignored], steps: Sequence[float], code: int) -> None:
    """Print all numbers as JSON."""
    from dlnrepro.dynamics.checkpoints.measured import as_mapping

    files = [{"step": step, **as_mapping(file)} for step, file in zip(steps, measured, strict=True)]
    for file, of_chains in zip(files, ignored, strict=True):
        for chain, names in zip(file["chains"], of_chains, strict=True):
            chain["ignored_biases"] = names
    show_json({"schema": 1, "exit_code": code, "files": files})


def _show(measured: Sequence[MeasuredFile], ignored: Sequence[Ignored], data: str, verbose: bool) -> None:
    """Print the numbers of one file, or of a series."""
    from dlnrepro.report.terminal.measured_page import measured_page, series_page
    from dlnrepro.report.terminal.terminal_page import TerminalPage

    page = TerminalPage.of_terminal()
    if len(measured) == 1 or verbose:
        for file, of_chains in zip(measured, ignored, strict=True):
            measured_page(page, file, data, of_chains)
    if len(measured) > 1:
        series_page(page, measured, ignored)
    page.deliver()


def _draw(
    measured: Sequence[MeasuredFile], ignored: Sequence[Ignored], steps: Sequence[float], figures: Sequence[str]
) -> None:
    """Write the figure of the files, once per name.

    Raises:
        UsageError: a figure cannot be written.
    """
    from dlnrepro.files import write_whole

    for name in figures:
        from dlnrepro.report.drawing.measured_figure import measured_figure

        write_whole(Path(name), measured_figure(measured, steps, Path(name).suffix, ignored))
        say(on_one_line(f"{name} was written"))
