"""What produced a result: versions, code, machine, command line, and what it cost."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict  # pydantic takes no other before Python 3.12

from dlnrepro.compute.arithmetic import Environment
from dlnrepro.compute.arithmetic import versions as versions
from dlnrepro.registry.sources import source_hash as source_hash

_CHECKOUT = Path(__file__).resolve().parent.parent.parent


@with_config(ConfigDict(extra="forbid", allow_inf_nan=False))
class Provenance(TypedDict, total=False):
    """What produced a report; a record may lack entries, but it has no further entries.

    Attributes:
        started: the time at which the command began: UTC, in ISO form.
        cpu_seconds: the computing time of this process and its workers.
        peak_memory_bytes: the peak of the largest single process; missing if the system does not count it.
        commit: the commit of the code; None outside a checkout, and if git does not answer.
        dirty: whether the code had uncommitted changes; None if there is a checkout and git does not answer.
        threads: the number of threads of each process.
        device: the device that computed, by its name in the keys of the cells.
        arithmetic: the modes of the math libraries, as in the keys of the cells.
    """

    command: list[str]
    started: str
    wall_seconds: float
    cpu_seconds: float
    peak_memory_bytes: int
    versions: dict[str, str]
    commit: str | None
    dirty: bool | None
    processor: str
    cores: int | None
    threads: int
    device: str
    arithmetic: str
    platform: str


def provenance(command: Sequence[str], started: datetime, environment: Environment) -> Provenance:
    """The provenance of a report whose command began at `started` and ends now; it includes the worker processes.

    `environment` is the environment that computed the numbers.
    """
    commit, dirty = code_state()
    seconds, peak = _used()
    found: Provenance = {
        "command": list(command),
        "started": started.isoformat(timespec="seconds"),
        "wall_seconds": round((datetime.now(UTC) - started).total_seconds(), 3),
        "cpu_seconds": round(seconds, 3),
        "peak_memory_bytes": peak or 0,
        "versions": dict(environment.versions),
        "commit": commit,
        "dirty": dirty,
        "processor": environment.processor,
        "cores": os.cpu_count(),
        "threads": 1,
        "device": environment.device,
        "arithmetic": environment.arithmetic,
        "platform": f"{platform.system()} {platform.machine()}",
    }
    if peak is None:
        del found["peak_memory_bytes"]
    return found


def _used() -> tuple[float, int | None]:
    """The seconds of computing and the peak of memory; without a count, the seconds of this process and no peak."""
    try:
        import resource
    except ImportError:  # Windows has no such module
        return time.process_time(), None
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    # The kernel counts the peak in kilobytes, but on macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return sum(usage.ru_utime + usage.ru_stime for usage in usages), max(usage.ru_maxrss for usage in usages) * unit


@cache
def code_state() -> tuple[str | None, bool | None]:
    """The git commit of the code, and whether it has changes that are not committed, new files included.

    Returns:
        (None, False) outside a checkout, because the version then identifies the code; (None, None) if there is a
        checkout and git is missing, refuses it, or describes another checkout: an unknown state is not clean.
    """
    if not (_CHECKOUT / ".git").exists():
        return None, False
    try:
        if not os.path.samefile(_git("rev-parse", "--show-toplevel"), _CHECKOUT):
            return None, None
        changes = _git("status", "--porcelain", "--untracked-files=all", "--", "dlnrepro", "claims")
        return _git("rev-parse", "HEAD"), bool(changes)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None, None


def _git(*words: str) -> str:
    """The answer of git about the checkout, without the variables by which a hook names another repository.

    Raises:
        OSError: git is missing.
        subprocess.SubprocessError: git refuses, or does not answer in time.
    """
    passed = ("GIT_TEST_", "GIT_EXEC_PATH")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name.startswith(passed)
    }
    done = subprocess.run(
        ["git", "-C", str(_CHECKOUT), *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        check=True,
        timeout=10,
        env=environment,
    )
    return done.stdout.strip()
