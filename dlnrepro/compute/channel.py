"""Messages from one process to another, through a pipe or a socket, read without waiting for what is not there yet.

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
"""Bytes of one reading, and of all readings in one call."""


class Unreadable(Exception):
    """The bytes received are not a message."""


class Inbox:
    """The end of a channel that is read.

    Attributes:
        closed: whether nothing more can come.
    """

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._content = bytearray()
        self.closed = False

    def fileno(self) -> int:
        """The descriptor, which can be waited for."""
        return self._descriptor

    def read(self) -> list[Any]:
        """The messages that have come in whole since the last call.

        Raises:
            Unreadable: something else has come in; the channel is closed.
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
        """Take the messages that are whole out of what has come in."""
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
    """The end of a channel into which messages are written, each as a whole, also from several threads.

    A process that is forked from the one that made this sends nothing: its messages would be mixed with the other's.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._process = os.getpid()
        self._file = _identity(descriptor)
        self._one_at_a_time = threading.Lock()

    def send(self, *message: Any) -> None:
        """Send a message.

        Raises:
            OSError: nobody reads any more, or the channel was closed.
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
        """Close this end, in a forked process that is to send nothing; nothing if its number is another file's."""
        if _identity(self._descriptor) == self._file:
            with suppress(OSError):
                os.close(self._descriptor)


def _identity(descriptor: int) -> tuple[int, int] | None:
    """What a descriptor stands for; a runner may have closed it, and its number may stand for a file of the runner."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return None
    return found.st_dev, found.st_ino
