"""In a fresh interpreter nothing of the caller's state reaches a number, and the caller's script is not run again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import dlnrepro
from dlnrepro.compute.elsewhere import elsewhere
from dlnrepro.compute.processes import Work
from dlnrepro.signals import Ended, Signals
from tests.listening import Heard, rude

Write = Callable[..., Path]

pytestmark = [
    pytest.mark.usefixtures("toys"),
    pytest.mark.skipif(os.name != "posix", reason="a fresh interpreter is handed a channel on POSIX only"),
]


@pytest.mark.slow
@pytest.mark.parametrize("forks", [True, False], ids=["one-that-forks", "several-that-do-not"])
def test_cells_are_computed_and_what_is_printed_is_passed_on(monkeypatch: pytest.MonkeyPatch, forks: bool) -> None:
    monkeypatch.setattr("dlnrepro.compute.elsewhere.forks", lambda _: forks)
    heard = Heard()
    cells = [rude("steady", "one"), rude("prints", "two"), rude("exit-0", "three", runs=2)]
    found = {cell.arm: numbers for cell, numbers in elsewhere(cells, Work(workers=2), heard, Signals(()))}
    assert found["one"].outcome.measures == {"value": [1.0] * 4}
    assert found["one"].series["height"].shape == (4, 3)
    assert (found["three"].outcome.fault or "").startswith("SystemExit: 0")
    assert "claim, two: a line of the runner" in heard.said


@pytest.mark.slow
def test_an_interpreter_that_ends_is_a_fault_of_what_it_has_not_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "dlnrepro.compute.elsewhere._BEGIN", "{path}; import os; os._exit({channel} * 0 + {parent} * 0 + 9)"
    )
    ((_, numbers),) = elsewhere([rude("steady")], Work(), Heard(), Signals(()))
    assert numbers.outcome.fault == "the process that computed ended with exit code 9 before this arm was complete"


def test_where_none_can_be_started_all_is_computed_here_and_the_user_is_informed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    heard = Heard()
    ((_, numbers),) = elsewhere([rude("steady")], Work(workers=4), heard, Signals(()))
    assert numbers.outcome.measures == {"value": [1.0] * 4}
    assert heard.said == [
        "this process computes everything, and its state may differ from that of a new process: "
        "no such file or directory"
    ]


@pytest.mark.slow
def test_a_signal_ends_the_interpreter() -> None:
    began = time.monotonic()
    with Signals((signal.SIGTERM,)) as signals, signals.noted():
        found = elsewhere([rude("steady", "first"), rude("stuck", "second")], Work(), Heard(), signals)
        assert next(found)[0].arm == "first"
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Ended):
            next(found)
    assert time.monotonic() - began < 30


HOSTILE = """\
import os, random, sys
import numpy as np, torch
a = torch.ones(300, 300, dtype=torch.float64)
(a @ a).sum()
import dlnrepro
np.seterr(all="raise")
torch.set_default_dtype(torch.float16)
torch.set_num_threads(2)
torch.set_flush_denormal(True)
torch.set_grad_enabled(False)
random.seed(1), np.random.seed(1), torch.manual_seed(1)
before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
results = dlnrepro.run("one-neuron-convergence", quick=True, workers=2, outputs="own")
assert (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == before
assert torch.get_default_dtype() == torch.float16 and torch.get_num_threads() == 2
assert np.geterr()["under"] == "raise" and not torch.is_grad_enabled()
print("this script ran", results.exit_code)
"""


@pytest.mark.slow
def test_a_script_that_has_set_everything_gets_the_numbers_of_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "script.py").write_text(HOSTILE)
    clean = {name: value for name, value in os.environ.items() if "_NUM_THREADS" not in name and "MKL" not in name}
    monkeypatch.chdir(tmp_path)
    script = subprocess.run(
        [sys.executable, "script.py"], env=clean, capture_output=True, text=True, check=False, timeout=300
    )
    assert (script.returncode, script.stdout) == (0, "this script ran 0\n"), script.stderr
    assert script.stderr == ""
    words = [sys.executable, "-m", "dlnrepro", "run", "one-neuron-convergence", "--quick", "-q", "--outputs", "other"]
    assert subprocess.run(words, env=clean, capture_output=True, check=False, timeout=300).returncode == 0
    own, other = (
        json.loads((tmp_path / folder / "latest" / "report.json").read_bytes())["claims"][0]
        for folder in ("own", "other")
    )
    for key in ("digests", "criteria", "assumptions", "cells"):
        assert own[key] == other[key]


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("seeds", 0, "seeds: expected a whole number from 1 to 100000, found 0"),
        ("seeds", 2.5, "seeds: expected a whole number from 1 to 100000, found 2.5"),
        ("seeds", -1, "seeds: expected a whole number from 1 to 100000, found -1"),
        ("seeds", True, "seeds: expected a whole number from 1 to 100000, found True"),
        ("seed_base", -1, "seed_base: expected a whole number from 0 to 9223372036854775807, found -1"),
        ("seed_base", None, "seed_base: expected a whole number from 0 to 9223372036854775807, found None"),
        ("workers", 0, "workers: expected a whole number from 1 to 1024, found 0"),
        ("budget", -1, "budget: expected a number of seconds above 0, or None, found -1"),
        ("budget", float("nan"), "budget: expected a number of seconds above 0, or None, found nan"),
        ("budget", "5", "budget: expected a number of seconds above 0, or None, found '5'"),
    ],
)
def test_an_argument_of_the_python_interface_is_checked_as_an_option_is(
    write_claim: Write, tmp_path: Path, name: str, value: object, line: str
) -> None:
    with pytest.raises(dlnrepro.UsageError) as error:
        dlnrepro.run(write_claim(), outputs=tmp_path / "outputs", **{name: value})  # type: ignore[arg-type]
    assert str(error.value) == line
    assert not (tmp_path / "outputs").exists()
