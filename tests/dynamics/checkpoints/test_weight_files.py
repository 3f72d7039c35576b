"""Files of weights of any format, and the order and steps of a series of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from dlnrepro.dynamics.checkpoints.file_order import in_order, steps
from dlnrepro.dynamics.checkpoints.weight_files import read_weights
from dlnrepro.errors import UsageError
from tests.dynamics.checkpoints.test_safetensors_file import packed, tensor


def test_the_suffix_decides_the_format(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", w=np.ones((2, 2)))
    torch.save({"w": torch.ones(2, 2)}, tmp_path / "a.PTH")
    (tmp_path / "a.safetensors").write_bytes(packed({"w": tensor("F64", [2, 2], 0, 32)}, np.ones((2, 2)).tobytes()))
    for name in ("a.npz", "a.PTH", "a.safetensors"):
        (entry,) = read_weights(str(tmp_path / name))
        np.testing.assert_array_equal(entry.values, np.ones((2, 2)))


def test_safetensors_are_in_the_order_of_the_numbers_in_their_names(tmp_path: Path) -> None:
    names = ["layers.0.weight", "layers.10.weight", "layers.2.weight"]
    header = {name: tensor("F64", [1, 1], 8 * place, 8 * place + 8) for place, name in enumerate(names)}
    (tmp_path / "a.safetensors").write_bytes(packed(header, bytes(24)))
    found = [entry.name for entry in read_weights(str(tmp_path / "a.safetensors"))]
    assert found == ["layers.0.weight", "layers.2.weight", "layers.10.weight"]


def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    for path, found in [
        (tmp_path / "missing.pt", "expected a file, found nothing of this name"),
        (tmp_path / "folder.pt", "expected a file, found a folder"),
        (tmp_path / "model.h5", "found the suffix '.h5'"),
        (tmp_path / "empty.npz", "expected weights, found no entry"),
    ]:
        if path.suffix == ".pt" and path.stem == "folder":
            path.mkdir()
        if path.suffix == ".npz":
            np.savez(path)
        with pytest.raises(UsageError) as refused:
            read_weights(str(path))
        assert str(refused.value).startswith(f"{path}: ")
        assert found in str(refused.value)


def test_a_series_is_in_the_order_of_the_numbers_in_the_names() -> None:
    assert in_order(["chain/step-10.pt", "chain/step-9.pt", "chain/step-10.pt"]) == [
        "chain/step-9.pt",
        "chain/step-10.pt",
    ]


def test_the_last_number_of_a_name_is_the_step_if_the_steps_rise() -> None:
    assert steps(["seed3/step-5.pt", "seed3/step-20.pt"]) == [5, 20]
    assert steps(["a.pt", "b.pt"]) == [1, 2]
    assert steps(["a-2.pt", "b-1.pt"]) == [1, 2]
