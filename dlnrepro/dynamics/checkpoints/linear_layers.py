"""The chains of linear layers in a file of weights: consecutive matrices, each of which fits the one before.

A layer is a matrix W_l of shape (outputs, inputs) without a bias, and a chain is a deep linear network W_L ... W_1.
Every entry that is not such a layer ends the chain, except a bias that is zero. A file of weights does not contain
activations such as ReLU, so the user has to know whether the layers of a chain are applied one right after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from dlnrepro.dynamics.checkpoints.entries import Entry
from dlnrepro.dynamics.tensors.arrays import Array

NO_LAYERS = {
    "weight_g": "a length of weight normalisation",
    "weight_v": "a direction of weight normalisation",
    "original0": "a part of a layer with a parametrisation",
    "original1": "a part of a layer with a parametrisation",
    "weight_mask": "a mask",
    "in_proj_weight": "several matrices of attention in one",
    "running_mean": "a statistic of a normalisation",
    "running_var": "a statistic of a normalisation",
    "num_batches_tracked": "a count of a normalisation",
}
"""The last part of the name of an entry that is not a layer -> what the entry is."""


class LeftOut(NamedTuple):
    """An entry that belongs to no chain.

    Attributes:
        why: what it is, such as `a bias that is not zero`.
        ends: whether it ends a chain of layers.
    """

    name: str
    shape: tuple[int, ...]
    why: str
    ends: bool


@dataclass(frozen=True, eq=False)
class LayerChain:
    """A chain of linear layers.

    Attributes:
        names: of the layers, from the input to the output.
        weights: W_1 .. W_L, each of shape (n_l, n_(l-1)).
        ended_by: why it ends, in a clause.
        gap: two neighbours whose names leave out a number, as layers around an activation do; empty if there are none.
    """

    names: tuple[str, ...]
    weights: tuple[Array, ...]
    ended_by: str = "the end of the file"
    gap: str = ""

    @property
    def widths(self) -> tuple[int, ...]:
        """n_0 .. n_L."""
        return (self.weights[0].shape[1], *(weight.shape[0] for weight in self.weights))


@dataclass(frozen=True, eq=False)
class Layers:
    """The chains of layers in a file, in its order, and the entries that belong to none."""

    chains: tuple[LayerChain, ...]
    left_out: tuple[LeftOut, ...]


def layer_chains(entries: Sequence[Entry], transposed: bool = False) -> Layers:
    """The chains of linear layers among the entries of a file.

    Args:
        entries: in the order of the file.
        transposed: whether the matrices have the shape (inputs, outputs), as in JAX and TensorFlow.
    """
    chains: list[LayerChain] = []
    left_out: list[LeftOut] = []
    names: list[str] = []
    weights: list[Array] = []

    def end(why: str) -> None:
        if names:
            chains.append(LayerChain(tuple(names), tuple(weights), why, _gap(names)))
            names.clear()
            weights.clear()

    for entry in entries:
        reason, ends = _obstacle(entry)
        if reason or entry.values is None:
            left_out.append(LeftOut(entry.name, entry.shape, reason, ends))
            if ends:
                end(f"{entry.name} ({reason})")
            continue
        weight = entry.values.T if transposed else entry.values
        if weights and weight.shape[1] != weights[-1].shape[0]:
            given, taken = weights[-1].shape[0], weight.shape[1]
            end(f"{entry.name}, which takes {taken} numbers, while {names[-1]} gives {given}")
        names.append(entry.name)
        weights.append(weight)
    end("the end of the file")
    return Layers(tuple(chains), tuple(left_out))


def chosen_layers(entries: Sequence[Entry], names: Sequence[str], transposed: bool = False) -> Layers:
    """The chain of the layers that somebody names, from the input to the output, whatever stands between them.

    Raises:
        LookupError: a name is not in the file, or is not that of a matrix; with the sentence for the user.
        ValueError: two neighbours do not fit; with the sentence for the user.
    """
    known = {entry.name: entry for entry in entries}
    weights: list[Array] = []
    for name in names:
        values = known[name].values if name in known else None
        if values is None or values.ndim != 2:
            matrices = [entry.name for entry in entries if entry.values is not None and entry.values.ndim == 2]
            raise LookupError(f"expected matrices ({', '.join(matrices) or 'there are none'}), found '{name}'")
        weight = values.T if transposed else values
        if weights and weight.shape[1] != weights[-1].shape[0]:
            given = f"{len(weights)} layers that give {weights[-1].shape[0]} numbers"
            raise ValueError(
                f"expected a layer that takes {weights[-1].shape[0]} numbers after {given}, found '{name}'"
            )
        weights.append(weight)
    others = (LeftOut(entry.name, entry.shape, "not chosen", False) for entry in entries if entry.name not in names)
    return Layers((LayerChain(tuple(names), tuple(weights), "the end of the chosen layers"),), tuple(others))


def chains_when_transposed(layers: Layers) -> bool:
    """Whether all chains are single layers although some neighbours would fit if all matrices were transposed."""
    single = [chain.weights[0] for chain in layers.chains if len(chain.weights) == 1]
    fitting = any(after.shape[0] == before.shape[1] for before, after in pairwise(single))
    return len(single) == len(layers.chains) and fitting


def _obstacle(entry: Entry) -> tuple[str, bool]:
    """Why an entry is not a layer, and whether it ends a chain; an empty reason for a layer."""
    last = entry.name.rpartition(".")[2].rpartition("/")[2]
    if last in NO_LAYERS:
        return NO_LAYERS[last], True
    if entry.values is None:
        if len(entry.shape) > 2:
            return f"an array with {len(entry.shape)} axes, such as a convolution", True
        return f"{entry.kind}, not a matrix of floating point numbers", True
    if 0 in entry.shape:
        return "an array without numbers", True
    if entry.values.ndim == 2:
        return "", True
    if last.startswith("bias") or last in {"b", "beta"}:
        zero = not np.any(entry.values)
        return ("a bias that is zero" if zero else "a bias that is not zero"), not zero
    return "a vector, such as the scale of a normalisation", True


def _gap(names: Sequence[str]) -> str:
    """The first two neighbours whose names differ by more than one in one number, as `0.weight` and `2.weight`."""
    for before, after in pairwise(names):
        first, second = _numbers(before), _numbers(after)
        moved = [abs(b - a) for a, b in zip(first, second, strict=False) if a != b]
        if len(first) == len(second) and moved and moved[0] > 1:
            return f"{before} and {after}"
    return ""


def _numbers(name: str) -> list[int]:
    """The numbers that are whole parts of a name."""
    return [int(part) for part in name.split(".") if part.isascii() and part.isdigit()]
