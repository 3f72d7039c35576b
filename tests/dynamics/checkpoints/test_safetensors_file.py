"""The format safetensors: its numbers are read exactly, and every length is checked before memory is taken."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from dlnrepro.dynamics.checkpoints.safetensors_file import read_safetensors
from dlnrepro.errors import UsageError


def packed(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    """The content of a file with this header, which may be a text."""
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def tensor(kind: str, shape: list[Any], begin: int, end: int) -> dict[str, Any]:
    """The description of a tensor."""
    return {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}


def test_tensors_of_every_floating_type_are_read_exactly() -> None:
    values = np.array([[1.5, -2.0, 0.125], [3.0, 0.0, -0.5]])
    upper = (values.astype("<f4").view("<u4") >> 16).astype("<u2")  # bfloat16 is the upper half of float32
    parts = {"d": ("F64", values.astype("<f8")), "s": ("F32", values.astype("<f4"))}
    parts |= {"h": ("F16", values.astype("<f2")), "b": ("BF16", upper)}
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, (kind, array) in parts.items():
        header[name] = tensor(kind, [2, 3], len(data), len(data) + array.nbytes)
        data += array.tobytes()
    entries = read_safetensors("a.safetensors", packed(header, data))
    assert [(entry.name, entry.kind) for entry in entries] == [
        ("d", "float64"),
        ("s", "float32"),
        ("h", "float16"),
        ("b", "bfloat16"),
    ]
    for entry in entries:
        np.testing.assert_array_equal(entry.values, values)


def test_other_types_and_shapes_are_named_without_numbers() -> None:
    header = {"n": tensor("I64", [], 0, 8), "k": tensor("F32", [1, 1, 1, 1], 8, 12)}
    entries = read_safetensors("a.safetensors", packed(header, bytes(12)))
    assert [(entry.name, entry.shape, entry.values) for entry in entries] == [
        ("n", (), None),
        ("k", (1, 1, 1, 1), None),
    ]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "expected a header of safetensors, found none"),
        (b"PK\x03\x04 another format of a file", "expected a header of safetensors, found none"),
        (packed("{}", length=2**63), "expected a header of safetensors, found none"),
        (packed("[1]"), "expected a header with the names of tensors, found another value in JSON"),
        (packed("{{"), "expected a header in JSON, found: "),
        (packed("[" * 100_000), "expected a header in JSON, found: "),
        (packed('{"w": 1, "w": 2}'), "a name occurs twice"),
        (packed({"w": 3}), "expected a known type, a shape and two offsets of 'w', found none"),
        (packed({"w": tensor("F99", [1], 0, 4)}, bytes(4)), "expected a known type"),
        (packed({"w": tensor("F32", [-1], 0, 4)}, bytes(4)), "expected a known type"),
        (packed({"w": tensor("F32", [True], 0, 4)}, bytes(4)), "expected a known type"),
        (packed({"w": tensor("F32", [2**40, 2**40], 0, 4)}, bytes(4)), "bytes for 'w', found 4"),
        (packed({"w": tensor("F32", [1], 0, 4)}, bytes(3)), "expected 4 bytes of numbers, found 3"),
        (packed({"w": tensor("F32", [1], 0, 4)}, bytes(5)), "expected 4 bytes of numbers, found 5"),
        (packed({"w": tensor("F32", [1], 4, 8)}, bytes(8)), "expected the numbers of 'w' from byte 0 on"),
        (
            packed({"v": tensor("F32", [1], 0, 4), "w": tensor("F32", [1], 0, 4)}, bytes(4)),
            "expected the numbers of 'w' from byte 4 on, found from byte 0 on",
        ),
    ],
)
def test_a_header_that_does_not_fit_its_file_is_refused_in_one_line(content: bytes, found: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_safetensors("a.safetensors", content)
    assert found in str(refused.value)
    assert "\n" not in str(refused.value)


def test_more_numbers_than_are_read_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dlnrepro.dynamics.checkpoints.entries.MOST_NUMBERS", 3)
    with pytest.raises(UsageError, match="expected at most 3 numbers in matrices and vectors, found 4"):
        read_safetensors("a.safetensors", packed({"w": tensor("F16", [2, 2], 0, 8)}, bytes(8)))
