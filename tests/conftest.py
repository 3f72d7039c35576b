"""Fixtures shared by the tests: generators, a toy runner, and a claim that uses it."""

from __future__ import annotations

import locale
import os
import sys
from collections.abc import Callable, Iterator
from decimal import getcontext
from pathlib import Path
from typing import Any

# Before numpy is imported: threads of its own would wait for one another wherever two processes share the cores.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402

import dlnrepro.runners  # noqa: E402
from tests.pretend_device import A_GPU_IS_THERE, register  # noqa: E402

torch.set_num_threads(1)
if not A_GPU_IS_THERE:  # torch differentiates on one kind of device only, and a GPU is the better one
    register()

TOY_CLAIM = """\
schema: 1
title: The toy is near one
statement: A toy that measures one.
source:
  paper: Toys
  authors: [A. Author]
  venue: Nowhere 2026
  where: everywhere
  basis: derived
tags: [toy, small]
runner: toy
seeds: 4
setup:
  value: 1
  behaviour: steady
  bytes: 1000
arms:
  near: {}
  far: {value: 5.0}
assumptions:
  - {says: the noise is small, measure: noise, below: 1e-2, holds_in: near}
criteria:
  - id: near-one
    says: the value is one
    measure: value
    equals: 1.0
    within: 0.1
    holds_in: [near]
    fails_in: [far]
    why: the noise is at most 1e-3
figures:
  - {title: Height, y: height, x: step, arms: [near, far]}
quick: {seeds: 2, setup: {}}
"""

RULED_SETTINGS = """\
runner: ruled
seeds: 4
setup:
  widths: [4, 6]
  modes: 2
  start: 1
  limit: 2
arms:
  near: {}
  far: {start: 1.5, limit: 5}
"""
"""The settings of a runner whose settings can contradict one another, in the place of the toy's."""


CHANCY_SETTINGS = """\
runner: chancy
seeds: 16
setup:
  value: 1.0
  failing: []
  missing: []
  loud: []
  share: 1.0
  breaks_at: -1
  seconds: 0.0
arms:
  near: {}
  far: {}
"""
"""The settings of a runner whose runs pass or fail by their seeds, in the place of the toy's."""


DRAWN_CLAIM = """\
schema: 1
title: What a run measures follows from what it draws
statement: A toy that is held to what it draws.
source: {paper: Toys, authors: [A. Author], venue: Nowhere 2026, where: everywhere, basis: derived}
runner: drawn
seeds: 16
setup:
  strengths: [4, 2]
  factor: 1.0
  spread: 1.0
  mood: calm
arms:
  near: {}
  far: {factor: 0.5}
criteria:
  - id: high
    says: the height is at least 80 % of what the run drew
    measure: height
    at_least: 0.8 * drawn
    holds_in: [near]
    fails_in: [far]
    why: "theory: the height is what the run drew"
figures:
  - {title: Height, y: curve, x: step, arms: [near, far]}
audit:
  harmless: {wider: {spread: 2.0}}
  flaws: {half: {says: The height is half as large., plant: half, breaks: [high]}}
quick: {seeds: 2}
"""
"""A claim whose threshold is a formula of what each run draws."""


RECORDED_CLAIM = """\
schema: 1
title: The gap shrinks by a factor in each step
statement: The distance of x from its strength shrinks by the factor 1 - eta in each step.
source: {paper: Toys, authors: [A. Author], venue: Nowhere 2026, where: everywhere, basis: derived}
runner: recorder
seeds: 4
setup:
  strengths: [4, 2]
  step_size: 1.5 / (strengths[1] + strengths[2])
  steps: 20
  start: {low: 0.1, high: start.low + 1}
  mood: calm
measures:
  rate:
    says: the rate at which the logarithm of the gap falls, over its formula
    slope: [log(gap), step]
    where: gap > 1e-9
    ratio_to: log(1 - step_size)
  arrival:
    says: the first step with less than a tenth of the strength
    first_time: gap < strengths[1] / 10
    interpolation: none
arms:
  near: {}
  stronger: {strengths: [5, 3]}
  short: {steps: 3}
assumptions:
  - {says: no step goes too far, holds: 0 < step_size < 1, holds_in: [near, stronger]}
criteria:
  - id: rate
    says: the rate is that of the formula
    measure: rate
    equals: 1.0
    within: 1e-9
    holds_in: [near, stronger]
    fails_in: []
    because: it is a toy
  - id: arrives
    says: x arrives
    measure: arrival
    at_most: log(10) / -log(1 - step_size) + 1
    holds_in: [near, stronger]
    fails_in: []
    because: it is a toy
figures:
  - {title: Gap, y: gap, x: step, arms: [near, short]}
quick: {seeds: 2}
"""
"""A claim that declares its measures, with a setting and a hypothesis that are formulas."""


