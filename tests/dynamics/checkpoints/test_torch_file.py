"""Checkpoints of PyTorch: weights are found wherever programs put them, and no part of a file is ever executed."""

from __future__ import annotations

import io
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dlnrepro.dynamics.checkpoints.torch_file import read_torch
from dlnrepro.errors import UsageError


def saved(value: Any, **options: Any) -> bytes:
    """The content of a file that torch writes."""
    file = io.BytesIO()
    torch.save(value, file, **options)
    return file.getvalue()


def network() -> torch.nn.Sequential:
    """Two layers without biases."""
    shapes = ((3, 4), (4, 2))
    layers = [torch.nn.Linear(before, after, bias=False, device="meta") for before, after in shapes]
    for place, layer in enumerate(layers, 1):  # on the device `meta` nothing was drawn from torch's own generator
        numbers = torch.arange(float(layer.weight.numel())) / place
        layer.weight = torch.nn.Parameter(numbers.reshape(layer.weight.shape))
    return torch.nn.Sequential(*layers)


def rewritten(
    content: bytes, change: Callable[[str, bytes], bytes | None], compression: int = zipfile.ZIP_STORED
) -> bytes:
    """An archive with parts changed, or left out where the change gives None."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", compression) as new:
        for part in old.infolist():
            if (changed := change(part.filename, old.read(part))) is not None:
                new.writestr(part.filename, changed)
    return file.getvalue()


def with_pickle(pickled: bytes) -> bytes:
    """A checkpoint whose pickle is replaced."""
    return rewritten(saved({}), lambda name, part: pickled if name.endswith("data.pkl") else part)


class Attack:
    """An object whose pickle calls a function when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os.system, (f"touch {self.path}",)


def test_a_state_dict_keeps_the_order_and_the_numbers_of_the_network() -> None:
    model = network()
    first, second = read_torch("a.pt", saved(model.state_dict()))
    assert (first.name, second.name) == ("0.weight", "1.weight")
    assert first.values is not None
    assert first.values.dtype == np.float64
    np.testing.assert_array_equal(first.values, model.state_dict()["0.weight"].double().numpy())


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {"model": state, "epoch": 3, "note": "text"},
        lambda state: {"state_dict": state, "ema": state},
        lambda state: {"chain": {"inner": state}},
        lambda state: {"params": {f"module.{name}": item for name, item in state.items()}},
        lambda state: {f"_orig_mod.{name}": torch.nn.Parameter(item) for name, item in state.items()},
    ],
)
def test_weights_are_found_inside_a_checkpoint_and_lose_the_prefix_of_a_wrapper(wrap: Callable[[Any], Any]) -> None:
    entries = read_torch("a.pt", saved(wrap(network().state_dict())))
    assert [entry.name for entry in entries] == ["0.weight", "1.weight"]


def test_the_state_of_an_optimizer_is_not_taken_for_weights() -> None:
    model = network()
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    entries = read_torch("a.pt", saved({"optimizer": optimizer.state_dict(), "model": model.state_dict()}))
    assert [entry.name for entry in entries] == ["0.weight", "1.weight"]


def test_several_networks_are_named_and_one_can_be_chosen() -> None:
    state = network().state_dict()
    content = saved({"teacher": state, "student": state})
    with pytest.raises(UsageError) as refused:
        read_torch("a.pt", content)
    assert str(refused.value) == (
        "a.pt: expected the weights of one network, found several: teacher, student; --inside NAME chooses one"
    )
    assert len(read_torch("a.pt", content, inside="student")) == 2
    with pytest.raises(UsageError, match="expected one of teacher, student as --inside, found 'pupil'"):
        read_torch("a.pt", content, inside="pupil")


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_every_precision_is_read_exactly(kind: torch.dtype) -> None:
    weight = torch.tensor([[1.5, -2.0], [0.125, 3.0]], dtype=kind)
    (entry,) = read_torch("a.pt", saved({"w": weight}))
    assert entry.kind == str(kind).removeprefix("torch.")
    np.testing.assert_array_equal(entry.values, [[1.5, -2.0], [0.125, 3.0]])


def test_a_tensor_that_is_not_contiguous_is_read_in_the_right_order() -> None:
    weight = torch.arange(12.0).reshape(3, 4).T[1:, ::2]
    (entry,) = read_torch("a.pt", saved({"w": weight}))
    np.testing.assert_array_equal(entry.values, weight.numpy())


