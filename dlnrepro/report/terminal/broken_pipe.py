"""Output that goes on when its reader leaves, as in `dlnrepro list | head -1`.

A pipe without a reader fails at the next write. A run would then end in the middle, with a code that says nothing of
its claims. Here what nobody reads is dropped instead, and the command comes to its own end and its own code. What a
full disk does not take is dropped too, but that is a loss, which is reported at the end.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Lenient(io.FileIO):
    """A file whose writes succeed also after its reader has left; keeps the reason of any other failure."""

    failure: OSError | None = None

    def write(self, content: ReadableBuffer, /) -> int:
        """Write, or drop what cannot be written."""
        try:
            return super().write(content)
        except BrokenPipeError:
            pass
        except OSError as error:
            self.failure = error
        return memoryview(content).nbytes


def outlive_readers() -> None:
    """Let standard output and standard error outlive their readers; streams that are not files stay as they are."""
    sys.stdout = _lenient(sys.stdout)
    sys.stderr = _lenient(sys.stderr)


def lost_output() -> str | None:
    """Why some of standard output was lost though somebody wanted it, or None."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return str(raw.failure.strerror).lower() if isinstance(raw, _Lenient) and raw.failure else None


def _lenient(stream: TextIO | None) -> TextIO:
    """The stream, on a lenient file if it is a plain file now; in the place of a closed one, one that keeps nothing."""
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")
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
