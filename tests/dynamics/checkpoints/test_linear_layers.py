"""Chains of linear layers: what belongs to one, what ends one, and why."""

from __future__ import annotations

import numpy as np
import pytest

from dlnrepro.dynamics.checkpoints.entries import Entry
from dlnrepro.dynamics.checkpoints.linear_layers import Layers, chains_when_transposed, chosen_layers, layer_chains


def matrix(name: str, rows: int, columns: int) -> Entry:
    """A matrix of ones."""
    return Entry(name, (rows, columns), "float32", np.ones((rows, columns)))


def vector(name: str, *values: float) -> Entry:
    """A vector."""
    return Entry(name, (len(values),), "float32", np.array(values))


def names(layers: Layers) -> list[tuple[str, ...]]:
    """The names of the layers of each chain."""
    return [chain.names for chain in layers.chains]


def test_consecutive_matrices_whose_shapes_fit_are_one_run() -> None:
    layers = layer_chains(
        [matrix("layers.0.weight", 4, 3), matrix("layers.1.weight", 5, 4), matrix("layers.2.weight", 1, 5)]
    )
    (chain,) = layers.chains
    assert chain.widths == (3, 4, 5, 1)
    assert chain.ended_by == "the end of the file"
    assert layers.left_out == ()


def test_shapes_that_do_not_fit_end_a_run_with_both_numbers() -> None:
    layers = layer_chains([matrix("a", 4, 3), matrix("b", 2, 5)])
    assert names(layers) == [("a",), ("b",)]
    assert layers.chains[0].ended_by == "b, which takes 5 numbers, while a gives 4"


@pytest.mark.parametrize(
    ("between", "why"),
    [
        (vector("0.bias", 0.0, 1.0), "a bias that is not zero"),
        (vector("0.bias", 0.0, np.nan), "a bias that is not zero"),
        (vector("norm.weight", 1.0, 1.0), "a vector, such as the scale of a normalisation"),
        (vector("bn.running_mean", 1.0, 1.0), "a statistic of a normalisation"),
        (Entry("conv.weight", (8, 3, 3, 3), "float32"), "an array with 4 axes, such as a convolution"),
        (Entry("ids", (4, 4), "int64"), "int64, not a matrix of floating point numbers"),
        (matrix("attention.in_proj_weight", 4, 4), "several matrices of attention in one"),
        (matrix("0.weight_v", 4, 4), "a direction of weight normalisation"),
        (Entry("empty", (0, 4), "float32", np.zeros((0, 4))), "an array without numbers"),
    ],
)
def test_an_entry_that_is_no_linear_layer_ends_a_run_and_is_named(between: Entry, why: str) -> None:
    layers = layer_chains([matrix("0.weight", 4, 4), between, matrix("1.weight", 4, 4)])
    assert names(layers) == [("0.weight",), ("1.weight",)]
    assert [(item.name, item.why, item.ends) for item in layers.left_out] == [(between.name, why, True)]
    assert layers.chains[0].ended_by == f"{between.name} ({why})"


def test_a_bias_that_is_zero_does_not_end_a_run() -> None:
    layers = layer_chains([matrix("0.weight", 2, 3), vector("0.bias", 0.0, 0.0), matrix("1.weight", 1, 2)])
    assert names(layers) == [("0.weight", "1.weight")]
    assert [(item.why, item.ends) for item in layers.left_out] == [("a bias that is zero", False)]


def test_a_number_that_is_left_out_between_two_layers_is_noticed() -> None:
    around = [matrix("net.0.weight", 4, 3), matrix("net.2.weight", 4, 4), matrix("net.3.weight", 1, 4)]
    assert layer_chains(around).chains[0].gap == "net.0.weight and net.2.weight"
    assert layer_chains(around[1:]).chains[0].gap == ""


def test_transposed_matrices_are_read_from_inputs_to_outputs() -> None:
    entries = [matrix("dense0/kernel", 3, 4), matrix("dense1/kernel", 4, 2)]
    assert chains_when_transposed(layer_chains(entries))
    layers = layer_chains(entries, transposed=True)
    assert layers.chains[0].widths == (3, 4, 2)
    assert not chains_when_transposed(layers)


def test_chosen_layers_are_one_run_in_the_order_in_which_they_are_named() -> None:
    entries = [matrix("decoder", 3, 2), vector("bias", 1.0), matrix("encoder", 2, 3)]
    layers = chosen_layers(entries, ["encoder", "decoder"])
    assert names(layers) == [("encoder", "decoder")]
    assert [(item.name, item.why) for item in layers.left_out] == [("bias", "not chosen")]
    with pytest.raises(LookupError, match=r"expected matrices \(decoder, encoder\), found 'bias'"):
        chosen_layers(entries, ["bias"])
    with pytest.raises(ValueError, match=r"expected a layer that takes 3 numbers after 1 layers? .* found 'decoder'"):
        chosen_layers(entries, ["decoder", "decoder"])
