"""How fast whole commands are: workers against one process, a warm cache against a cold one, and start-up."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.pairing import Row, ratio, seconds, text

DLNREPRO = [str(Path(sys.executable).parent / "dlnrepro")]


def call(*words: str, folder: str | None = None) -> None:
    """Run the program, and insist that it came out well."""
    subprocess.run([*DLNREPRO, *words], cwd=folder, check=True, capture_output=True)


def workers() -> Row:
    """Row 5: the whole suite with two workers against one."""
    with tempfile.TemporaryDirectory() as folder:
        one = seconds(lambda: call("run", "-q", "--no-cache", "-j", "1", "--outputs", folder))
        two = seconds(lambda: call("run", "-q", "--no-cache", "-j", "2", "--outputs", folder))
    return Row(f"all claims, -j 1 ({one:.0f} s) / -j 2 ({two:.0f} s)", f"{one / two:.2f}", "2 cores: ≤ 2", None)


def warm_cache() -> Row:
    """Row 5: the whole suite from a warm cache against a cold one."""
    with tempfile.TemporaryDirectory() as folder:
        cold = seconds(lambda: call("run", "-q", "--outputs", folder))
        warm = min(seconds(lambda: call("run", "-q", "--outputs", folder)) for _ in range(3))
        shutil.rmtree(folder, ignore_errors=True)
        Path(folder).mkdir()
    return Row(f"all claims, cold ({cold:.0f} s) / warm cache ({warm:.1f} s)", f"{cold / warm:.1f}", "none set", None)


def start_up() -> list[Row]:
    """Row 6: seconds and, to take the machine out of it, ratios to an empty Python process.

    Each command has been called before, so that byte code and kernels are there and what it keeps is kept. The seconds
    are those of an otherwise idle machine, and the ratios hold on every machine.
    """
    rows = []
    small = "winner-takes-all"
    limits = {"--help": 0.2, "list": 0.2, f"show {small}": 0.2, "check": None, "report latest": None}
    limits = {f"run -q {small}": 1.0, f"run -q --no-cache {small}": 1.0, **limits}
    with tempfile.TemporaryDirectory() as folder:
        for words, limit in limits.items():
            call(*words.split(), folder=folder)
            times = [seconds(lambda words=words: call(*words.split(), folder=folder)) for _ in range(5)]  # type: ignore[misc]
            empty = ratio(
                lambda words=words: call(*words.split(), folder=folder),  # type: ignore[misc]
                lambda: subprocess.run([sys.executable, "-c", ""], check=True),
                3,
            )
            middle = statistics.median(times)
            target = f"≤ {limit} s" if limit else "none set"
            met = middle <= limit if limit else None
            rows.append(Row(f"dlnrepro {words}: {middle:.2f} s / an empty Python", text(empty), target, met))
    return rows
