"""The shapes of recorded quantities, which follow from the sizes of the network and its data."""

from __future__ import annotations

from typing import NamedTuple

from dlnrepro.dynamics.general.quantities import QUANTITIES


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
        "mode_distances": (sizes.modes,),
        "rank_distances": (sizes.modes,),
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
