"""Cells over processes: one that misbehaves harms no other, and everything ends when it should."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dlnrepro.compute.cell import Cell, Numbers
from dlnrepro.compute.child import begin
from dlnrepro.compute.orphans import children
from dlnrepro.compute.processes import Computed, Work, here, in_processes
from dlnrepro.errors import BudgetSpent
from dlnrepro.signals import Ended, Signals
from tests.listening import Heard, rude

pytestmark = [
    pytest.mark.usefixtures("toys"),
    pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only"),
]

TOYS = str(Path(__file__).parent.parent / "toys")

PARENT = """\
import os, resource, sys
import dlnrepro.runners
dlnrepro.runners.__path__.append({toys!r})
from dlnrepro.compute.processes import Work, in_processes
from dlnrepro.registry.names import load_runner
from dlnrepro.signals import Signals
from tests.listening import Heard, rude
load_runner("rude").BEFORE.update(sys.modules)
limit = len(os.listdir("/proc/self/fd")) + {left}
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
heard = Heard()
cells = [rude(behaviour) for behaviour in {behaviours!r}]
for cell, numbers in in_processes(cells, Work({workers}), heard, Signals(())):
    print(numbers.outcome.fault or "no fault")
print(*heard.said, sep="\\n")
"""
"""A program of its own that computes, and may open only some more files."""

Way = Callable[..., Computed]
both_ways = pytest.mark.parametrize("way", [here, in_processes])


def computed(way: Way, *behaviours: str, heard: Heard | None = None, **work: Any) -> dict[str, Numbers]:
    """The numbers of one cell for each behaviour, by the behaviour."""
    cells = [rude(behaviour, behaviour) for behaviour in behaviours]
    found = way(cells, Work(**work), heard or Heard(), Signals(()))
    return {cell.arm: numbers for cell, numbers in found}


@both_ways
def test_cells_that_are_sent_are_computed_before_those_that_have_not_begun(way: Way) -> None:
    first, second, third = (rude("steady", arm, value=value) for arm, value in [("a", 1.0), ("b", 2.0), ("c", 3.0)])
    found = way([first, second], Work(), Heard(), Signals(()))
    order = [next(found)[0].arm, found.send([third])[0].arm, *(cell.arm for cell, _ in found)]
    assert order == ["a", "c", "b"]


@both_ways
def test_cells_that_are_sent_after_the_last_one_are_computed(way: Way) -> None:
    found = way([rude("steady", "a")], Work(), Heard(), Signals(()))
    next(found)
    cell, numbers = found.send([rude("steady", "b", value=2.0)])
    assert (cell.arm, numbers.outcome.measures) == ("b", {"value": [2.0] * 4})
    assert list(found) == []


@pytest.mark.slow
@both_ways
@pytest.mark.parametrize(
    ("behaviour", "fault"),
    [
        ("exit-0", "SystemExit: 0"),
        ("exit-7", "SystemExit: 7"),
        ("exit", "SystemExit"),
        ("keyboard-interrupt", "KeyboardInterrupt"),
        ("generator-exit", "GeneratorExit"),
        ("base-exception", "BaseException: base"),
        ("stop-iteration", "StopIteration"),
        ("memory-error", "MemoryError"),
        ("unprintable", "Unprintable: its text cannot be read"),
        ("returns-nothing", "TypeError: expected a dlnrepro.runner.Result from the runner, found NoneType"),
        ("returns-a-tuple", "TypeError: expected a dlnrepro.runner.Result from the runner, found tuple"),
        ("returns-lists", "TypeError: value: expected a tensor, found list"),
        ("returns-numpy", "TypeError: value: expected a tensor, found ndarray"),
        ("returns-sparse", "TypeError: value: expected float64 for 4 runs with 1 axes, found a sparse tensor"),
        ("exits-in-its-text", "Exiting: its text cannot be read"),
        ("ended-by-no-signal", "Ended: ended by signal -128"),
        ("global-torch", "StrayDraw: the runner has drawn from torch's global generator"),
        ("global-numpy", "StrayDraw: the runner has drawn from numpy's global generator"),
        ("global-random", "StrayDraw: the runner has drawn from the generator of the module random"),
    ],
)
def test_whatever_a_runner_raises_is_a_fault_of_its_cell_alone(way: Way, behaviour: str, fault: str) -> None:
    found = computed(way, behaviour, "steady")
    assert (found[behaviour].outcome.fault or "").startswith(fault)
    assert found[behaviour].outcome.measures == {}
    assert found["steady"].outcome.measures == {"value": [1.0] * 4}


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("behaviour", "fault"),
    [
        ("os-exit-0", "its process ended with exit code 0 before the runner returned"),
        ("os-exit-3", "its process ended with exit code 3 before the runner returned"),
        ("killed", "its process was ended by SIGKILL, perhaps because the memory was full"),
        ("terminated", "its process was ended by SIGTERM"),
        ("crashed", "its process was ended by SIGSEGV"),
        ("has-no-memory", "MemoryError (rude.py:166)"),
        ("closes-everything", "its process ended with exit code 1 before the runner returned"),
        ("writes-garbage", "its process sent a message that cannot be read: no message"),
        ("writes-half-a-message", "its process ended with exit code 0 before the runner returned"),
    ],
)
def test_a_process_that_ends_is_a_fault_of_its_cell_alone(behaviour: str, fault: str, workers: int) -> None:
    found = computed(in_processes, "steady", behaviour, "prints", workers=workers)
    assert found[behaviour].outcome.fault == fault
    assert found["steady"].outcome.fault is None
    assert found["prints"].outcome.fault is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "behaviour",
    [
        "forks",
        "leaves-a-process",
        "leaves-a-daemon",
        "uses-processes",
        "changes-folder",
        "closes-output",
        "has-no-output",
        "prints-megabytes",
        "ignores-children",
        "opens-nothing-more",
        "reports-without-end",
        "sets-dtype",
        "sets-threads",
        "sets-errors",
    ],
)
def test_what_a_runner_does_to_its_process_harms_neither_its_numbers_nor_others(behaviour: str) -> None:
    began, folder, before = time.monotonic(), os.getcwd(), children()
    found = computed(in_processes, behaviour, "steady", workers=2)
    assert all(numbers.outcome.measures == {"value": [1.0] * 4} for numbers in found.values())
    assert time.monotonic() - began < 30
    assert os.getcwd() == folder
    assert not children() - before


@both_ways
def test_an_errors_text_is_kept_as_far_as_it_is_of_use(way: Way) -> None:
    fault = computed(way, "long-text")["long-text"].outcome.fault
    assert fault is not None
    assert fault.startswith("ValueError: xxx")
    assert "(20,000,000 letters) (rude.py:" in fault
    assert len(fault) < 2200


@both_ways
def test_what_a_runner_prints_is_marked_with_its_arm(way: Way, capfd: pytest.CaptureFixture[str]) -> None:
    heard = Heard()
    computed(way, "prints", heard=heard)
    assert heard.said == [
        "claim, prints: a line of the runner",
        "claim, prints: ::error::not ours",
        "claim, prints: and one more",
    ]
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_a_runner_that_prints_without_end_is_cut_short() -> None:
    heard = Heard()
    assert computed(in_processes, "prints-much", heard=heard)["prints-much"].outcome.fault is None
    assert len(heard.said) == 101
    assert heard.said[-1] == "claim, prints-much: (further lines are left out)"


@pytest.mark.slow
@both_ways
def test_a_runner_inside_one_long_call_is_stopped_by_its_budget(way: Way) -> None:
    began = time.monotonic()
    found = computed(way, "stuck", "steady", budget=0.3)
    assert time.monotonic() - began < 20
    assert found["stuck"].outcome.spent
    assert found["stuck"].outcome.fault is None
    assert found["steady"].outcome.measures == {"value": [1.0] * 4}


@pytest.mark.slow
@pytest.mark.parametrize("left", [0, 24])
def test_where_few_files_can_be_opened_fewer_processes_are_started(left: int) -> None:
    code = PARENT.format(toys=TOYS, behaviours=["steady"] * 4, workers=4, left=left)
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "too many open files" in ended.stdout
    assert ended.stdout.count("no fault") == 4


@pytest.mark.slow
def test_nothing_is_imported_again_in_every_process() -> None:
    code = PARENT.format(toys=TOYS, behaviours=["prints-its-modules"], workers=1, left=1000)
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.stdout == "no fault\nclaim, arm: imported: []\n", ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("behaviour", ["masks-signals", "stops-itself"])
def test_a_process_that_hears_no_signal_is_stopped_by_its_budget(behaviour: str) -> None:
    found = computed(in_processes, behaviour, "steady", budget=0.1, workers=2)
    assert found[behaviour].outcome.spent
    assert found["steady"].outcome.fault is None


@pytest.mark.slow
def test_waiting_takes_no_processor_time_whatever_a_runner_has_closed() -> None:
    began = time.process_time()
    computed(in_processes, "closes-everything-and-waits")
    assert time.process_time() - began < 0.3


def test_how_a_child_ends_is_known_though_signals_of_children_are_ignored() -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        found = computed(in_processes, "os-exit-3", "steady")
        assert signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGCHLD, before)
    assert found["os-exit-3"].outcome.fault == "its process ended with exit code 3 before the runner returned"
    assert found["steady"].outcome.fault is None


def test_a_process_of_which_the_system_says_nothing_is_seen_to_have_ended() -> None:
    child = begin(rude("os-exit-3"), None, False)
    os.waitpid(child.process.pid, 0)  # as if the system had forgotten it
    began = time.monotonic()
    while child.numbers is None and time.monotonic() - began < 20:
        child.look()
    child.process._popen.returncode = 3  # so that no other test takes it for alive
    assert child.numbers is not None
    assert child.numbers.outcome.fault == (
        "its process ended before the runner returned; the system gives no exit code"
    )


@pytest.mark.slow
def test_no_descriptor_is_left_open() -> None:
    computed(in_processes, "steady")
    before = len(os.listdir("/proc/self/fd"))
    computed(in_processes, "prints", "os-exit-3", "closes-everything", "writes-garbage", workers=2)
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.slow
def test_nothing_is_left_of_a_parent_that_was_killed(tmp_path: Path) -> None:
    mark = f"mark-{os.getpid()}"
    code = PARENT.format(toys=TOYS, behaviours=["forks-and-is-stuck"], workers=1, left=1000)
    with subprocess.Popen([sys.executable, "-c", code, mark], stdout=subprocess.PIPE, cwd=tmp_path) as parent:
        while len(_processes_with(mark)) < 3:
            assert parent.poll() is None
            time.sleep(0.1)
        parent.kill()
    began = time.monotonic()
    while _processes_with(mark) and time.monotonic() - began < 10:
        time.sleep(0.05)
    assert _processes_with(mark) == []


def _processes_with(word: str) -> list[str]:
    """The processes on whose command line a word stands."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if word.encode() in path.read_bytes().split(b"\0"):
                found.append(path.parent.name)
    return found


