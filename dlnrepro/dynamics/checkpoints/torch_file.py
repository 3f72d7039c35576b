"""Weights from a file that `torch.save` has written, without running any code that the file contains.

Such a file is an archive: a pickle, which is a small program that builds the objects, and the numbers. The pickle is
read in three steps. The names that it uses are compared with a list of harmless ones, so that a file with any other
name is refused by this name. Every part must lie in the archive as it is, so that no part is longer than the file. Then
`torch.load(..., weights_only=True)` builds the tensors with the same restriction.
"""

from __future__ import annotations

import pickletools
import zipfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

import torch

from dlnrepro.dynamics.checkpoints.entries import Entry, check_size, refusal, unreadable
from dlnrepro.errors import one_line

LONGEST_PICKLE = 2**26
"""Bytes of a pickle, at most; the numbers of the tensors are not in it."""

DEEPEST = 6
"""Levels of mappings in which tensors are searched."""

HARMLESS = {
    "collections OrderedDict",
    "torch Size",
    "torch device",
    "torch.storage UntypedStorage",
    "torch._utils _rebuild_tensor",
    "torch._utils _rebuild_tensor_v2",
    "torch._utils _rebuild_parameter",
    "__builtin__ set",
    "builtins set",
}
"""Names that a pickle of tensors may use, in addition to torch's types of numbers and of storages."""

WEIGHTS = ("state_dict", "model_state_dict", "model", "net", "network", "module", "weights", "params", "parameters")
"""Names under which training programs keep the weights in a checkpoint, the most usual ones first."""

WRAPPERS = ("module.", "_orig_mod.", "_forward_module.")
"""Beginnings of all names in weights of a model that was wrapped, for several devices or by a compiler."""


def read_torch(path: str, content: bytes, inside: str = "") -> list[Entry]:
    """The entries of the weights in a file, in its order.

    Args:
        path: the name of the file, for messages.
        content: the whole file.
        inside: the name of the mapping that holds the weights, such as `model`; if empty, it is searched.

    Raises:
        UsageError: the file is not such an archive, is damaged, or contains anything other than tensors, numbers,
            texts, lists and mappings.
    """
    _check_names(path, _pickle(path, content))
    try:
        found = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:
        # The archive comes from somebody else, and its reader raises many kinds of errors.
        raise unreadable(path, "a checkpoint that torch can read", one_line(error)) from None
    weights = _weights(path, found, inside)
    return _entries(path, weights)


def _pickle(path: str, content: bytes) -> bytes:
    """The pickle in an archive whose parts all lie in it as they are.

    Raises:
        UsageError: the content is not such an archive.
    """
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            parts = archive.infolist()
            names = [part.filename for part in parts]
            if any(name.endswith("constants.pkl") for name in names):
                raise refusal(path, "a state_dict", "a compiled program of TorchScript, which is not loaded")
            packed = any(part.compress_type != zipfile.ZIP_STORED for part in parts)
            if packed or len(set(names)) < len(names) or sum(part.file_size for part in parts) > len(content):
                raise refusal(path, "the archive of a checkpoint as torch.save writes it", "one that was changed")
            pickles = [part for part in parts if part.filename.split("/")[1:] == ["data.pkl"]]
            if len(pickles) != 1 or pickles[0].file_size > LONGEST_PICKLE:
                raise refusal(path, "an archive that torch.save has written", "another archive")
            return archive.read(pickles[0])
    except zipfile.BadZipFile as error:
        expected = "an archive that torch.save has written (by PyTorch 1.6 or newer)"
        if content and content[:1] != b"\x80":
            raise unreadable(path, expected, one_line(error)) from None
        found = "a pickle alone, which is not loaded" if content else "an empty file"
        raise refusal(path, expected, found) from None


