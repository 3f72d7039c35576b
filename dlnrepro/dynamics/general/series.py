"""The shapes of recorded quantities, and the numbers in them as series: `loss`, `singular_values.1`, `product.1.2`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product as every
from typing import NamedTuple

import torch
from torch import Tensor

from dlnrepro.dynamics.general.quantities import QUANTITIES

MOST_POINTS, MOST_NUMBERS = 200, 16
"""A series has at most so many points; of a larger list or matrix only so many numbers become series."""


class Sizes(NamedTuple):
    """The sizes on which the shapes of quantities depend.

    Attributes:
        rows: n_L.
        columns: n_0.
        layers: the shape of each layer of one run, of all paths in turn.
        depth: the number of layers of the first path.
        paths: the number of paths.
        stacked: whether each layer holds all paths.
        modes: the number of modes of the target; 0 without a target.
        parameters: the number of all parameters of one run.
    """

    rows: int
    columns: int
    layers: tuple[tuple[int, ...], ...]
    depth: int
    paths: int
    stacked: bool
    modes: int
    parameters: int


def shape_of(name: str, sizes: Sizes) -> tuple[int, ...]:
    """The shape of a quantity of one run at one record: () for a number."""
    least = min(sizes.rows, sizes.columns)
    layers: tuple[int, ...] = (sizes.paths, sizes.depth) if sizes.stacked else (len(sizes.layers),)
    shapes: dict[str, tuple[int, ...]] = {
        "product": (sizes.rows, sizes.columns),
        "singular_values": (least,),
        "left_vectors": (sizes.rows, least),
        "right_vectors": (sizes.columns, least),
        "modes": (sizes.modes,),
        "layer_singular_values": (len(sizes.layers), max(min(shape[-2:]) for shape in sizes.layers)),
        "alignments": (sizes.depth - 1,),
        "alignment_gaps": (sizes.depth - 1,),
        "imbalances": (sizes.depth - 1,),
        "hessian_eigenvalues": (sizes.parameters,),
        "path_norms": (sizes.paths,),
        "path_modes": (sizes.paths, sizes.modes),
        "path_shares": (sizes.paths, sizes.modes),
        "largest_shares": (sizes.modes,),
        "layer_norms": layers,
        "layer_spectral_norms": layers,
        "stable_ranks": layers,
        "rank_one_gaps": layers,
    }
    if name in QUANTITIES or name in ("step", "time"):
        return shapes.get(name, ())
    return sizes.layers[int(name[1:]) - 1]


def series_meanings(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, str]:
    """The definition of each series of recorded quantities.

    Args:
        shapes: each recorded quantity with its shape.
    """
    found = {"step": "number of gradient steps", "time": "time t, the sum of the step sizes so far"}
    for name, shape in shapes.items():
        says = QUANTITIES[name].says if name in QUANTITIES else f"the layer W_{name[1:]}"
        for place in _places(shape):
            found[_named(name, place)] = f"{says}: number {', '.join(map(str, place))}" if place else says
    return found


def as_series(values: Mapping[str, Tensor], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """The series of recorded quantities, each of shape (runs, points), with at most MOST_POINTS points.

    Args:
        values: each quantity with its records, of shape (runs, records, ...).
        shapes: each of them with the shape of one record, without `step` and `time`.
    """
    records = values["step"].shape[1]
    kept = torch.linspace(0, records - 1, min(records, MOST_POINTS), dtype=torch.float64).round().to(torch.int64)
    found = {}
    for name, shape in {"step": (), "time": (), **shapes}.items():
        for place in _places(shape):
            column = values[name]
            for index in place:
                column = column[:, :, index - 1]
            found[_named(name, place)] = column[:, kept]
    return found


def _places(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The first indices of a shape, each counted from 1."""
    for count, place in enumerate(every(*(range(1, size + 1) for size in shape))):
        if count == MOST_NUMBERS:
            return
        yield place


def _named(name: str, place: tuple[int, ...]) -> str:
    return ".".join([name, *map(str, place)])
