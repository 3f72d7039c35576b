"""The modes of the math libraries are known, and whatever changes bits outside of the code changes them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from dlnrepro.compute.arithmetic import arithmetic, library_variables

SAY = "from dlnrepro.compute.arithmetic import arithmetic; print(arithmetic())"
PRODUCT = "import torch; a = torch.ones(64, 64, dtype=torch.float64); a @ a\n"


def in_new_process(code: str, **variables: str) -> str:
    """What a new process prints."""
    environment = {name: value for name, value in os.environ.items() if name not in {"MKL_CBWR", *variables}}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment | variables, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.slow
@pytest.mark.skipif("BLAS_INFO=mkl" not in torch.__config__.show(), reason="torch comes without MKL")
def test_a_product_before_the_import_is_seen() -> None:
    usual = in_new_process(SAY)
    assert "MKL AUTO" in usual
    assert in_new_process("import torch\n" + SAY) == usual
    late = in_new_process(PRODUCT + SAY)
    assert "MKL off" in late
    assert in_new_process("import dlnrepro\n" + PRODUCT + SAY) == usual


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ATEN_CPU_CAPABILITY", "default"),
        ("OPENBLAS_CORETYPE", "Prescott"),
        ("MKL_ENABLE_INSTRUCTIONS", "SSE4_2"),
        ("ONEDNN_MAX_CPU_ISA", "SSE41"),
        ("GLIBC_TUNABLES", "glibc.cpu.x86_shstk=permissive"),
    ],
)
def test_a_variable_that_changes_how_libraries_compute_is_seen(name: str, value: str) -> None:
    assert f"{name}={value}" in in_new_process(SAY, **{name: value})


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_VERBOSE"])
def test_threads_and_printing_are_not_a_mode(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    before = library_variables()
    monkeypatch.setenv(name, "1")
    assert library_variables() == before


def test_the_modes_are_reported_twice_with_the_same_text() -> None:
    assert arithmetic() == arithmetic()
    assert arithmetic().startswith("ATen ")
