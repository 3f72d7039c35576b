"""Measured files of weights, as text: the layers of one file, or one line per checkpoint of a series."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dlnrepro.report.terminal.terminal_page import TerminalPage
from dlnrepro.report.words.others.ignored import ignored_words
from dlnrepro.settings.numerals import numeral

if TYPE_CHECKING:
    from dlnrepro.dynamics.checkpoints.data_measures import DataMeasures
    from dlnrepro.dynamics.checkpoints.measured import MeasuredChain, MeasuredFile

SHOWN_VALUES = 4
"""How many singular values of a matrix are shown."""

SHOWN_LEFT_OUT = 12
"""How many entries that are left out are named; the rest of them are counted."""

LAYER_HEADS = ("\nlayer", "\nshape", "\n‖W‖_F", "stable\nrank", "rank-1\ngap", "leading\nsingular values")
NEIGHBOUR_HEADS = ("\nneighbours", "\nalignment", "1 - align-\nment", "\nimbalance", "relative\nimbalance")
SERIES = {
    "norm": "norm",
    "product_norm": "product\nnorm",
    "product_gap": "product\nrank-1\ngap",
    "alignment_gap": "1 -\nalign-\nment",
    "relative_imbalance": "rela-\ntive im-\nbalance",
    "loss": "loss",
    "normalised_margin": "normal-\nised\nmargin",
    "sharpness": "sharp-\nness",
}
"""The numbers of a series, each with its head; a column without any number is left out."""


def measured_page(page: TerminalPage, file: MeasuredFile, data: str, ignored: Sequence[Sequence[str]]) -> None:
    """One file of weights: each chain of linear layers in full, and the entries that were left out.

    Args:
        page: what it is laid out on.
        file: the measured file.
        data: the name of the file of data; empty if there is none.
        ignored: the biases of each chain that are not zero and that its measures ignore.
    """
    page.line((file.path, "bold"))
    for number, (chain, biases) in enumerate(zip(file.chains, ignored, strict=True), 1):
        _chain(page, chain, f"chain {number} of {len(file.chains)}", data, ignored_words(biases))
    _left_out(page, file)


def series_page(page: TerminalPage, files: Sequence[MeasuredFile], ignored: Sequence[Sequence[Sequence[str]]]) -> None:
    """A series of checkpoints: a table for each chain of layers, with one line per file in which the chain occurs.

    Args:
        page: what it is laid out on.
        files: the checkpoints in their order.
        ignored: the biases of each chain of each file that are not zero and that its measures ignore.
    """
    biases = {
        (file.path, chain.layers.names): names
        for file, of in zip(files, ignored, strict=True)
        for chain, names in zip(file.chains, of, strict=True)
    }
    chains = [chain for file in files for chain in file.chains]
    for number, names in enumerate(dict.fromkeys(chain.layers.names for chain in chains), 1):
        rows = [(file.path, found) for file in files if (found := _of(file, names)) is not None]
        page.line((f"chain {number}", "bold"), f": {_layers(rows[0][1])}", hang=2)
        keys = [key for key in SERIES if any(not math.isnan(chain.numbers.get(key, math.nan)) for _, chain in rows)]
        table = [[Path(path).name, *(_short(chain.numbers.get(key, math.nan)) for key in keys)] for path, chain in rows]
        heads = _bottom(["file", *(SERIES[key] for key in keys)])
        page.table(table, right=tuple(range(1, 1 + len(keys))), folds=0, indent=2, heads=heads)
        for fault in dict.fromkeys(chain.data_fault for _, chain in rows if chain.data_fault):
            page.line(f"the data do not fit this chain: {fault}", indent=2, hang=2)
        if said := ignored_words(list(dict.fromkeys(name for path, _ in rows for name in biases[path, names]))):
            page.line((said, "yellow"), indent=2, hang=2)
        page.line()
    for file in files:
        if not file.chains:
            page.line((file.path, "bold"), ": no linear layer", hang=2)
            _left_out(page, file)


def _of(file: MeasuredFile, names: tuple[str, ...]) -> MeasuredChain | None:
    """The chain of these layers in a file, if it occurs there."""
    return next((chain for chain in file.chains if chain.layers.names == names), None)


def _chain(page: TerminalPage, chain: MeasuredChain, head: str, data: str, ignored: str) -> None:
    """One chain of layers in full."""
    end = f"; it ends at {chain.layers.ended_by}"
    page.line((head, "bold"), f": {_layers(chain)}{end}", indent=2, hang=2)
    if not chain.is_finite:
        undefined = ": some weights are NaN or infinite, so most numbers are not defined"
        page.line(("not finite", "red"), undefined, indent=4, hang=2)
    if chain.layers.gap:
        page.line(f"a number is left out between {chain.layers.gap}: is there an activation?", indent=4, hang=2)
    if ignored:
        page.line((ignored, "yellow"), indent=4, hang=2)
    layers = chain.measures.layers
    rows = [
        [name, "×".join(map(str, weight.shape)), *_matrix(item.norm, item.stable_rank, item.rank_one_gap, item)]
        for name, weight, item in zip(chain.layers.names, chain.layers.weights, layers, strict=True)
    ]
    whole = chain.measures.product
    if len(layers) > 1:
        shape = f"{chain.layers.widths[-1]}×{chain.layers.widths[0]}"
        rows.append(["product", shape, *_matrix(whole.norm, whole.stable_rank, whole.rank_one_gap, whole)])
    page.table(rows, right=(1, 2, 3, 4), folds=5, indent=4, heads=LAYER_HEADS)
    if chain.measures.neighbours:
        names = zip(chain.layers.names, chain.layers.names[1:], strict=False)
        pairs = [
            [f"{before}, {after}", *map(_number, pair)]
            for (before, after), pair in zip(names, chain.measures.neighbours, strict=True)
        ]
        page.table(pairs, right=(1, 2, 3, 4), folds=0, indent=4, heads=NEIGHBOUR_HEADS)
    if chain.on_data is not None:
        page.line(f"on {data}: {_on_data(chain.on_data)}", indent=4, hang=2)
    elif chain.data_fault:
        page.line(f"{data} does not fit: {chain.data_fault}", indent=4, hang=2)
    page.line()


def _matrix(norm: float, stable_rank: float, gap: float, item: object) -> list[str]:
    """The cells of a matrix after its name and its shape."""
    values: tuple[float, ...] = getattr(item, "singular_values", ())
    more = " ..." if len(values) > SHOWN_VALUES else ""
    shown = ", ".join(_number(value, 3) for value in values[:SHOWN_VALUES])
    return [_number(norm), _number(stable_rank, 3), _number(gap, 3), shown + more]


def _layers(chain: MeasuredChain) -> str:
    """The number of layers of a chain, and its widths."""
    count = len(chain.layers.names)
    widths = " → ".join(map(str, chain.layers.widths))
    return f"{count} linear layer{'s' * (count > 1)}, widths {widths}"


def _on_data(found: DataMeasures) -> str:
    """The measures on data in a line."""
    numbers: Mapping[str, str] = {
        f"{found.kind} loss": _number(found.loss),
        "accuracy": _number(found.accuracy),
        "margin": _number(found.margin),
        "margin / ‖product‖_F": _number(found.normalised_margin),
        "margin / ∏‖Wₗ‖_F": _number(found.layer_margin),
        "sharpness": _number(found.sharpness),
    }
    known = {name: text for name, text in numbers.items() if text != _number(math.nan) or name == "sharpness"}
    return ", ".join(f"{name} {text}" for name, text in known.items())


def _left_out(page: TerminalPage, file: MeasuredFile) -> None:
    """The entries of a file that belong to no chain, and why."""
    if not file.chains:
        page.line("no linear layer was found", indent=2)
    if file.left_out:
        page.line("left out:", indent=2)
        for item in file.left_out[:SHOWN_LEFT_OUT]:
            page.line(f"{item.name}: {item.why}", indent=4, hang=2)
        if (more := len(file.left_out) - SHOWN_LEFT_OUT) > 0:
            page.line(f"and {more} more", indent=4)
    if file.hint:
        page.line(f"hint: {file.hint}", indent=2, hang=2)


def _bottom(heads: Sequence[str]) -> list[str]:
    """The heads with empty lines above, so that all end in the same line."""
    lines = max(head.count("\n") for head in heads)
    return ["\n" * (lines - head.count("\n")) + head for head in heads]


def _short(value: float) -> str:
    """A number in at most seven letters, or a dash if it is not defined."""
    if 0 < abs(value) < 0.01:
        return f"{value:.2e}".replace("e-0", "e-")
    return _number(value, 3)


def _number(value: float, digits: int = 4) -> str:
    """A number with a few digits, or a dash if it is not defined."""
    return "–" if math.isnan(value) else numeral(value, digits)