@pytest.mark.slow
@both_ways
@pytest.mark.parametrize("behaviour", ["remembers", "system-entropy"])
def test_numbers_that_do_not_come_from_the_seeds_are_found_out(way: Way, behaviour: str) -> None:
    once = computed(way, behaviour)[behaviour].outcome
    twice = computed(way, behaviour, twice=frozenset({"rude"}))[behaviour].outcome
    assert once.fault is None
    assert (twice.fault or "").startswith("the same seeds gave other numbers when the arm was computed a second time")
    assert computed(way, "steady", twice=frozenset({"rude"}))["steady"].outcome.fault is None


@both_ways
def test_odd_progress_messages_do_not_lose_a_cell(way: Way) -> None:
    heard = Heard()
    assert computed(way, "odd-progress", heard=heard)["odd-progress"].outcome.fault is None
    assert all(0 <= fraction <= 1 and len(note) <= 200 for _, fraction, note in heard.moved)


@both_ways
def test_series_are_kept_though_a_runner_uses_their_memory_again(way: Way) -> None:
    cells = [rude("shared-memory", "first", 1.0), rude("shared-memory", "second", 2.0)]
    found = {cell.arm: numbers for cell, numbers in way(cells, Work(), Heard(), Signals(()))}
    assert found["first"].series["height"].tolist() == [[1.0] * 3] * 4
    assert found["second"].series["height"].tolist() == [[2.0] * 3] * 4


