"""The format .npz: arrays are read in their order, and neither Python objects nor huge shapes reach memory."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping

import numpy as np
import pytest

from dlnrepro.dynamics.checkpoints.numpy_file import read_npz
from dlnrepro.errors import UsageError


def saved(compressed: bool = False, **arrays: np.ndarray) -> bytes:
    """The content of a file that numpy writes."""
    file = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(file, allow_pickle=True, **arrays)
    return file.getvalue()


def archive(parts: Mapping[str, bytes]) -> bytes:
    """An archive with these parts."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name, part in parts.items():
            new.writestr(name, part)
    return file.getvalue()


def array(shape: str, data: bytes, kind: str = "<f8") -> bytes:
    """An array with a header that says this shape."""
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + data


@pytest.mark.parametrize("compressed", [False, True])
def test_arrays_are_read_in_their_order_and_precision(compressed: bool) -> None:
    second = np.asfortranarray(np.arange(6, dtype=">f4").reshape(2, 3))
    content = saved(compressed, W2=np.eye(2, dtype=np.float16), W1=second, steps=np.arange(3))
    entries = read_npz("a.npz", content)
    assert [(entry.name, entry.kind) for entry in entries] == [("W2", "float16"), ("W1", ">f4"), ("steps", "int64")]
    np.testing.assert_array_equal(entries[1].values, second)
    assert entries[2].values is None
    np.testing.assert_array_equal(read_npz("a.npz", content, whole_numbers=True)[2].values, [0, 1, 2])


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "expected an .npz file that can be read, found: BadZipFile"),
        (saved(w=np.ones(3))[:-30], "BadZipFile"),
        (saved(w=np.array([{"a": 1}])), "expected numbers in 'w.npy', found Python objects, which are never unpickled"),
        (archive({"w.npy": b"no array"}), "expected an .npz file that can be read"),
        (
            archive({"w.npy": array("(1000000, 1000000)", bytes(8))}),
            "8,000,000,000,000 bytes of numbers in 'w.npy', found 8",
        ),
        (archive({"w.npy": array("(-1,)", bytes(8))}), "found"),
        (archive({"w.npy": array("(2,)", bytes(24))}), "expected 16 bytes of numbers in 'w.npy', found 24"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused_in_one_line(content: bytes, found: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_npz("a.npz", content)
    assert found in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_small_archive_of_very_many_zeros_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    content = saved(compressed=True, w=np.zeros((1000, 1000)))
    assert len(content) < 20_000
    monkeypatch.setattr("dlnrepro.dynamics.checkpoints.entries.MOST_NUMBERS", 10**5)
    with pytest.raises(UsageError, match="expected at most 100,000 numbers in matrices and vectors, found 1,000,000"):
        read_npz("a.npz", content)
