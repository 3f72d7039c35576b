"""Weights or data from an `.npz` file: an archive of arrays, each with a header that gives its type and its shape.

No array is unpickled. The length of every array is compared with its header before memory is taken for it, so that a
header with a huge shape is refused.
"""

from __future__ import annotations

import math
import zipfile
from io import BytesIO
from typing import NamedTuple

import numpy as np

from dlnrepro.dynamics.checkpoints.entries import Entry, check_size, refusal, unreadable
from dlnrepro.errors import UsageError, one_line

LONGEST_HEADER = 2**16
"""Bytes from the beginning of an array in which its description must end."""


class _Header(NamedTuple):
    """The description of an array, and where its numbers begin."""

    shape: tuple[int, ...]
    by_columns: bool
    kind: np.dtype[np.generic]
    begin: int


def read_npz(path: str, content: bytes, whole_numbers: bool = False) -> list[Entry]:
    """The arrays of a file, in its order.

    Args:
        path: the name of the file, for messages.
        content: the whole file.
        whole_numbers: whether whole numbers are read too, as for labels.

    Raises:
        UsageError: the content is not such a file, or contains Python objects.
    """
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            return _entries(path, archive, "fiub" if whole_numbers else "f")
    except UsageError:
        raise
    except Exception as error:
        # The archive and its headers come from somebody else, and their readers raise many kinds of errors.
        raise unreadable(path, "an .npz file that can be read", one_line(error)) from None


def _entries(path: str, archive: zipfile.ZipFile, kinds: str) -> list[Entry]:
    """The arrays of an open archive; only those of the given kinds of numbers are read."""
    members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
    headers = [_header(path, archive, member) for member in members]
    read = [header.kind.kind in kinds and len(header.shape) in (1, 2) for header in headers]
    check_size(path, sum(math.prod(header.shape) for header, wanted in zip(headers, read, strict=True) if wanted))
    entries = []
    for member, header, wanted in zip(members, headers, read, strict=True):
        name, values = member.filename.removesuffix(".npy"), None
        if wanted:
            with archive.open(member) as file:
                numbers = np.frombuffer(file.read()[header.begin :], header.kind)
            values = numbers.astype(np.float64).reshape(header.shape, order="F" if header.by_columns else "C")
        entries.append(Entry(name, header.shape, str(header.kind), values))
    return entries


def _header(path: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> _Header:
    """The description of one array.

    Raises:
        UsageError: the array contains Python objects, or has another length than its description says.
    """
    with archive.open(member) as file:
        start = BytesIO(file.read(LONGEST_HEADER))
    version = np.lib.format.read_magic(start)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise refusal(path, f"version 1 or 2 of the array '{member.filename}'", f"version {version[0]}")
    shape, by_columns, kind = readers[version](start)
    if kind.hasobject:
        raise refusal(path, f"numbers in '{member.filename}'", "Python objects, which are never unpickled")
    wanted = math.prod(shape) * kind.itemsize
    if member.file_size - start.tell() != wanted:
        length = f"{member.file_size - start.tell():,}"
        raise refusal(path, f"{wanted:,} bytes of numbers in '{member.filename}'", length)
    return _Header(tuple(map(int, shape)), bool(by_columns), kind, start.tell())
