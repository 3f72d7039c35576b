"""`dlnrepro measure`: tables, JSON and figures of weights that somebody trained, and one line for a refused file."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dlnrepro.dynamics.networks.curvature import sharpness

Command = Callable[..., tuple[int, str, str]]


class Attack:
    """An object whose pickle makes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


def drawn(*widths: int, seed: int = 0) -> dict[str, torch.Tensor]:
    """Gaussian layers between these widths, as a state_dict of numbers in single precision."""
    generator = torch.Generator().manual_seed(seed)
    weights = [torch.randn(after, before, generator=generator) for before, after in pairwise(widths)]
    return {f"layers.{place}.weight": weight for place, weight in enumerate(weights)}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A network of three layers with whole numbers, then a layer with a bias."""
    path = tmp_path / "model.pt"
    first = torch.tensor([[3.0, 0.0], [0.0, 4.0], [0.0, 0.0]])
    second = torch.tensor([[0.0, 2.0, 0.0], [1.0, 0.0, 0.0]])
    state = {"layers.0.weight": first, "layers.1.weight": second, "layers.2.weight": torch.tensor([[1.0, 0.0]])}
    head = {"head.bias": torch.tensor([1.0]), "head.weight": torch.tensor([[2.0]])}
    torch.save({"model": state | head, "step": 7}, path)
    return path


def test_the_runs_of_a_checkpoint_are_shown_with_what_was_left_out(
    command: Command, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, out, err = command("measure", "model.pt")
    assert (code, err) == (0, "")
    assert model.is_file()
    assert out.splitlines() == [
        "model.pt",
        "  chain 1 of 2: 3 linear layers, widths 2 → 3 → 2 → 1; it ends at head.bias (a",
        "    bias that is not zero)",
        "                                stable rank-1 leading",
        "    layer           shape ‖W‖_F   rank    gap singular values",
        "    layers.0.weight   3×2     5   1.56    0.2 4, 3",
        "    layers.1.weight   2×3 2.236   1.25  0.106 2, 1",
        "    layers.2.weight   1×2     1      1      0 1",
        "    product           1×2     8      1      0 8",
        "                                               1 - align-            relative",
        "    neighbours                       alignment       ment imbalance imbalance",
        "    layers.0.weight, layers.1.weight         1          0     14.42    0.6415",
        "    layers.1.weight, layers.2.weight         1          0     3.162    0.6173",
        "",
        "  chain 2 of 2: 1 linear layer, widths 1 → 1; it ends at the end of the file",
        "                            stable rank-1 leading",
        "    layer       shape ‖W‖_F   rank    gap singular values",
        "    head.weight   1×1     2      1      0 2",
        "",
        "  left out:",
        "    head.bias: a bias that is not zero",
    ]


def test_json_has_every_number_and_null_for_what_is_not_defined(command: Command, model: Path) -> None:
    code, out, _ = command("measure", model, "--json")
    found = json.loads(out)
    assert (code, found["exit_code"], found["schema"]) == (0, 0, 1)
    (file,) = found["files"]
    first, second = file["chains"]
    assert [layer["name"] for layer in first["layers"]] == ["layers.0.weight", "layers.1.weight", "layers.2.weight"]
    assert first["layers"][0]["singular_values"] == [4, 3]
    assert first["product"]["norm"] == 8
    assert first["neighbours"][0]["alignment"] == 1
    assert second["summary"]["alignment"] is None
    assert second["data"] is None
    assert file["left_out"] == [
        {"name": "head.bias", "shape": [1], "why": "a bias that is not zero", "ends": True},
    ]


def test_on_data_the_loss_the_margin_and_the_sharpness_are_shown(command: Command, tmp_path: Path) -> None:
    state = drawn(3, 4, 2)
    torch.save(state, tmp_path / "model.pt")
    weights = [weight.double() for weight in state.values()]
    inputs = np.sqrt(3) * np.eye(3)
    np.savez(tmp_path / "data.npz", x=inputs, y=inputs @ (weights[1] @ weights[0]).numpy().T)
    code, out, _ = command("measure", "model.pt", "--data", "data.npz", "--json")
    (chain,) = json.loads(out)["files"][0]["chains"]
    assert code == 0
    assert chain["data"]["kind"] == "squared"
    assert chain["data"]["loss"] < 1e-25
    closed = sharpness([weight[None, None] for weight in weights])
    assert chain["data"]["sharpness"] == pytest.approx(float(closed[0]), rel=1e-9)
    (tmp_path / "labels.csv").write_text("1,0,0,-1\n0,1,0,1\n")
    code, out, err = command("measure", "model.pt", "--data", "labels.csv")
    assert (code, err) == (2, "labels.csv: fits no chain of linear layers: expected 2 targets, found 1\n")
    assert "labels.csv does not fit: expected 2 targets, found 1" in out


def test_several_files_are_a_series_in_the_order_of_their_numbers(command: Command, tmp_path: Path) -> None:
    for step in (10, 9, 100):
        torch.save(drawn(3, 4, 1, seed=step), tmp_path / f"step-{step}.pt")
    code, out, err = command(
        "measure", "step-10.pt", "step-100.pt", "step-9.pt", "-o", "series.png", "-o", "series.svg"
    )
    assert (code, err) == (0, "series.png was written\nseries.svg was written\n")
    rows = [line.split() for line in out.splitlines() if ".pt" in line]
    assert [row[0] for row in rows] == ["step-9.pt", "step-10.pt", "step-100.pt"]
    assert (tmp_path / "series.png").read_bytes().startswith(b"\x89PNG")
    text = (tmp_path / "series.svg").read_text()
    assert "leading singular values of the product" in text
    assert "2 linear layers, widths 3 → 4 → 1" in text


def test_the_figure_of_one_file_has_its_spectra_and_is_the_same_every_time(command: Command, model: Path) -> None:
    for name in ("first.pdf", "second.pdf", "first.svg", "second.svg"):
        assert command("measure", "model.pt", "-o", name)[0] == 0
    for suffix in (".pdf", ".svg"):
        first, second = (model.with_name(f"{name}{suffix}").read_bytes() for name in ("first", "second"))
        assert first == second
    assert "layers.1.weight" in model.with_name("first.svg").read_text()


def test_a_file_that_would_execute_code_is_refused_by_name_and_the_others_are_measured(
    command: Command, model: Path, tmp_path: Path
) -> None:
    mark = tmp_path / "executed"
    torch.save({"model": drawn(2, 2), "x": Attack(mark)}, tmp_path / "evil.pt")
    code, out, err = command("measure", model.name, "evil.pt")
    assert code == 2
    assert "3 linear layers" in out
    assert err == (
        "evil.pt: expected a state_dict, with tensors, numbers and texts only, found posix.system, which a pickle "
        "could execute, so the file is not loaded\n"
    )
    assert not mark.exists()


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.pt", b"", "found an empty file"),
        ("a.pt", b"PK\x03\x04 cut off", "expected an archive that torch.save has written"),
        ("a.npz", b"\x93NUMPY", "expected an .npz file that can be read"),
        ("a.safetensors", b"\xff" * 64, "expected a header of safetensors, found none"),
        ("a.txt", b"1", "expected a file of weights (.pt, .pth, .ckpt, .bin, .tar, .safetensors, .npz)"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_one_line(
    command: Command, tmp_path: Path, name: str, content: bytes, found: str
) -> None:
    (tmp_path / name).write_bytes(content)
    code, out, err = command("measure", name)
    assert (code, out) == (2, "")
    assert err.startswith(f"{name}: ")
    assert found in err
    assert err.count("\n") == 1


def test_weights_that_are_not_finite_are_measured_and_named(command: Command, tmp_path: Path) -> None:
    state = drawn(3, 4, 1)
    state["layers.0.weight"][0, 0] = torch.nan
    torch.save(state, tmp_path / "model.pt")
    np.savez(tmp_path / "data.npz", x=np.ones((2, 3)), y=np.ones(2))
    code, out, _ = command("measure", "model.pt", "--data", "data.npz")
    assert code == 0
    assert "not finite: some weights are NaN or infinite" in out
    assert json.loads(command("measure", "model.pt", "--json")[1])["files"][0]["chains"][0]["product"]["norm"] is None


def test_a_file_without_a_linear_layer_has_a_code_of_its_own(command: Command, tmp_path: Path) -> None:
    torch.save({"conv.weight": torch.ones(2, 2, 3, 3)}, tmp_path / "model.pt")
    code, out, _ = command("measure", "model.pt")
    assert code == 5
    assert out == (
        "model.pt\n  no linear layer was found\n  left out:\n"
        "    conv.weight: an array with 4 axes, such as a convolution\n"
    )


def test_layers_can_be_chosen_and_transposed(command: Command, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", w1=np.ones((2, 3)), b1=np.ones(3), w2=np.ones((3, 1)))
    code, out, _ = command("measure", "a.npz")
    assert "hint: the matrices would fit if they were transposed; --transposed reads\n    them so" in out
    code, out, _ = command("measure", "a.npz", "--layers", "w1,w2", "--transposed")
    assert code == 0
    assert "chain 1 of 1: 2 linear layers, widths 2 → 3 → 1; it ends at the end of the\n    chosen layers" in out
    code, _, err = command("measure", "a.npz", "--layers", "w1,w3")
    assert (code, err) == (2, "a.npz: expected matrices (w1, w2), found 'w3'\n")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--loss", "squared"], "--loss: expected --data FILE with it, found none"),
        (["--layers", "a,,b"], "--layers: expected names with commas between them, found 'a,,b'"),
        (["-o", "a.jpg"], "-o a.jpg: expected a file ending in .png, .svg, .pdf, found '.jpg'"),
        (["--data", "missing.npz"], "missing.npz: expected a file, found nothing of this name"),
        (["--inside", "student"], "model.pt: expected one of model as --inside, found 'student'"),
    ],
)
def test_a_wrong_option_is_one_line(command: Command, model: Path, words: list[str], line: str) -> None:
    assert command("measure", model.name, *words) == (2, "", f"{line}\n")


def test_without_a_file_the_help_is_named(command: Command) -> None:
    code, out, err = command("measure")
    assert (code, out) == (2, "")
    assert err == "dlnrepro measure: Missing argument 'FILE...'. (see dlnrepro measure --help)\n"


def biased(path: Path) -> None:
    """Write a network of three layers with a bias of two numbers in the second layer, within a checkpoint."""
    state = {"0.weight": torch.eye(2), "0.bias": torch.zeros(2), "1.weight": torch.eye(2)}
    state |= {"1.bias": torch.tensor([1.0, 0.0]), "2.weight": torch.eye(2)}
    torch.save({"net": {"student": state}}, path)
    np.savez(path.with_name("data.npz"), x=np.eye(2), y=np.eye(2))


def test_a_bias_of_a_chosen_layer_that_is_not_zero_is_named_as_ignored_everywhere(
    command: Command, tmp_path: Path
) -> None:
    biased(tmp_path / "model.pt")
    words = ("model.pt", "--inside", "net.student", "--layers", "0.weight,1.weight,2.weight")
    said = (
        "1.bias: a bias that is not zero and that is ignored, so product, loss, margin and sharpness are not those of "
        "the network"
    )
    code, out, _ = command("measure", *words, "--data", "data.npz", "-o", "a.svg")
    assert code == 0
    assert said in " ".join(out.split())
    assert "0.bias: a bias that is not zero" not in out
    drawn_text = (tmp_path / "a.svg").read_text()
    assert "1.bias: a bias that is not zero and that is ignored" in drawn_text
    assert said in " ".join(command("measure", *words)[1].split())
    (chain,) = json.loads(command("measure", *words, "--json")[1])["files"][0]["chains"]
    assert chain["ignored_biases"] == ["1.bias"]
    shutil.copy(tmp_path / "model.pt", tmp_path / "other.pt")
    assert said in " ".join(command("measure", *words, "other.pt")[1].split())


def test_a_bias_that_ends_a_chain_is_named_as_ignored_if_the_chain_is_measured_on_data(
    command: Command, tmp_path: Path
) -> None:
    biased(tmp_path / "model.pt")
    assert "ignored" not in command("measure", "model.pt", "--inside", "net.student")[1]
    out = command("measure", "model.pt", "--inside", "net.student", "--data", "data.npz")[1]
    assert out.count("1.bias: a bias that is not zero and that is ignored") == 1


def test_the_bias_of_a_transposed_layer_is_found_by_its_number(command: Command, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", w1=np.ones((2, 3)), b1=np.ones(3), w2=np.ones((3, 1)), b2=np.zeros(1))
    code, out, _ = command("measure", "a.npz", "--layers", "w1,w2", "--transposed", "--json")
    assert code == 0
    assert json.loads(out)["files"][0]["chains"][0]["ignored_biases"] == ["b1"]


def test_data_that_fit_no_chain_are_an_error_and_data_that_fit_one_of_two_chains_are_none(
    command: Command, tmp_path: Path
) -> None:
    torch.save({"a.weight": torch.ones(2, 3), "b.weight": torch.ones(1, 5)}, tmp_path / "model.pt")
    np.savez(tmp_path / "data.npz", x=np.ones((4, 5)), y=np.ones(4))
    assert command("measure", "model.pt", "--data", "data.npz")[::2] == (0, "")
    np.savez(tmp_path / "data.npz", x=np.ones((4, 5)), y=np.ones((4, 6)))
    code, out, err = command("measure", "model.pt", "--data", "data.npz", "--json")
    assert (code, json.loads(out)["exit_code"]) == (2, 2)
    faults = "expected 3 inputs, found 5; expected 1 targets, found 6"
    assert err == f"data.npz: fits no chain of linear layers: {faults}\n"


def test_a_folder_is_called_a_folder(command: Command, model: Path) -> None:
    code, _, err = command("measure", ".")
    assert (code, err) == (
        2,
        ".: expected a file of weights (.pt, .pth, .ckpt, .bin, .tar, .safetensors, .npz), found a folder\n",
    )
    code, _, err = command("measure", model.name, "--data", ".")
    assert (code, err) == (2, ".: expected a file of data (.npz, .csv), found a folder\n")