def _global_state() -> dict[str, Any]:
    """What a test could change for later tests."""
    return {
        "folder": os.getcwd(),
        # Pytest names the test there, torch and threadpoolctl set variables of their own when first imported.
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "TORCH", "KMP_"))},
        "path": list(sys.path),
        "runners": list(dlnrepro.runners.__path__),
        "umask": _umask(),
        "locale": locale.setlocale(locale.LC_ALL),
        "decimals": getcontext().prec,
        "errors of numpy": np.geterr(),
        "random of numpy": np.random.get_state(legacy=True)[1].tobytes(),  # type: ignore[index]  # noqa: NPY002
        "random of torch": torch.get_rng_state().numpy().tobytes(),
        "precision": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "threads": torch.get_num_threads(),
        "gradients": torch.is_grad_enabled(),
        "determinism": torch.are_deterministic_algorithms_enabled(),
    }


def _umask() -> int:
    """The permissions that new files lack; they can only be read by setting them."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fail a test that changes the state of the process for the tests after it, so that their order does not matter."""
    before = _global_state()
    yield
    after = _global_state()
    assert {name for name in before | after if before.get(name) != after.get(name)} == set()


@pytest.fixture(autouse=True)
def outside_of_a_job(nothing_left_behind: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001  it comes first
    """Let no test write into the summary of the job that runs the tests."""
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def nothing_kept(nothing_left_behind: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001  it comes first
    """Keep nothing in the cache folder of whoever runs the tests, so that no test depends on an earlier one."""
    monkeypatch.setattr("dlnrepro.registry.kept.cache_folder", lambda: None)


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A cache folder of the test's own, in which something is kept."""
    folder = tmp_path / "cache" / "dlnrepro"
    monkeypatch.setattr("dlnrepro.registry.kept.cache_folder", lambda: folder)
    return folder


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the runners of tests/toys known in addition to the real ones."""
    folder = str(Path(__file__).parent / "toys")
    monkeypatch.setattr(dlnrepro.runners, "__path__", [*dlnrepro.runners.__path__, folder])


@pytest.fixture
def write_claim(tmp_path: Path, toys: None) -> Callable[..., Path]:  # noqa: ARG001  the claim needs the toys
    """Write the toy claim, with parts of its text replaced, and give its path."""

    def write(*changes: tuple[str, str], name: str = "toy-claim") -> Path:
        text = TOY_CLAIM
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        path = tmp_path / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def write_drawn(tmp_path: Path, toys: None) -> Callable[..., Path]:  # noqa: ARG001  the claim needs the toys
    """Write the claim whose threshold is a formula, with parts of its text replaced, and give its path."""

    def write(*changes: tuple[str, str]) -> Path:
        text = DRAWN_CLAIM
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        path = tmp_path / "drawn-claim.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def write_recorded(tmp_path: Path, toys: None) -> Callable[..., Path]:  # noqa: ARG001  the claim needs the toys
    """Write the claim that declares its measures, with parts of its text replaced, and give its path."""

    def write(*changes: tuple[str, str]) -> Path:
        text = RECORDED_CLAIM
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        path = tmp_path / "recorded-claim.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def write_chancy(write_claim: Callable[..., Path]) -> Callable[..., Path]:
    """Write a claim whose runs pass or fail by their seeds; its arms have the given changes of the settings."""
    toy = TOY_CLAIM[TOY_CLAIM.index("runner: toy") : TOY_CLAIM.index("assumptions:")]

    def write(*changes: tuple[str, str], near: str = "", far: str = "value: 11.0", name: str = "chancy-claim") -> Path:
        settings = CHANCY_SETTINGS.replace("near: {}", f"near: {{{near}}}").replace("far: {}", f"far: {{{far}}}")
        return write_claim((toy, settings), *changes, name=name)

    return write


@pytest.fixture
def write_ruled(write_claim: Callable[..., Path]) -> Callable[..., Path]:
    """Write the toy claim with the settings of the runner `ruled`, parts of them replaced, and give its path."""
    toy = TOY_CLAIM[TOY_CLAIM.index("runner: toy") : TOY_CLAIM.index("assumptions:")]
    figures = TOY_CLAIM[TOY_CLAIM.index("figures:") : TOY_CLAIM.index("quick:")]

    def write(*changes: tuple[str, str]) -> Path:
        settings = RULED_SETTINGS
        for old, new in changes:
            assert old in settings, old
            settings = settings.replace(old, new)
        return write_claim((toy, settings), (figures, ""), name="ruled-claim")

    return write


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run the command line as its console script does, in an empty folder; gives exit code, stdout, stderr."""
    from dlnrepro.cli import main

    monkeypatch.chdir(tmp_path)
    # Whether this checkout has uncommitted changes is no part of what is tested.
    monkeypatch.setattr("dlnrepro.session.execution.code_state", lambda: (None, False))

    def run(*words: Any) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dlnrepro", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            main()
        out, err = capsys.readouterr()
        assert isinstance(stopped.value.code, int)
        return stopped.value.code, out, err

    return run
