"""The measures of every chain of linear layers in a file of weights, and of a series of such files."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch

from dlnrepro.dynamics.checkpoints.data_file import Data
from dlnrepro.dynamics.checkpoints.data_measures import DataMeasures, LossKind, data_fault, measure_on, usual_loss
from dlnrepro.dynamics.checkpoints.entries import refusal
from dlnrepro.dynamics.checkpoints.layer_measures import ChainMeasures, measure_chain
from dlnrepro.dynamics.checkpoints.linear_layers import (
    LayerChain,
    Layers,
    LeftOut,
    chains_when_transposed,
    chosen_layers,
    layer_chains,
)
from dlnrepro.dynamics.checkpoints.weight_files import read_weights
from dlnrepro.dynamics.tensors.processor import new_tensors_on_the_processor
from dlnrepro.dynamics.tensors.progress import Progress, part_of


@dataclass(frozen=True)
class Reading:
    """How a file of weights is read.

    Attributes:
        layers: the names of the layers of the only chain, from the input to the output; empty to find all chains.
        transposed: whether matrices have the shape (inputs, outputs).
        inside: the name of the mapping that holds the weights in a checkpoint of PyTorch; if empty, it is searched.
    """

    layers: tuple[str, ...] = ()
    transposed: bool = False
    inside: str = ""


@dataclass(frozen=True, eq=False)
class MeasuredChain:
    """A chain of linear layers with its measures.

    Attributes:
        on_data: its measures on data; None without data, or if the data do not fit.
        data_fault: why the data do not fit, as `expected ..., found ...`; empty if they fit or there are none.
        is_finite: whether all weights are finite.
    """

    layers: LayerChain
    measures: ChainMeasures
    on_data: DataMeasures | None
    data_fault: str
    is_finite: bool

    @property
    def numbers(self) -> dict[str, float]:
        """The numbers that describe the chain as a whole, by name."""
        return self.measures.numbers | (self.on_data.numbers if self.on_data is not None else {})


@dataclass(frozen=True, eq=False)
class MeasuredFile:
    """A file of weights with the measures of its chains.

    Attributes:
        hint: what could be tried if the chains are not those that the user expects; empty if there is nothing.
    """

    path: str
    chains: tuple[MeasuredChain, ...]
    left_out: tuple[LeftOut, ...]
    hint: str


def measure_file(
    path: str, reading: Reading, data: Data | None, loss: LossKind | None, progress: Progress
) -> MeasuredFile:
    """The measures of every chain of linear layers in a file of weights.

    Args:
        path: the file.
        reading: how it is read.
        data: samples, or None.
        loss: the loss on the data; None chooses it by the labels.
        progress: called with the fraction done.

    Raises:
        UsageError: the file cannot be read, or has not the layers that were asked for.
    """
    layers = found_layers(path, reading)
    hint = "the matrices would fit if they were transposed; --transposed reads them so"
    with new_tensors_on_the_processor():
        return MeasuredFile(
            path=path,
            chains=tuple(
                _measured(chain, data, loss, part_of(progress, place / len(layers.chains), 1 / len(layers.chains)))
                for place, chain in enumerate(layers.chains)
            ),
            left_out=layers.left_out,
            hint=hint if not reading.transposed and chains_when_transposed(layers) else "",
        )


def found_layers(path: str, reading: Reading) -> Layers:
    """The chains of linear layers in a file of weights.

    Raises:
        UsageError: the file cannot be read, or has not the layers that were asked for.
    """
    entries = read_weights(path, reading.inside)
    if not reading.layers:
        return layer_chains(entries, reading.transposed)
    try:
        return chosen_layers(entries, reading.layers, reading.transposed)
    except (LookupError, ValueError) as error:
        expected, _, found = str(error.args[0]).removeprefix("expected ").partition(", found ")
        raise refusal(path, expected, found) from None


def _measured(chain: LayerChain, data: Data | None, loss: LossKind | None, progress: Progress) -> MeasuredChain:
    """One chain with its measures."""
    progress(0.0, f"{len(chain.weights)} layers from {chain.names[0]} on")
    weights = [torch.from_numpy(weight).clone() for weight in chain.weights]
    on_data, fault = None, ""
    if data is not None:
        kind = loss or usual_loss(data, chain.widths[-1])
        fault = data_fault(data, chain.widths, kind)
        on_data = None if fault else measure_on(weights, data, kind, progress)
    finite = all(bool(torch.isfinite(weight).all()) for weight in weights)
    return MeasuredChain(chain, measure_chain(weights), on_data, fault, finite)


def as_mapping(file: MeasuredFile) -> dict[str, Any]:
    """A measured file as values of JSON; NaN and infinite numbers become null."""
    chains = []
    for chain in file.chains:
        named = zip(chain.layers.names, chain.layers.weights, chain.measures.layers, strict=True)
        pairs = zip(
            zip(chain.layers.names, chain.layers.names[1:], strict=False), chain.measures.neighbours, strict=True
        )
        chains.append(
            {
                "layers": [{"name": name, "shape": list(w.shape), **item._asdict()} for name, w, item in named],
                "neighbours": [{"names": list(names), **pair._asdict()} for names, pair in pairs],
                "product": chain.measures.product._asdict(),
                "summary": chain.measures.numbers,
                "data": chain.on_data._asdict() if chain.on_data is not None else None,
                "data_fault": chain.data_fault or None,
                "ended_by": chain.layers.ended_by,
            }
        )
    left_out = [{**item._asdict(), "shape": list(item.shape)} for item in file.left_out]
    found: dict[str, Any] = _finite(
        {"path": file.path, "chains": chains, "left_out": left_out, "hint": file.hint or None}
    )
    return found


def _finite(value: Any) -> Any:
    """The value with None in the place of every number that is not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value
