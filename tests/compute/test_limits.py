"""Memory and cores are those of the container, read from the kernel's files of either version."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from dlnrepro.compute import limits


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of the kernel's, and a process in the group /a/b of both versions."""
    own = tmp_path / "self"
    own.write_text("0::/a/b\n4:memory:/a/b\n1:cpu,cpuacct:/a/b\n")
    real = limits._lines
    monkeypatch.setattr(limits, "_lines", lambda path: real(own if str(path) == "/proc/self/cgroup" else path))
    monkeypatch.setattr(limits, "GROUPS", tmp_path / "groups")
    monkeypatch.setattr(limits, "_of_machine", lambda: 32e9)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    return tmp_path / "groups"


def write(folder: Path, **files: str) -> None:
    """Write files of the kernel; a double underscore stands for a point."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_without_groups_the_machine_is_the_limit(groups: Path) -> None:
    assert not groups.exists()
    assert limits.free_memory() == 32e9
    assert limits.cores() == 8


@pytest.mark.parametrize("place", ["a/b", "a", ""])
def test_memory_of_version_2_is_the_least_of_all_groups_around(groups: Path, place: str) -> None:
    write(groups / "a/b", memory__max="max\n", memory__current="5\n")
    write(groups / "a", memory__max="20000000000\n", memory__current="1000000000\n")
    write(
        groups / place,
        memory__max="700000000\n",
        memory__current="300000000\n",
        memory__stat="anon 7\ninactive_file 50000000\n",
    )
    assert limits.free_memory() == 450e6


def test_memory_of_version_1_has_no_word_for_no_limit(groups: Path) -> None:
    write(groups / "memory/a/b", memory__limit_in_bytes="9223372036854771712\n", memory__usage_in_bytes="5\n")
    assert limits.free_memory() == 32e9
    write(
        groups / "memory",
        memory__limit_in_bytes="700000000\n",
        memory__usage_in_bytes="100000000\n",
        memory__stat="cache 1\ntotal_inactive_file 20000000\n",
    )
    assert limits.free_memory() == 620e6


def test_a_group_that_is_full_leaves_nothing_and_not_less(groups: Path) -> None:
    write(groups, memory__max="100\n", memory__current="200\n")
    assert limits.free_memory() == 0.0


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu__max": "max 100000\n"}, 8),
        ({"cpu__max": "200000 100000\n"}, 2),
        ({"cpu__max": "150000 100000\n"}, 2),
        ({"cpu__max": "20000 100000\n"}, 1),
        ({"cpu__max": "nonsense\n"}, 8),
    ],
)
def test_cores_of_version_2_follow_the_quota(groups: Path, files: dict[str, str], cores: int) -> None:
    write(groups / "a/b", **files)
    assert limits.cores() == cores


@pytest.mark.parametrize(("quota", "cores"), [("-1", 8), ("300000", 3), ("50000", 1)])
def test_cores_of_version_1_follow_the_quota(groups: Path, quota: str, cores: int) -> None:
    write(groups / "cpu,cpuacct/a", cpu__cfs_quota_us=f"{quota}\n", cpu__cfs_period_us="100000\n")
    assert limits.cores() == cores


def test_the_limit_on_addresses_counts(groups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    assert not groups.exists()
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (used + 10**9, resource.RLIM_INFINITY))
    assert math.isclose(limits.free_memory(), 1e9, rel_tol=0.05)
