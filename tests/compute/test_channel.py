"""Messages come whole or not at all, and reading never waits."""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Iterator

import pytest

from dlnrepro.compute.channel import Inbox, Outbox, Unreadable

Channel = tuple[Inbox, Outbox, int]


@pytest.fixture
def channel() -> Iterator[Channel]:
    reading, writing = os.pipe()
    inbox = Inbox(reading)
    yield inbox, Outbox(writing), writing
    inbox.close()
    os.close(writing)


def test_messages_are_read_in_their_order_as_they_were_sent(channel: Channel) -> None:
    inbox, outbox, _ = channel
    assert inbox.read() == []
    outbox.send("moves", 0.5)
    outbox.send("numbers", [1.0, float("inf")])
    assert inbox.read() == [("moves", 0.5), ("numbers", [1.0, float("inf")])]
    assert not inbox.closed


def test_half_a_message_is_kept_until_the_rest_is_there(channel: Channel) -> None:
    inbox, _, writing = channel
    content = pickle.dumps("whole")
    message = b"dlnr" + len(content).to_bytes(8, "little") + content
    for byte in message[:-1]:
        os.write(writing, bytes([byte]))
        assert inbox.read() == []
    os.write(writing, message[-1:])
    assert inbox.read() == ["whole"]


@pytest.mark.parametrize(
    "content", [b"\xff" * 12, b"dlnr" + (3).to_bytes(8, "little") + b"abc"], ids=["no-mark", "no-pickle"]
)
def test_bytes_that_are_not_a_message_close_the_channel(channel: Channel, content: bytes) -> None:
    inbox, _, writing = channel
    os.write(writing, content)
    with pytest.raises(Unreadable):
        inbox.read()
    assert inbox.closed


def test_a_channel_whose_other_end_is_closed_is_closed() -> None:
    reading, writing = os.pipe()
    inbox = Inbox(reading)
    os.close(writing)
    assert inbox.read() == []
    assert inbox.closed
    inbox.close()


def test_messages_of_several_threads_are_not_mixed(channel: Channel) -> None:
    inbox, outbox, _ = channel
    long = "x" * 200_000

    def send_five() -> None:
        for _ in range(5):
            outbox.send(long)

    threads = [threading.Thread(target=send_five) for _ in range(3)]
    for thread in threads:
        thread.start()
    found: list[object] = []
    while len(found) < 15:
        found += inbox.read()
    for thread in threads:
        thread.join()
    assert found == [(long,)] * 15


def test_nothing_is_written_into_another_file_that_has_the_number_of_the_channel(channel: Channel) -> None:
    inbox, outbox, writing = channel
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, writing)
    with pytest.raises(BrokenPipeError):
        outbox.send("numbers")
    outbox.close()
    os.fstat(writing)  # is still open
    os.close(nothing)
    inbox.read()
    assert inbox.closed


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_sends_nothing(channel: Channel) -> None:
    inbox, outbox, _ = channel
    if (child := os.fork()) == 0:
        outbox.send("from the child")
        os._exit(0)
    os.waitpid(child, 0)
    assert inbox.read() == []
