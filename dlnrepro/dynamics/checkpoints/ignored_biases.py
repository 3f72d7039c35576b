"""The biases that the measures of a chain of linear layers ignore, although they are not zero.

A chain is measured as W_L ... W_1 x. If one of its layers adds a bias b_l that is not zero, the product and every
number on data are not those of the network. The bias of a layer has the name of its matrix with `bias` in the place
of `weight` or `kernel`, or `b` in the place of `w`, and one number per output.
"""

from __future__ import annotations

import numpy as np

from dlnrepro.dynamics.checkpoints.entries import Entry
from dlnrepro.dynamics.checkpoints.measured import MeasuredFile
from dlnrepro.dynamics.checkpoints.weight_files import read_weights

_NAMES = (("weight", "bias"), ("kernel", "bias"), ("w", "b"), ("W", "b"), ("W", "B"))
"""How the last part of a matrix's name begins -> how that of its bias begins."""


def ignored_biases(file: MeasuredFile, inside: str = "") -> list[list[str]]:
    """The names of the biases that are not zero, of each chain of a measured file, from the input to the output.

    Args:
        file: the measured file. It is read again only if an entry that was left out may be the bias of a layer.
        inside: the name of the mapping that holds the weights in a checkpoint of PyTorch, as for the measures.

    Raises:
        UsageError: the file cannot be read again.
    """
    vectors = {item.name: item.shape for item in file.left_out if len(item.shape) == 1}
    candidates = [
        [
            name
            for layer, weight in zip(chain.layers.names, chain.layers.weights, strict=True)
            for name in _names_of_bias(layer)
            if vectors.get(name) == (weight.shape[0],)
        ]
        for chain in file.chains
    ]
    if not any(candidates):
        return candidates
    entries = {entry.name: entry for entry in read_weights(file.path, inside)}
    return [[name for name in names if _is_not_zero(entries[name])] for names in candidates]


def _names_of_bias(layer: str) -> list[str]:
    """The names that the bias of a layer may have."""
    start = max(layer.rfind("."), layer.rfind("/")) + 1
    above, last = layer[:start], layer[start:]
    found = [above + bias + last.removeprefix(matrix) for matrix, bias in _NAMES if last.startswith(matrix)]
    return list(dict.fromkeys(found))


def _is_not_zero(entry: Entry) -> bool:
    """Whether a bias has a number other than zero; NaN is such a number."""
    return entry.values is not None and bool(np.any(entry.values != 0))
