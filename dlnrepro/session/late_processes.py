"""The processes that compute cells, where torch is imported only when a cell must be computed.

The environment of these processes decides which stored numbers can be used, and only torch knows a part of it: the
instruction sets that torch and MKL choose. This part is kept from an earlier invocation as long as the libraries, the
processor and the environment variables are the same.
"""

from __future__ import annotations

import gc
import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dlnrepro.compute.arithmetic import Environment, arithmetic, library_variables, processor, versions
from dlnrepro.compute.cell import Cell
from dlnrepro.compute.device import Device, device_name
from dlnrepro.compute.limits import cores
from dlnrepro.dynamics.compiled.library import route
from dlnrepro.errors import RunnerError
from dlnrepro.registry.kept import code_digest, keep, library_digest, read_kept
from dlnrepro.registry.names import load_runner
from dlnrepro.signals import Signals

if TYPE_CHECKING:
    from dlnrepro.compute.processes import Computed, Listener

_NAME = "arithmetic.json"


@dataclass(frozen=True)
class LateProcesses:
    """Computes cells as `LocalProcesses` does, and is not slower to begin with if there are none to compute.

    Attributes:
        workers: how many processes compute at a time; None for the default number of the device.
    """

    workers: int | None = None

    def environments(self, device: Device) -> Sequence[Environment]:
        """The one environment of these processes."""
        modes = _modes() if device == "cpu" else arithmetic()
        return [Environment(device_name(device), processor(), modes, versions())]

    def compute(
        self,
        cells: Sequence[Cell],
        listener: Listener,
        signals: Signals,
        budget: float | None = None,
        twice: Collection[str] = (),
    ) -> Computed:
        """As an executor computes."""
        with _lasting():
            from dlnrepro.compute.executor import LocalProcesses

            for runner in {cell.runner for cell in cells}:
                # Imported once here, so that no forked process imports it; an error is reported with the cell.
                with suppress(RunnerError):
                    load_runner(runner)
        usual = cores() if all(cell.device == "cpu" for cell in cells) else 1
        return LocalProcesses(self.workers or usual).compute(cells, listener, signals, budget, twice)


@contextmanager
def _lasting() -> Iterator[None]:
    """Keep what is imported out of every search for unused objects: it stays until the process ends.

    Such a search goes through all objects of torch. While torch is imported it would find nothing; and in a forked
    process it would copy the memory of all these objects.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


def _modes() -> str:
    """The modes of the math libraries, kept or from the libraries themselves."""
    conditions = _conditions()
    kept = read_kept(_NAME, conditions).get("modes")
    if isinstance(kept, str):
        return kept
    modes = arithmetic()
    keep(_NAME, conditions, {"modes": modes})
    return modes


def _conditions() -> str:
    """A digest that changes with everything that the modes of the math libraries depend on."""
    parts = [
        code_digest("compute", "dynamics/compiled"),
        library_digest("torch", "numpy", "scipy", "torch/lib/libtorch_cpu.so", "numpy/_core"),
        _instructions(),
        route(),
        *library_variables(),
        json.dumps(versions()),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _instructions() -> str:
    """The processor with the instruction sets that it has now, as the system lists them for one of its cores."""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))}))
    return processor()