def test_a_small_file_that_claims_a_huge_tensor_takes_no_memory() -> None:
    (entry,) = read_torch("a.pt", saved({"w": torch.ones(1, 1).expand(10**6, 10**6)}))
    assert entry.values is None
    assert entry.kind == "numbers that are repeated"


def test_a_pickle_that_would_call_a_function_is_refused_by_name_and_not_executed(tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    with pytest.raises(UsageError) as refused:
        read_torch("evil.pt", saved({"model": network().state_dict(), "x": Attack(mark)}))
    assert str(refused.value) == (
        "evil.pt: expected a state_dict, with tensors, numbers and texts only, found posix.system, which a pickle "
        "could execute, so the file is not loaded"
    )
    assert not mark.exists()


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_no_protocol_of_pickle_hides_a_call(tmp_path: Path, protocol: int) -> None:
    mark = tmp_path / "executed"
    with pytest.raises(UsageError, match="so the file is not loaded"):
        read_torch("evil.pt", with_pickle(pickle.dumps(Attack(mark), protocol)))
    assert not mark.exists()


def test_a_whole_module_is_refused_with_the_way_to_save_it() -> None:
    with pytest.raises(UsageError) as refused:
        read_torch("a.pt", saved(network()))
    assert str(refused.value).endswith(
        "found a whole pickled module (torch.nn.modules.container.Sequential), which is not loaded; "
        "save model.state_dict() instead"
    )


def test_a_compiled_program_is_refused() -> None:
    content = rewritten(saved({}), lambda _, part: part)
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("archive/constants.pkl", b"")
    with pytest.raises(UsageError, match="found a compiled program of TorchScript, which is not loaded"):
        read_torch("a.pt", file.getvalue())


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "found an empty file"),
        (b"not weights at all", "found: BadZipFile"),
        (pickle.dumps(OrderedDict()), "found a pickle alone, which is not loaded"),
        (
            saved({"w": torch.ones(2)}, _use_new_zipfile_serialization=False),
            "found a pickle alone, which is not loaded",
        ),
        (saved({"w": torch.ones(2)})[:-200], "found: BadZipFile"),
        (saved({"epoch": 3}), "found no tensor with a name"),
        (saved([torch.ones(2)]), "found no tensor with a name"),
        (saved({}), "found no tensor with a name"),
        (with_pickle(b"\x80\x02garbage"), "expected a pickle of tensors"),
    ],
)
def test_what_is_no_checkpoint_is_refused_in_one_line(content: bytes, found: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_torch("a.pt", content)
    assert found in str(refused.value)
    assert "\n" not in str(refused.value)


def test_parts_that_were_packed_or_repeated_are_refused_before_they_are_read() -> None:
    content = saved({"w": torch.zeros(1000, 1000)})
    packed = rewritten(content, lambda _, part: part, zipfile.ZIP_DEFLATED)
    assert len(packed) < len(content) / 100
    with pytest.raises(UsageError, match="found one that was changed"):
        read_torch("a.pt", packed)
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("archive/data.pkl", b"")
    with pytest.raises(UsageError, match="found one that was changed"):
        read_torch("a.pt", file.getvalue())


def test_missing_numbers_are_refused_in_one_line() -> None:
    short = rewritten(saved({"w": torch.ones(8, 8)}), lambda name, part: part[:16] if name.endswith("data/0") else part)
    with pytest.raises(UsageError, match="expected a checkpoint that torch can read, found: ") as refused:
        read_torch("a.pt", short)
    assert "\n" not in str(refused.value)


def test_the_pickle_of_a_usual_checkpoint_uses_only_harmless_names() -> None:
    state = {"w": torch.nn.Parameter(torch.ones(2, 2)), "n": torch.tensor(3), "shape": torch.Size([2])}
    with zipfile.ZipFile(io.BytesIO(saved(state))) as archive:
        codes = list(pickletools.genops(archive.read("archive/data.pkl")))
    assert "torch FloatStorage" in [argument for code, argument, _ in codes if code.name == "GLOBAL"]
    assert [entry.name for entry in read_torch("a.pt", saved(state))] == ["w", "n"]