def test_parts_that_do_not_fit_together_are_a_fault_of_their_cell() -> None:
    cells = [rude("ragged", "ragged", runs=15)]
    ((_, numbers),) = in_processes(cells, Work(workers=2), Heard(), Signals(()))
    assert numbers.outcome.fault == "step: expected as many points in every run, found 3 and 4"


@pytest.mark.slow
@both_ways
def test_a_signal_ends_the_computation_at_once(way: Way) -> None:
    began = time.monotonic()
    with Signals((signal.SIGTERM,)) as signals, signals.noted():
        heard = Heard()
        found = way([rude("steady", "first"), rude("stuck", "second")], Work(budget=None), heard, signals)
        assert next(found)[0].arm == "first"
        _terminate_soon()
        with pytest.raises(Ended) as ended:
            next(found)
    assert ended.value.code == 143
    assert time.monotonic() - began < 20


def _terminate_soon() -> None:
    """Send this process SIGTERM in half a second."""
    context = multiprocessing.get_context("fork")
    context.Process(target=_terminate, args=(os.getpid(),), daemon=True).start()


def _terminate(pid: int) -> None:
    """Send a process SIGTERM in half a second."""
    time.sleep(0.5)
    os.kill(pid, signal.SIGTERM)


def test_closing_the_iterator_kills_what_runs() -> None:
    found = in_processes([rude("steady", "first"), rude("stuck", "second")], Work(workers=2), Heard(), Signals(()))
    assert next(found)[0].arm == "first"
    children = multiprocessing.active_children()
    assert children
    found.close()
    assert not any(child.is_alive() for child in children)


