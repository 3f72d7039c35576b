"""Messages from one process to another, through a pipe or a socket; reading never waits for bytes that are missing.

A process that computes may be killed in the middle of a message, may write bytes that are not a message, or may leave
the pipe open in a child process. None of these may block the process that reads.

A message is a mark of four bytes, its length as a number of eight bytes, and its pickled content.
"""

from __future__ import annotations

import os
import pickle
import struct
import threading
from contextlib import suppress
from typing import Any

_MARK = b"dlnr"
_HEAD = struct.Struct("<4sQ")

_PIECE, _AT_ONCE = 1 << 20, 1 << 26
"""The largest number of bytes that are read at once, and in one call of `Inbox.read`."""


class Unreadable(Exception):
    """The bytes received are not a message."""


class Inbox:
    """The end of a channel that is read.

    Attributes:
        closed: whether no further message can arrive.
    """

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._content = bytearray()
        self.closed = False

    def fileno(self) -> int:
        """The file descriptor, so that a caller can wait until it can be read."""
        return self._descriptor

    def read(self) -> list[Any]:
        """The messages that have arrived completely since the last call.

        Raises:
            Unreadable: bytes have arrived that are not a message; the channel is then closed.
        """
        most = len(self._content) + _AT_ONCE
        while not self.closed and len(self._content) < most:
            try:
                piece = os.read(self._descriptor, _PIECE)
            except BlockingIOError:
                break
            except OSError:
                piece = b""
            if not piece:
                self.closed = True
            self._content += piece
        try:
            return self._whole_messages()
        except Unreadable:
            self.closed = True
            raise

    def close(self) -> None:
        """Close this end."""
        self.closed = True
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _whole_messages(self) -> list[Any]:
        """Remove the complete messages from the bytes that have arrived, and return them."""
        found = []
        while len(self._content) >= _HEAD.size:
            mark, length = _HEAD.unpack_from(self._content)
            if mark != _MARK:
                raise Unreadable("no message")
            end = _HEAD.size + length
            if len(self._content) < end:
                break
            try:
                found.append(pickle.loads(memoryview(self._content)[_HEAD.size : end].toreadonly()))
            except Exception as error:
                raise Unreadable(type(error).__name__) from None
            del self._content[:end]
        return found


class Outbox:
    """The end of a channel to which messages are written; several threads may write, each message stays whole.

    A process that is forked from the process that made this outbox sends nothing, because the messages of the two
    processes would be mixed.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._process = os.getpid()
        self._file = _identity(descriptor)
        self._one_at_a_time = threading.Lock()

    def send(self, *message: Any) -> None:
        """Send a message.

        Raises:
            OSError: the other end is no longer read, or the channel was closed.
        """
        content = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        with self._one_at_a_time:
            if os.getpid() != self._process:
                return
            if _identity(self._descriptor) != self._file:
                raise BrokenPipeError("the channel was closed")
            for part in (_HEAD.pack(_MARK, len(content)), content):
                rest = memoryview(part)
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]

    def close(self) -> None:
        """Close this end, in a forked process, which must not send; a descriptor that has another file stays open."""
        if _identity(self._descriptor) == self._file:
            with suppress(OSError):
                os.close(self._descriptor)


def _identity(descriptor: int) -> tuple[int, int] | None:
    """The device and inode of a descriptor's file, or None; a runner may have closed it and opened another file."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return None
    return found.st_dev, found.st_ino
