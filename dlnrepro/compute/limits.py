"""How much memory and how many cores this process may use: the limits of its container, not the sizes of the machine.

A container is a control group (cgroup), version 1 or 2. Its limits, and those of the groups around it, are read from
the files of the kernel. On another system, or if no limit is set, the machine itself is the limit.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
"""Where the kernel shows control groups."""

_UNLIMITED = 1 << 60
"""In version 1, which has no word for `none`, a limit of at least this number means that there is no limit."""


def cores() -> int:
    """The cores that this process may use, at least 1.

    A quota of processor time, such as 1.5 cores, is rounded up: the smallest quota of all groups counts.
    """
    found = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return max(1, min([found, *(math.ceil(quota) for quota in _quotas())]))


def free_memory() -> float:
    """The bytes of memory that this process may still use.

    It is the smallest of three numbers: the memory that the kernel calls available on the machine, the memory that each
    group may still use (memory that only caches files counts as free), and the rest of the limit on addresses.
    """
    return max(0.0, min([_of_machine(), *_of_groups(), *_of_addresses()]))


def resident() -> int:
    """The bytes of memory that this process holds now; 0 if the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def largest_resident() -> int:
    """The largest number of bytes of memory that this process has held; 0 if the system does not say."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    found = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return 1024 * int(found[0]) if found else 0


def _of_machine() -> float:
    """The memory that the kernel calls available, or all memory of the machine if the kernel does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        return int(fields["MemAvailable"].split()[0]) * 1024.0
    except (OSError, KeyError, ValueError):
        pass
    try:
        return float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return math.inf


def _of_groups() -> Iterator[float]:
    """The memory that each group may still use."""
    for folder in _folders(""):
        limit, used = _number(folder / "memory.max"), _number(folder / "memory.current")
        if limit is not None and used is not None:
            yield limit - used + _cached(folder, "inactive_file")
    for folder in _folders("memory"):
        limit, used = _number(folder / "memory.limit_in_bytes"), _number(folder / "memory.usage_in_bytes")
        if limit is not None and used is not None and limit < _UNLIMITED:
            yield limit - used + _cached(folder, "total_inactive_file")


def _cached(folder: Path, name: str) -> float:
    """The bytes of a group that only cache files; the kernel frees them when memory is needed."""
    try:
        lines = (folder / "memory.stat").read_text(encoding="ascii").splitlines()
        return next((float(line.split()[1]) for line in lines if line.split()[0] == name), 0.0)
    except (OSError, ValueError, IndexError):
        return 0.0


def _of_addresses() -> Iterator[float]:
    """The rest of the limit on this process's address space (`ulimit -v`)."""
    try:
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY:
            pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
            yield float(limit - pages * os.sysconf("SC_PAGE_SIZE"))
    except (ImportError, AttributeError, OSError, ValueError):
        return


def _quotas() -> Iterator[float]:
    """The quotas of processor time of all groups, in cores."""
    for folder in _folders(""):
        words = _words(folder / "cpu.max")
        if len(words) == 2 and words[0].isdigit() and words[1].isdigit() and int(words[1]):
            yield int(words[0]) / int(words[1])
    for controller in ("cpu", "cpu,cpuacct"):
        for folder in _folders(controller):
            quota, period = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
            if quota is not None and period and quota > 0:
                yield quota / period


def _folders(controller: str) -> Iterator[Path]:
    """The folders of this process's group and of those around it, for a controller of version 1, or "" for version 2.

    Inside a container the path that the kernel gives may be a path of the host. Folders that do not exist are then
    skipped, and the top folder belongs to the container.
    """
    for line in _lines(Path("/proc/self/cgroup")):
        _, names, path = [*line.split(":", 2), "", ""][:3]
        if controller not in ([names] if not controller else [names, *names.split(",")]):
            continue
        top = GROUPS / controller
        below = top / path.lstrip("/")
        for folder in (below, *below.parents):
            yield folder
            if folder == top:
                break


def _lines(path: Path) -> list[str]:
    """The lines of a file of the kernel; none if the file cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _words(path: Path) -> list[str]:
    """The words of the first line of a file of the kernel."""
    return next(iter(_lines(path)), "").split()


def _number(path: Path) -> float | None:
    """The number in a file of the kernel, or None if it has no number (`max`) or does not exist."""
    words = _words(path)
    try:
        return float(words[0]) if words else None
    except ValueError:
        return None