@pytest.mark.parametrize("possible", [0, 1, 3])
def test_if_no_further_process_can_be_started_the_rest_is_still_computed(
    monkeypatch: pytest.MonkeyPatch, possible: int
) -> None:
    started: list[object] = []
    real = multiprocessing.get_context("fork").Process.start

    def start(process: Any) -> None:
        if len(started) >= possible:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        started.append(process)
        real(process)

    monkeypatch.setattr(multiprocessing.get_context("fork").Process, "start", start)
    heard = Heard()
    cells = [rude("steady", f"arm-{index}") for index in range(5)]
    found = {cell.arm: numbers for cell, numbers in in_processes(cells, Work(workers=4), heard, Signals(()))}
    assert all(numbers.outcome.measures == {"value": [1.0] * 4} for numbers in found.values())
    assert len(found) == 5
    assert all("can be started: resource temporarily unavailable" in line for line in heard.said)
    assert "-j: this process computes everything" in heard.said[-1]


@pytest.mark.slow
@pytest.mark.parametrize(("room", "together"), [(50.0, 1), (1e9, 2)], ids=["little", "much"])
def test_arms_that_do_not_fit_into_memory_together_are_computed_one_after_another(room: float, together: int) -> None:
    """Two arms of 32 bytes each, both of them inside one long call until their budget is up."""
    running: list[int] = []
    heard = Heard(at_a_wait=lambda: running.append(len(multiprocessing.active_children())))
    cells = [rude("stuck", "first"), rude("stuck", "second")]
    found = list(in_processes(cells, Work(workers=2, budget=0.1), heard, Signals(()), memory=room))
    assert all(numbers.outcome.spent for _, numbers in found)
    assert (len(found), max(running)) == (2, together)


def test_a_spent_budget_is_not_an_error_that_a_runner_can_catch() -> None:
    assert not issubclass(BudgetSpent, Exception)


class Aloud(Heard):
    """A listener that writes what it hears to standard error, as the lines of a run do."""

    def moves(self, cell: Cell, fraction: float, note: str) -> None:  # noqa: ARG002  the listeners' signature
        """Write it."""
        print(cell.arm, "moves", file=sys.stderr)

    def says(self, text: str) -> None:
        """Write it."""
        print(text, file=sys.stderr)


def test_what_a_listener_writes_in_this_process_is_not_taken_for_what_the_runner_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert computed(here, "prints", heard=Aloud())["prints"].outcome.fault is None
    out, err = capsys.readouterr()
    assert (out, err.splitlines().count("prints moves") > 0) == ("", True)
    assert [line for line in err.splitlines() if line != "prints moves"] == [
        "claim, prints: a line of the runner",
        "claim, prints: ::error::not ours",
        "claim, prints: and one more",
    ]
