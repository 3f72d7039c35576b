"""Runners of other packages are found by their entry point and are as good as the program's own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dlnrepro import runner
from dlnrepro.errors import UsageError

EXAMPLE = Path(__file__).parent / "example_package"
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Make entry points known, as an installed package would, beside the modules of the example."""

    def registered(*entries: str, package: str = "example_runner") -> None:
        site = tmp_path / f"site-{package}"
        folder = site / f"{package}-1.0.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text("[dlnrepro.runners]\n" + "".join(f"{entry}\n" for entry in entries))
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.syspath_prepend(str(EXAMPLE))
        runner._registered.cache_clear()

    yield registered
    sys.modules.pop("example_runner", None)
    monkeypatch.undo()
    runner._registered.cache_clear()


def test_a_registered_runner_is_run_judged_and_replayed_like_any_other(
    register: Callable[..., None], command: Command
) -> None:
    register("coin = example_runner")
    assert "coin" in runner.runner_names()
    code, out, _ = command("run", EXAMPLE / "fair-coin.yaml", "-q")
    assert (code, "✓ reproduced fair-coin 16/16" in out) == (0, True)
    assert command("replay", "-q")[0] == 0
    assert runner.runner_sources("coin") == [EXAMPLE / "example_runner.py"]


def test_without_the_package_the_claim_is_refused_by_name(command: Command) -> None:
    code, _, err = command("check", EXAMPLE / "fair-coin.yaml")
    assert code == 2
    assert "fair-coin.yaml:11:1: runner: expected one of aligned_pathways" in err
    assert "found 'coin'" in err


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        (
            "coin = not_there_at_all",
            "expected a module at not_there_at_all that can be imported, found: No module named",
        ),
        ("coin = json", "expected Params, MEASURES, SERIES and run in json, found no Params"),
    ],
)
def test_a_registration_that_is_no_runner_is_one_line(
    register: Callable[..., None], command: Command, entry: str, fault: str
) -> None:
    register(entry)
    for name in ("check", "run"):
        code, _, err = command(name, EXAMPLE / "fair-coin.yaml")
        assert code == 2
        assert err.startswith(f"{EXAMPLE}/fair-coin.yaml:11:1: runner: {fault}")
        assert err.count("\n") == 1


def test_a_name_that_two_packages_register_is_refused(register: Callable[..., None]) -> None:
    register("coin = example_runner")
    register("coin = json", package="second")
    with pytest.raises(UsageError, match="runner coin: expected one package to register it, found two: "):
        runner.runner_names()
