"""Devices: refused where they are not there, named in all that depends on them, and reached by every tensor."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

import dlnrepro
from dlnrepro.compute.cell import Cell
from dlnrepro.compute.device import Device, computing_on, device_name, device_of, free_memory, require
from dlnrepro.compute.engine import run_cell
from dlnrepro.compute.parts import cut
from dlnrepro.dynamics.pathways import parallel_paths
from dlnrepro.dynamics.starts.draws import gaussian, orthonormal, uniform
from dlnrepro.dynamics.tensors.arrays import array_of, running_sum, tensor_of
from dlnrepro.dynamics.tensors.records import log_grid
from dlnrepro.dynamics.training.descent import descend
from dlnrepro.runner import silent
from tests.pretend_device import Traffic, pretend_device
from tests.runners.one_neuron.test_one_neuron_clock import SETUP

Command = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]
SIXTEEN = ("seeds: 4\nsetup", "seeds: 16\nsetup")

GPU = "Pretended GPU, CUDA 0.0"

without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")


@pytest.fixture
def pretended_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Traffic]]:
    """Let the program believe in a GPU; gives the traffic of each arm that ran on it."""
    seen: list[Traffic] = []

    @contextmanager
    def computing(device: Device) -> Iterator[None]:
        if device == "cpu":
            yield
            return
        with pretend_device() as traffic:
            seen.append(traffic)
            yield

    device_name.cache_clear()
    monkeypatch.setattr("dlnrepro.compute.engine.computing_on", computing)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Pretended GPU")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (10**9, 10**10))
    monkeypatch.setattr(torch.version, "cuda", "0.0")
    yield seen
    device_name.cache_clear()


@without_gpu
def test_a_gpu_that_is_not_there_is_one_clear_line(command: Command, write_claim: Write, tmp_path: Path) -> None:
    code, out, err = command("run", write_claim(), "--device", "cuda")
    assert (code, out) == (2, "")
    assert err.startswith("device: expected a device that is there (cpu), found cuda: torch ")
    assert err.count("\n") == 1
    assert not (tmp_path / "outputs").exists()


def test_an_unknown_device_is_refused(command: Command, write_claim: Write) -> None:
    code, _, err = command("run", write_claim(), "--device", "tpu")
    assert code == 2
    assert "'tpu' is not one of 'cpu', 'cuda'" in err


def test_the_python_interface_refuses_an_unknown_device_and_names_the_known_ones() -> None:
    with pytest.raises(dlnrepro.UsageError, match="device: expected cpu or cuda, found 'tpu'"):
        dlnrepro.run("sigmoidal-mode-dynamics", device="tpu")  # type: ignore[arg-type]


def test_the_processor_is_always_there_and_has_one_name() -> None:
    require("cpu")
    assert device_name("cpu") == "cpu"
    assert device_of("cpu") == "cpu"
    assert device_of(GPU) == "cuda"
    with computing_on("cpu"):
        assert torch.zeros(1).device.type == "cpu"


@pytest.mark.slow
def test_a_run_on_a_gpu_says_so_wherever_its_numbers_are_kept(
    pretended_gpu: list[Traffic], command: Command, write_claim: Write
) -> None:
    path = write_claim(SIXTEEN)
    here = json.loads(command("run", path, "--json")[1])
    code, out, _ = command("run", path, "--device", "cuda", "--json")
    there = json.loads(out)
    assert code == 0
    assert len(pretended_gpu) == 2
    assert all(traffic.operations for traffic in pretended_gpu)
    (one,), (other,) = here["claims"], there["claims"]
    assert (here["provenance"]["device"], there["provenance"]["device"]) == ("cpu", GPU)
    assert "cuda" not in one["stamps"]
    assert "cuda" in other["stamps"]
    assert "cached" not in other["stamps"]
    assert other["command"].endswith("--device cuda")
    assert one["cells"]["near"] != other["cells"]["near"]
    assert one["digests"] == other["digests"]
    assert one["outcomes"]["near"]["measures"] == other["outcomes"]["near"]["measures"]


def test_what_a_gpu_computed_is_used_again_reported_without_it_and_replayed_on_it(
    pretended_gpu: list[Traffic], command: Command, write_claim: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_claim(SIXTEEN)
    command("run", path, "--device", "cuda", "-q")
    assert command("run", path, "--device", "cuda", "-q")[0] == 0
    assert len(pretended_gpu) == 2
    code, out, _ = command("replay", "-q")
    assert code == 0
    assert "bitwise identical" in out
    assert len(pretended_gpu) == 4
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    device_name.cache_clear()
    code, out, _ = command("report")
    assert code == 0
    assert "on a GPU" in out or "cuda" in out
    code, _, err = command("replay", "-q")
    assert code == 2
    assert err.startswith("device: expected a device that is there (cpu), found cuda")


def test_an_arm_must_fit_in_the_memory_of_its_device(
    pretended_gpu: list[Traffic], command: Command, write_claim: Write
) -> None:
    path = write_claim(("bytes: 1000", "bytes: 300000000"))
    code, _, err = command("run", path, "--device", "cuda")
    assert code == 2
    assert "it needs 4.8 GB for 16 runs, found 1.0 GB free" in err
    assert not pretended_gpu
    assert free_memory("cpu") != 1e9


def test_an_arm_on_a_gpu_is_not_cut_into_parts() -> None:
    seeds = tuple(range(16))
    assert len(cut(Cell("claim", "arm", "toy", {}, seeds), 1, 4)) > 1
    assert len(cut(Cell("claim", "arm", "toy", {}, seeds, "cuda"), 1, 4)) == 1


def test_draws_are_bitwise_identical_on_every_device() -> None:
    def draws() -> list[torch.Tensor]:
        generators = [torch.Generator().manual_seed(seed) for seed in (3, 4)]
        return [
            uniform((2, 3), -1.0, 2.0, generators),
            orthonormal(4, 3, generators),
            *gaussian([2, 3, 1], 0.5, generators),
        ]

    here = draws()
    with torch.inference_mode(), pretend_device():
        there = draws()
        assert {tensor.device.type for tensor in there} == {"pretend"}
        back = [tensor.cpu() for tensor in there]
    assert all(torch.equal(one, other) for one, other in zip(here, back, strict=True))


def test_arrays_cross_to_the_default_device_and_back() -> None:
    values = np.arange(6.0).reshape(2, 3)
    assert np.shares_memory(array_of(tensor_of(values)), values)
    with torch.inference_mode(), pretend_device():
        tensor = tensor_of(values)
        assert tensor.device.type == "pretend"
        np.testing.assert_array_equal(array_of(tensor * 2), 2 * values)
        np.testing.assert_array_equal(array_of(running_sum(tensor)), np.cumsum(values, -1))


def test_descent_never_waits_for_the_device() -> None:
    def traffic(steps: int) -> Traffic:
        with torch.inference_mode(), pretend_device() as found:
            weights = gaussian([3, 3, 3], 0.3, [torch.Generator().manual_seed(seed) for seed in range(2)])
            target = torch.eye(3, dtype=torch.float64).expand(2, -1, -1)
            paths = [weight[:, None] for weight in weights]
            descend(
                paths,
                parallel_paths.loss_gradient(target),
                lambda _: 0.1,
                steps,
                log_grid(steps, 5),
                lambda now: {"first": now[0]},
                silent,
            )
        return found

    few, many = traffic(20), traffic(200)
    assert many.operations > 5 * few.operations
    assert many.waits == few.waits == 0


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (lambda here, there: here + there, "expected all tensors on one device"),
        (lambda here, there: torch.stack([here, there]), "expected all tensors on one device"),
        (lambda here, there: there * here.sum(), "expected all tensors on one device"),
        (lambda _, there: there.numpy(), "numpy"),
        (lambda _, there: there.cumsum(0), "not deterministic"),
        (lambda *_: torch.randn(2, generator=torch.Generator()), "generator"),
    ],
    ids=["sum", "stack", "number", "array", "running-sum", "draw"],
)
def test_the_pretended_device_is_as_strict_as_a_gpu(
    work: Callable[[torch.Tensor, torch.Tensor], object], said: str
) -> None:
    with torch.inference_mode(), pretend_device():
        here, there = torch.ones(3, device="cpu"), torch.ones(3)
        with pytest.raises(RuntimeError, match=said):
            work(here, there)


def test_the_pretended_device_shares_memory_between_a_tensor_and_its_views() -> None:
    with torch.inference_mode(), pretend_device() as traffic:
        whole = torch.zeros(2, 3)
        column = whole[:, 1]
        column += 2
        whole[0] = 5.0
        torch._foreach_mul_([whole], 2.0)
        assert traffic.waits == 0
        assert column.tolist() == [10.0, 4.0]
        assert float(whole.sum()) == 34.0
        assert traffic.waits == 2


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_gives_bitwise_identical_numbers_twice_and_nearly_those_of_the_processor() -> None:
    first, again, here = (
        run_cell(Cell("claim", "arm", "one_neuron_clock", SETUP, (0, 1), device), silent, lambda: 300.0)
        for device in ("cuda", "cuda", "cpu")
    )
    assert first.outcome.measures == again.outcome.measures
    for name, values in here.outcome.measures.items():
        there = np.array(first.outcome.measures[name], dtype=float)
        np.testing.assert_allclose(there, np.array(values, dtype=float), rtol=1e-6, atol=1e-9)


@pytest.mark.usefixtures("pretended_gpu")
def test_an_arm_whose_runner_leaves_a_tensor_on_the_processor_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = Cell("claim", "arm", "one_neuron_clock", SETUP, (0, 1), "cuda")
    assert run_cell(cell, silent, lambda: 60.0).outcome.fault is None
    monkeypatch.setattr("dlnrepro.dynamics.training.time_panels.tensor_of", torch.from_numpy)
    fault = run_cell(cell, silent, lambda: 60.0).outcome.fault
    assert fault is not None
    assert "expected all tensors on one device" in fault
