"""A signal is noted while a report is made, raised at other times, and left alone where it was ignored before."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from dlnrepro.signals import Ended, Signals, name_of


@pytest.fixture(autouse=True)
def nothing_is_ignored() -> Iterator[None]:
    """Handle the signals that a shell in the background or `nohup` lets this process ignore."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGTERM, signal.SIGHUP)}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number: int) -> None:
    """Send this process a signal, and let it arrive."""
    os.kill(os.getpid(), number)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_signal_is_an_exception_with_its_exit_code(number: int, code: int) -> None:
    with Signals() as signals:
        with pytest.raises(Ended, match=rf"ended by {name_of(code)}") as ended:
            send(number)
        assert (ended.value.code, signals.code) == (code, code)


def test_the_first_of_several_signals_is_noted_and_none_is_raised() -> None:
    with Signals() as signals, signals.noted():
        assert signals.code is None
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGINT):
            send(number)
        assert signals.code == 143


def test_work_in_this_process_is_stopped_by_a_signal_that_is_else_only_noted() -> None:
    with Signals() as signals, signals.noted():
        with pytest.raises(Ended), signals.raised():
            send(signal.SIGINT)
        # A second one is noted again, and work that begins now does not begin.
        send(signal.SIGINT)
        with pytest.raises(Ended), signals.raised():
            pytest.fail("the work began")


def test_handlers_are_given_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    with Signals():
        assert signal.getsignal(signal.SIGTERM) not in before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Signals() as signals:
            send(signal.SIGHUP)
            assert signals.code is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_in_another_thread_signals_are_left_alone() -> None:
    seen: list[object] = []

    def enter() -> None:
        before = signal.getsignal(signal.SIGTERM)
        with Signals():
            seen.append(signal.getsignal(signal.SIGTERM) == before)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [True]
