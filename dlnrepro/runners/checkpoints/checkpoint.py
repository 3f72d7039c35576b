"""Weights that somebody trained: a series of checkpoints of one network, measured from the first to the last.

Nothing is trained and nothing is drawn, so all runs have the same numbers: a claim has `seeds: 1`, and its criteria say
`runs: every`. The content of every file is a part of the identity of the numbers.

Conventions: the network is W_L ... W_1, a chain of linear layers, with D_l = W_(l+1)^T W_(l+1) - W_l W_l^T. u_l and v_l
are the first left and right singular vectors of W_l. The step of a checkpoint is the last whole number in the name of
its file, or 1, 2, ... if these numbers do not rise.

Source: none; the measures are those of `dlnrepro.dynamics.checkpoints`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.checkpoints.data_file import read_data
from dlnrepro.dynamics.checkpoints.file_order import in_order, steps
from dlnrepro.dynamics.checkpoints.measured import MeasuredChain, Reading, measure_file
from dlnrepro.dynamics.checkpoints.series import change, imbalance_drift, power, rate
from dlnrepro.dynamics.tensors.arrays import tensor_of
from dlnrepro.dynamics.tensors.progress import part_of
from dlnrepro.errors import UsageError
from dlnrepro.runner import Calling, Declared, Progress, Result, Series
from dlnrepro.settings.base import Settings
from dlnrepro.settings.input_files import NO_FILE, InputFile, InputFiles

CALLING = Calling(draws=False)

QUANTITIES = {
    "norm": "norm of all weights together, sqrt(sum_l ||W_l||_F^2)",
    "smallest_norm": "smallest ||W_l||_F of a layer",
    "stable_rank": "largest stable rank ||W_l||_F^2 / ||W_l||_2^2 of W_1 .. W_(L-1), at least 1",
    "rank_one_gap": "largest 1 - ||W_l||_2 / ||W_l||_F of W_1 .. W_(L-1), in [0, 1]",
    "alignment": "smallest |<v_(l+1), u_l>| of neighbours, in [0, 1]; NaN for a single layer",
    "alignment_gap": "largest 1 - |<v_(l+1), u_l>| of neighbours, in [0, 1]; NaN for a single layer",
    "imbalance": "largest ||D_l||_F; NaN for a single layer",
    "relative_imbalance": "largest ||D_l||_F / (||W_(l+1)^T W_(l+1)||_F + ||W_l W_l^T||_F), in [0, 1]",
    "product_norm": "||W_L ... W_1||_F",
    "product_spectral_norm": "||W_L ... W_1||_2, the largest singular value of the product",
    "product_stable_rank": "stable rank of the product W_L ... W_1, at least 1",
    "product_gap": "1 - ||W||_2 / ||W||_F of the product W = W_L ... W_1, in [0, 1]",
}
"""The quantities that every checkpoint has."""

ON_DATA = {
    "loss": "mean loss on the data, at least 0",
    "accuracy": "share of the samples with a margin above 0, in [0, 1]",
    "margin": "smallest margin of a sample",
    "normalised_margin": "smallest margin of a sample over ||W_L ... W_1||_F",
    "layer_margin": "smallest margin of a sample over the product of all ||W_l||_F",
    "sharpness": "largest eigenvalue of the Hessian of the loss in all weights",
}
"""The quantities that every checkpoint has on data."""

POWERS = ("norm", "product_norm", "rank_one_gap", "product_gap", "alignment_gap", "loss")
"""The quantities of which a power of the step is fitted."""

ALL = {**QUANTITIES, **ON_DATA}

MEASURES = {
    **{f"final_{name}": f"at the last checkpoint: {says}" for name, says in ALL.items()},
    **{f"{name}_change": f"change from the first checkpoint to the last: {says}" for name, says in ALL.items()},
    **{f"{name}_power": f"slope of the logarithm against the logarithm of the step: {ALL[name]}" for name in POWERS},
    "loss_rate": "slope of the logarithm of the mean loss on the data against the step",
    "imbalance_drift": "largest ||D_l - D_l(first)||_F over all checkpoints and l, at least 0; 0 for a single layer",
    "checkpoints": "number of checkpoints",
}

SERIES = {
    "step": Series("checkpoint", "step of a checkpoint"),
    **{name: Series("checkpoint", says) for name, says in ALL.items()},
}


class Params(Settings):
    """The checkpoints, the data, and the chain of layers that is measured."""

    files: InputFiles = Field(
        examples=[["step-*.pt"]],
        description="checkpoints (.pt, .safetensors, .npz), as paths or patterns from the folder of the claim; they are"
        " taken in the order of the numbers in their names",
    )
    data: InputFile = Field(
        examples=[NO_FILE],
        description="inputs x and targets y, in an .npz or a .csv file; `none` leaves out what needs data",
    )
    loss: Literal["usual", "squared", "logistic"] = Field(
        description="loss on the data; `usual` is logistic for labels that fit the outputs, else squared"
    )
    layers: Literal["longest"] | Annotated[tuple[str, ...], Field(strict=False, min_length=1, max_length=1000)] = Field(
        description="names of the layers, from the input to the output; `longest` is the chain with the most layers"
    )
    transposed: bool = Field(description="whether matrices have the shape (inputs, outputs), as in JAX and TensorFlow")
    inside: str = Field(
        examples=["found"],
        description="name of the mapping with the weights in a checkpoint of PyTorch; `found` searches it",
    )
    from_step: float = Field(ge=0, examples=[0.0], description="checkpoints of earlier steps are left out")

    def numbers(self) -> int:
        """The weights of the largest file, a few times."""
        return 100_000 + 2 * max((os.path.getsize(path) for path in self.files if os.path.isfile(path)), default=0)

    def input_faults(self) -> Iterator[tuple[str, str]]:
        """The setting that names a file without data, and the reason; the file is read for it."""
        if self.data != NO_FILE:
            try:
                read_data(self.data)
            except UsageError as error:
                yield "data", str(error)


def declared(params: Params) -> Declared:
    """The measures and series that these settings have; without data, those on data are left out."""
    if params.data != NO_FILE:
        return Declared(MEASURES, SERIES)
    lacking = {f"{name}{end}" for name in ON_DATA for end in ("_change", "_power", "_rate")}
    lacking |= {f"final_{name}" for name in ON_DATA}
    measures = {name: says for name, says in MEASURES.items() if name not in lacking}
    return Declared(measures, {name: series for name, series in SERIES.items() if name not in ON_DATA})


def run(params: Params, generators: Sequence[Generator], progress: Progress) -> Result:
    """Measure every checkpoint, and how the measures move; each run has the same numbers."""
    chains, places = _measured(params, progress)
    known = declared(params)
    names = [name for name in (known.series or {}) if name != "step"]
    rows = {name: [chain.numbers[name] for chain in chains] for name in names}
    numbers = {f"final_{name}": values[-1] for name, values in rows.items()}
    numbers |= {f"{name}_change": change(values) for name, values in rows.items()}
    numbers |= {f"{name}_power": power(places, rows[name]) for name in POWERS if name in rows}
    numbers |= {"loss_rate": rate(places, rows["loss"])} if "loss" in rows else {}
    numbers["imbalance_drift"] = imbalance_drift([chain.layers.weights for chain in chains])
    numbers["checkpoints"] = float(len(chains))
    runs = len(generators)
    return Result(
        {name: _tensor([numbers[name]]).expand(runs) for name in known.measures or {}},
        {name: _tensor(values).expand(runs, -1) for name, values in {"step": places, **rows}.items()},
    )


def _measured(params: Params, progress: Progress) -> tuple[list[MeasuredChain], list[float]]:
    """The chain of each checkpoint from the wanted step on, and the steps.

    Raises:
        UsageError: a file cannot be read.
        ValueError: no checkpoint is left, one has no chain of linear layers, or another chain than the first one, or
            the data do not fit.
    """
    paths = in_order(params.files)
    kept = [(path, step) for path, step in zip(paths, steps(paths), strict=True) if step >= params.from_step]
    if not kept:
        raise ValueError(f"expected a checkpoint of step {params.from_step:g} or later, found none")
    data = read_data(params.data) if params.data != NO_FILE else None
    loss = None if params.loss == "usual" else params.loss
    layers = () if params.layers == "longest" else params.layers
    reading = Reading(layers, params.transposed, "" if params.inside == "found" else params.inside)
    chains: list[MeasuredChain] = []
    for place, (path, _) in enumerate(kept):
        tick = part_of(progress, place / len(kept), 1 / len(kept), os.path.basename(path))
        found = measure_file(path, reading, data, loss, tick).chains
        name = os.path.basename(path)
        if not found:
            raise ValueError(f"{name}: expected a chain of linear layers, found none")
        chain = max(found, key=lambda item: len(item.layers.names))
        if chains and chain.layers.widths != chains[0].layers.widths:
            raise ValueError(f"{name}: expected the widths {chains[0].layers.widths}, found {chain.layers.widths}")
        if chain.data_fault:
            raise ValueError(f"{os.path.basename(params.data)} and {name}: {chain.data_fault}")
        chains.append(chain)
    return chains, [step for _, step in kept]


def _tensor(values: Sequence[float]) -> Tensor:
    """Numbers as a tensor on the default device."""
    return tensor_of(torch.tensor(values, dtype=torch.float64, device="cpu").numpy())
