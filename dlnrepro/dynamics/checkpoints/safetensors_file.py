"""Weights from a file in the format safetensors: a header in JSON, then the numbers of all tensors without gaps.

    8 bytes   the length N of the header, as a little-endian whole number without a sign
    N bytes   {"name": {"dtype": "F32", "shape": [4, 3], "data_offsets": [begin, end]}, ...}, in UTF-8
    the rest  the numbers, little-endian, row by row; offsets count from here

The reader is our own, since the format is this short: it needs no further library, and nothing in a file can be
executed. Every length is compared with the file before a number is read.

Source: the description of the format at https://github.com/huggingface/safetensors.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from dlnrepro.dynamics.checkpoints.entries import Entry, check_size, refusal, unreadable

LONGEST_HEADER = 2**24
"""Bytes of a header, at most; this suffices for some hundred thousand tensors."""

FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
"""The types of floating point numbers that are read, as numpy's types; numpy has no type for bfloat16."""

SIZES = {"BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "U16": 2, "I16": 2, "U32": 4, "I32": 4}
SIZES |= {"U64": 8, "I64": 8, "F64": 8, "F32": 4, "F16": 2, "BF16": 2}
"""Bytes of one number of each type."""


def read_safetensors(path: str, content: bytes) -> list[Entry]:
    """The entries of a file, in the order of its header.

    Args:
        path: the name of the file, for messages.
        content: the whole file.

    Raises:
        UsageError: the content is not in this format.
    """
    length = int.from_bytes(content[:8], "little")
    if len(content) < 10 or not 2 <= length <= min(LONGEST_HEADER, len(content) - 8):
        raise refusal(path, "a header of safetensors", "none (the file is cut off, or of another format)")
    header, data = _header(path, content[8 : 8 + length]), content[8 + length :]
    tensors = {name: _Tensor.checked(path, name, about) for name, about in header.items() if name != "__metadata__"}
    _check_ranges(path, tensors, len(data))
    check_size(path, sum(item.numbers for item in tensors.values() if item.is_read))
    return [item.entry(name, data) for name, item in tensors.items()]


def _header(path: str, text: bytes) -> dict[str, Any]:
    """The mapping in a header, in which each name occurs once."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("a name occurs twice")
        return found

    try:
        header = json.loads(text.decode("utf-8"), object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise unreadable(path, "a header in JSON", str(error)) from None
    if not isinstance(header, dict):
        raise refusal(path, "a header with the names of tensors", "another value in JSON")
    return header


class _Tensor:
    """A tensor as a header describes it."""

    def __init__(self, kind: str, shape: tuple[int, ...], begin: int, end: int) -> None:
        self.kind, self.shape, self.begin, self.end = kind, shape, begin, end
        self.numbers = math.prod(shape)
        self.is_read = kind in FLOATS and len(shape) in (1, 2)

    @classmethod
    def checked(cls, path: str, name: str, about: Any) -> _Tensor:
        """The tensor that an item of the header describes.

        Raises:
            UsageError: the description is not complete, or contradicts itself.
        """
        about = about if isinstance(about, dict) else {}
        kind, shape, offsets = about.get("dtype"), about.get("shape"), about.get("data_offsets")
        whole = _whole_numbers(shape) and _whole_numbers(offsets) and len(offsets) == 2
        if not isinstance(kind, str) or kind not in SIZES or not whole:
            raise refusal(path, f"a known type, a shape and two offsets of '{name}'", f"{about or 'none'}"[:200])
        tensor = cls(kind, tuple(shape), *offsets)
        wanted = tensor.numbers * SIZES[kind]
        if tensor.end - tensor.begin != wanted:
            raise refusal(path, f"{wanted:,} bytes for '{name}'", f"{tensor.end - tensor.begin:,}")
        return tensor

    def entry(self, name: str, data: bytes) -> Entry:
        """The tensor as an entry."""
        kind = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}.get(self.kind, self.kind)
        if not self.is_read:
            return Entry(name, self.shape, kind)
        numbers = np.frombuffer(data, FLOATS[self.kind], self.numbers, self.begin)
        if kind == "bfloat16":
            # The two bytes of a bfloat16 are the upper half of the same number in single precision.
            numbers = (numbers.astype(np.uint32) << 16).view(np.float32)
        return Entry(name, self.shape, kind, numbers.astype(np.float64).reshape(self.shape))


def _whole_numbers(value: Any) -> bool:
    """Whether a value is a list of whole numbers of at least 0."""
    return isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)


def _check_ranges(path: str, tensors: dict[str, _Tensor], length: int) -> None:
    """Refuse tensors that share bytes, leave bytes out, or end after the end of the file."""
    place = 0
    for begin, end, name in sorted((item.begin, item.end, name) for name, item in tensors.items()):
        if begin != place:
            raise refusal(path, f"the numbers of '{name}' from byte {place:,} on", f"from byte {begin:,} on")
        place = end
    if place != length:
        raise refusal(path, f"{place:,} bytes of numbers", f"{length:,} (the file is cut off, or too long)")
