"""Files of weights that somebody trained, whatever their format, and series of such files in their order."""

from __future__ import annotations

from pathlib import Path

from dlnrepro.dynamics.checkpoints.entries import Entry, refusal, unreadable
from dlnrepro.dynamics.checkpoints.file_order import natural
from dlnrepro.dynamics.checkpoints.numpy_file import read_npz
from dlnrepro.dynamics.checkpoints.safetensors_file import read_safetensors

TORCH = (".pt", ".pth", ".ckpt", ".bin", ".tar")
SUFFIXES = (*TORCH, ".safetensors", ".npz")
"""The suffixes of files of weights."""

LARGEST_FILE = 2**32
"""Bytes of a file, at most."""


def read_weights(path: str, inside: str = "") -> list[Entry]:
    """The entries of a file of weights, in the order of the file; `.safetensors` is in the order of its names.

    Files in the format safetensors are sorted by name when they are written, so `layers.10` comes before `layers.2` in
    them. Here numbers in names count as numbers.

    Args:
        path: the path of the file; its suffix gives the format.
        inside: the name of the mapping that holds the weights in a checkpoint of PyTorch; if empty, it is searched.

    Raises:
        UsageError: the file cannot be read, is not of its format, or contains no entry.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise refusal(path, f"a file of weights ({', '.join(SUFFIXES)})", f"the suffix '{suffix}'")
    content = read_content(path)
    if suffix == ".safetensors":
        entries = sorted(read_safetensors(path, content), key=lambda entry: natural(entry.name))
    elif suffix == ".npz":
        entries = read_npz(path, content)
    else:
        # PyTorch is imported only for its own format, since this takes a second.
        from dlnrepro.dynamics.checkpoints.torch_file import read_torch

        entries = read_torch(path, content, inside)
    if not entries:
        raise refusal(path, "weights", "no entry")
    return entries


def read_content(path: str) -> bytes:
    """The bytes of a file.

    Raises:
        UsageError: it cannot be read, is not a regular file, or is very large.
    """
    place = Path(path)
    try:
        if not place.is_file():
            raise refusal(path, "a file", "a folder" if place.is_dir() else "nothing of this name")
        if (size := place.stat().st_size) > LARGEST_FILE:
            raise refusal(path, f"a file of at most {LARGEST_FILE:,} bytes", f"{size:,} bytes")
        return place.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise unreadable(path, "a file that can be read", reason.lower()) from None
