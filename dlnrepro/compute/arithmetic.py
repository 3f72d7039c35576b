"""What outside of the code decides the last bits of a number: versions, the processor, modes of the math libraries.

All of them together are an environment. It is part of the key of stored numbers and of a report.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import importlib.metadata
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dlnrepro import __version__
from dlnrepro.compute.device import Device, device_name
from dlnrepro.dynamics.compiled.library import ready, route

_PHYSICS = ("torch", "numpy", "scipy")

UNKNOWN = "unknown"
"""The word for a mode that cannot be determined on this system, and for the mode in older records."""

_PREFIXES = tuple(
    """
    ATEN_ OPENBLAS_ GOTO_ MKL_ OMP_ KMP_ DNNL_ ONEDNN_ NPY_ GLIBC_TUNABLES CUBLAS_ CUDNN_ NVIDIA_TF32_ TORCH_ALLOW_TF32
    TORCH_BLAS_ TORCH_LINALG_
    """.split()  # noqa: SIM905  a table of names
)

# These change only the threads or the output, and every cell is computed by one thread. The mode of MKL is read
# separately, and the engine sets the workspace of cuBLAS.
_WITHOUT_EFFECT = frozenset(
    """
    CUBLAS_WORKSPACE_CONFIG DNNL_VERBOSE GOTO_NUM_THREADS KMP_AFFINITY KMP_BLOCKTIME KMP_DUPLICATE_LIB_OK
    KMP_INIT_AT_FORK KMP_SETTINGS KMP_STACKSIZE KMP_VERSION KMP_WARNINGS MKL_CBWR MKL_DOMAIN_NUM_THREADS MKL_DYNAMIC
    MKL_NUM_THREADS MKL_VERBOSE MKL_VERBOSE_OUTPUT_FILE OMP_DISPLAY_AFFINITY OMP_DISPLAY_ENV OMP_DYNAMIC
    OMP_NUM_THREADS OMP_PLACES OMP_PROC_BIND OMP_STACKSIZE OMP_THREAD_LIMIT OMP_WAIT_POLICY ONEDNN_VERBOSE
    OPENBLAS_MAIN_FREE OPENBLAS_NUM_THREADS OPENBLAS_VERBOSE
    """.split()  # noqa: SIM905  a table of names
)

_MKL_MODES = {1: "off", 2: "AUTO"}
"""What MKL calls the modes of its conditional numerical reproducibility that occur here (mkl_types.h)."""


@dataclass(frozen=True)
class Environment:
    """What outside of the code decides the last bits of a number; in equal environments, numbers are bitwise identical.

    Attributes:
        device: the name of the device that computes, from `device_name`.
        processor: the name of the processor, which computes some numbers whatever the device is.
        arithmetic: the modes of the math libraries, from `arithmetic`.
        versions: the versions of everything whose change could change a number.
    """

    device: str
    processor: str
    arithmetic: str
    versions: Mapping[str, str]


def environment(device: Device) -> Environment:
    """The environment of this process, on one of its devices."""
    return Environment(device_name(device), processor(), arithmetic(), versions())


def versions() -> dict[str, str]:
    """The versions of everything whose change could change a number."""
    found = {name: _installed(name) for name in _PHYSICS}
    return {"dlnrepro": __version__, "python": platform.python_version(), **found}


@cache
def _installed(name: str) -> str:
    """The version of a package; the system takes some milliseconds to find it."""
    return importlib.metadata.version(name)


@cache
def processor() -> str:
    """The processor's name, or the kind of machine if the system does not give the name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def arithmetic() -> str:
    """The modes of the math libraries of this process, as text; on one processor, equal texts give identical bits.

    They are the instruction set that torch has chosen, MKL's mode of reproducibility (which is `off` if another
    part of the process has multiplied before this package was imported), a digest of the instruction sets that numpy
    has found, what this program's own kernels are compiled by, and the environment variables that such libraries read.
    """
    import torch

    parts = [f"ATen {torch.backends.cpu.get_cpu_capability()}", f"MKL {_mkl_mode()}", f"numpy {_numpy_features()}"]
    parts.append(f"kernels by {route()}")
    return ", ".join([*parts, *library_variables()])


def preparation() -> str | None:
    """A line that says what is done once on this machine before anything is computed; None if it has been done."""
    return (
        None if ready() else "the compiled kernels are being prepared, once on this machine; this takes a few seconds"
    )


def library_variables() -> list[str]:
    """The environment variables with which a user changes how math libraries compute, as `NAME=value`."""
    return sorted(
        f"{name}={value}"
        for name, value in os.environ.items()
        if name.startswith(_PREFIXES) and name not in _WITHOUT_EFFECT
    )


def _mkl_mode() -> str:
    """MKL's mode and the branch of code that it chooses, or `unknown` if torch is built without MKL."""
    import torch

    try:
        library = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
        mode, branch = int(library.mkl_serv_cbwr_get(1)), int(library.mkl_serv_cbwr_get_auto_branch())
    except (OSError, AttributeError):
        return UNKNOWN
    return f"{_MKL_MODES.get(mode, mode)} {branch}"


def _numpy_features() -> str:
    """A digest of the instruction sets that numpy may use, because their list fills three lines."""
    for name in ("numpy._core._multiarray_umath", "numpy.core._multiarray_umath"):
        try:
            features: dict[str, bool] = importlib.import_module(name).__cpu_features__
        except (ImportError, AttributeError):
            continue
        there = " ".join(sorted(name for name, found in features.items() if found))
        return hashlib.sha256(there.encode()).hexdigest()[:8]
    return UNKNOWN
