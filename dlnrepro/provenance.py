"""What produced a result: versions, code, machine, command line, and what it cost."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict  # pydantic takes no other before Python 3.12

from dlnrepro import __version__
from dlnrepro.device import Device, device_name
from dlnrepro.runner import runner_sources

_PACKAGE = Path(__file__).resolve().parent
_PHYSICS = ("torch", "numpy", "scipy")


@with_config(ConfigDict(extra="forbid", allow_inf_nan=False))
class Provenance(TypedDict, total=False):
    """What produced a report; a record may lack entries, but holds no others.

    Attributes:
        started: UTC, in ISO form.
        cpu_seconds: of this process and its workers.
        peak_memory_bytes: of the largest single process.
        commit: of the code, None outside a checkout; `dirty` if it had uncommitted changes.
        threads: of each process.
        device: what computed, by the name that the keys of the cells hold.
    """

    command: list[str]
    started: str
    wall_seconds: float
    cpu_seconds: float
    peak_memory_bytes: int
    versions: dict[str, str]
    commit: str | None
    dirty: bool
    processor: str
    cores: int | None
    threads: int
    device: str
    platform: str


def provenance(command: Sequence[str], started: datetime, device: Device) -> Provenance:
    """The provenance of a run that began at `started` and ends now; worker processes are counted in.

    The peak of memory is that of the largest single process.
    """
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    commit, dirty = code_state()
    # The kernel counts the peak in kilobytes, but on macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "command": list(command),
        "started": started.isoformat(timespec="seconds"),
        "wall_seconds": round((datetime.now(UTC) - started).total_seconds(), 3),
        "cpu_seconds": round(sum(usage.ru_utime + usage.ru_stime for usage in usages), 3),
        "peak_memory_bytes": max(usage.ru_maxrss for usage in usages) * unit,
        "versions": versions(),
        "commit": commit,
        "dirty": dirty,
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": 1,
        "device": device_name(device),
        "platform": f"{platform.system()} {platform.machine()}",
    }


def versions() -> dict[str, str]:
    """The versions of everything whose change could change a number."""
    found = {name: _installed(name) for name in _PHYSICS}
    return {"dlnrepro": __version__, "python": platform.python_version(), **found}


@cache
def _installed(name: str) -> str:
    """The version of a package; it takes the system some milliseconds to tell."""
    return importlib.metadata.version(name)


@cache
def code_state() -> tuple[str | None, bool]:
    """The git commit of the code, and whether it has uncommitted changes; (None, False) outside a checkout."""
    if not (_PACKAGE.parent / ".git").exists():
        return None, False

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(_PACKAGE.parent), *words],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        ).stdout.strip()

    try:
        return git("rev-parse", "HEAD"), bool(git("status", "--porcelain", "--", "dlnrepro", "claims"))
    except (OSError, subprocess.SubprocessError):
        return None, False


@cache
def source_hash(runner: str) -> str:
    """The SHA-256 of a runner's source and of all physics that it may stand on."""
    digest = hashlib.sha256()
    for path in [*sorted((_PACKAGE / "dynamics").rglob("*.py")), *runner_sources(runner)]:
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


@cache
def processor() -> str:
    """The processor's name, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
