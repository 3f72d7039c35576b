"""Output that goes on when its reader leaves, as in `dlnrepro list | head -1`.

A pipe without a reader fails at the next write. A run would then end in the middle, with a code that says nothing of
its claims. Here what nobody reads is dropped instead, and the command comes to its own end and its own code.
"""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Lenient(io.FileIO):
    """A file whose writes succeed also after whoever reads it has left."""

    def write(self, content: ReadableBuffer, /) -> int:
        """Write, or drop the content if nobody reads any more."""
        try:
            return super().write(content)
        except BrokenPipeError:
            return memoryview(content).nbytes


def outlive_readers() -> None:
    """Let standard output and standard error outlive their readers; streams that are no files stay as they are."""
    sys.stdout = _lenient(sys.stdout)
    sys.stderr = _lenient(sys.stderr)


def _lenient(stream: TextIO) -> TextIO:
    """The stream, on top of a lenient file if it is a plain file now."""
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    raw = getattr(stream.buffer, "raw", stream.buffer)
    if type(raw) is not io.FileIO:
        return stream
    stream.flush()
    return io.TextIOWrapper(
        # The original keeps the descriptor, and the interpreter keeps the original.
        io.BufferedWriter(_Lenient(raw.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