def _check_names(path: str, pickled: bytes) -> None:
    """Refuse a pickle that uses any name that is not needed for tensors; nothing of it is executed here.

    Raises:
        UsageError: with the first such name.
    """
    try:
        names = list(_names(pickled))
    except Exception as error:
        # Bytes that are not a pickle lead to many kinds of errors.
        raise unreadable(path, "a pickle of tensors", one_line(error)) from None
    for name in names:
        if name in HARMLESS or _is_type_of_numbers(name):
            continue
        dotted = name.replace(" ", ".")
        if name.startswith("torch.nn."):
            hint = f"a whole pickled module ({dotted}), which is not loaded; save model.state_dict() instead"
        else:
            hint = f"{dotted}, which a pickle could execute, so the file is not loaded"
        raise refusal(path, "a state_dict, with tensors, numbers and texts only", hint)


def _names(pickled: bytes) -> Iterator[str]:
    """Each global name in a pickle, as `module name`; instructions that make names while they chain have no name."""
    for code, argument, _ in pickletools.genops(pickled):
        if code.name in {"GLOBAL", "INST"}:
            yield str(argument)
        elif code.name in {"STACK_GLOBAL", "EXT1", "EXT2", "EXT4"}:
            yield f"pickle {code.name}"


def _is_type_of_numbers(name: str) -> bool:
    """Whether a name is one of torch's types of numbers, such as `torch float32`, or of its storages."""
    module, _, last = name.partition(" ")
    return module == "torch" and (last.endswith("Storage") or isinstance(getattr(torch, last, None), torch.dtype))


def _weights(path: str, found: Any, inside: str) -> Mapping[str, Any]:
    """The mapping of names to tensors in a checkpoint.

    Raises:
        UsageError: there is none, or there are several and none has a usual name.
    """
    if isinstance(found, torch.Tensor):
        return {"weight": found}
    mappings = dict(_mappings(found))
    if inside:
        if inside in mappings:
            return mappings[inside]
        raise refusal(path, f"one of {', '.join(filter(None, mappings)) or 'no mapping'} as --inside", f"'{inside}'")
    if "" in mappings:
        return mappings[""]
    usual = [name for name in WEIGHTS if name in mappings]
    if usual or len(mappings) == 1:
        return mappings[usual[0] if usual else next(iter(mappings))]
    listed = f"several: {', '.join(mappings)}; --inside NAME chooses one" if mappings else "no tensor with a name"
    raise refusal(path, "the weights of one network", listed)


def _mappings(value: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every mapping with texts as keys that holds a tensor itself, with its dotted name."""
    if not isinstance(value, Mapping) or depth > DEEPEST:
        return
    keyed = {key: item for key, item in value.items() if isinstance(key, str)}
    if any(isinstance(item, torch.Tensor) for item in keyed.values()):
        yield name, keyed
        return
    for key, item in keyed.items():
        yield from _mappings(item, f"{name}.{key}" if name else key, depth + 1)


def _entries(path: str, weights: Mapping[str, Any]) -> list[Entry]:
    """The tensors of a mapping; other values, such as numbers, are left out."""
    tensors = {name: item.detach() for name, item in weights.items() if isinstance(item, torch.Tensor)}
    for wrapper in WRAPPERS:
        if all(name.startswith(wrapper) for name in tensors):
            tensors = {name.removeprefix(wrapper): item for name, item in tensors.items()}
    check_size(path, sum(item.numel() for item in tensors.values() if _is_read(item)))
    return [_entry(name, item) for name, item in tensors.items()]


def _is_read(tensor: torch.Tensor) -> bool:
    """Whether a tensor is a matrix or a vector of floating point numbers, each of which is in the file."""
    return tensor.is_floating_point() and tensor.ndim in (1, 2) and not _repeats(tensor)


def _repeats(tensor: torch.Tensor) -> bool:
    """Whether a tensor shows one number of the file in several places, so that it may be far larger than the file."""
    return tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes()


def _entry(name: str, tensor: torch.Tensor) -> Entry:
    """A tensor as an entry."""
    shape, kind = tuple(tensor.shape), str(tensor.dtype).removeprefix("torch.")
    if _repeats(tensor):
        return Entry(name, shape, "numbers that are repeated")
    return Entry(name, shape, kind, tensor.double().contiguous().numpy() if _is_read(tensor) else None)
