"""The file of a function and the modules in its folder, imported such that the rest of the program stays as it was.

While the file is imported, and while its function runs, its folder is the first on the search path, as it is for a
script. Modules of the folder are then removed from the table of modules, because a file in another folder may import
other modules of the same names.

What the import changes in the process is undone at its end. Three changes are made again whenever the function runs,
because the function may need them: environment variables, numpy's handling of floating-point errors, and torch's
default type.
"""

from __future__ import annotations

import importlib
import os
import pickle
import random
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import ModuleType
from typing import Any, NamedTuple


class _Part(NamedTuple):
    """A part of the state of the process, and whether the function needs the value that its file has given it."""

    read: Callable[[], Any]
    write: Callable[[Any], object]
    needed: bool = False


class Home:
    """The file of a function, imported, and what it needs to run.

    Attributes:
        module: the imported file.
    """

    def __init__(self, path: str) -> None:
        """Import a file; every exception of its code passes through, also `SystemExit`."""
        self._folder = os.path.dirname(path)
        self._modules: dict[str, ModuleType] = {}
        self._needed: list[tuple[_Part, Any]] = []
        stem = os.path.basename(path).removesuffix(".py")
        # A file such as random.py must not stand in the place of a module that libraries import.
        self.module = ModuleType(f"{stem}_file" if stem in sys.modules or stem in sys.stdlib_module_names else stem)
        self.module.__file__ = path
        with open(path, "rb") as file:
            content = file.read()
        before = [part.read() for part in _PARTS]
        with _as_before(_PARTS), warnings.catch_warnings(), self._beside():
            # The text is compiled here: a compiled file of the same second and size could be an older text.
            exec(compile(content, path, "exec", dont_inherit=True), self.module.__dict__)
            after = [part.read() for part in _PARTS]
        changed = zip(_PARTS, before, after, strict=True)
        self._needed = [(part, new) for part, old, new in changed if part.needed and new != old]

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Let the function find its modules, and the state of the process that its file has set."""
        with _as_before([part for part, _ in self._needed]), self._beside():
            for part, value in self._needed:
                part.write(value)
            yield

    @contextmanager
    def _beside(self) -> Iterator[None]:
        """Put the folder first on the search path, and its modules into the table of modules."""
        known = {_top(name) for name in sys.modules}
        own = {**self._modules, self.module.__name__: self.module}
        hidden = {name: sys.modules[name] for name in own if name in sys.modules}
        writes = sys.dont_write_bytecode
        sys.modules.update(own)
        try:
            with searched_first(self._folder):
                sys.dont_write_bytecode = True
                yield
        finally:
            sys.dont_write_bytecode = writes
            tops = {_top(name) for name in sys.modules} - known
            mine = {_top(name) for name in own} | {top for top in tops if self._holds(sys.modules.get(top))}
            for name in [name for name in sys.modules if _top(name) in mine and name not in hidden]:
                self._modules[name] = sys.modules.pop(name)
            sys.modules.update(hidden)

    def _holds(self, module: ModuleType | None) -> bool:
        """Whether a module, or a package, lies directly in the folder."""
        file, places = getattr(module, "__file__", None), getattr(module, "__path__", None)
        places = list(places) if places is not None else [file]
        folders = [os.path.dirname(place) for place in places if isinstance(place, str)]
        return any(os.path.realpath(folder) == os.path.realpath(self._folder) for folder in folders)


@contextmanager
def searched_first(folder: str) -> Iterator[None]:
    """Let Python search a folder for modules before every other place."""
    path = list(sys.path)
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = path


def _top(name: str) -> str:
    """The first part of the dotted name of a module."""
    return name.partition(".")[0]


@contextmanager
def _as_before(parts: Iterable[_Part]) -> Iterator[None]:
    """Restore parts of the state at the end, if they have changed."""
    with ExitStack() as stack:
        for part in parts:
            stack.callback(_give_back, part, part.read())
        yield


def _give_back(part: _Part, value: Any) -> None:
    """Restore a part of the state, if it has changed; a folder that was removed meanwhile cannot be entered again."""
    with suppress(OSError):
        if part.read() != value:
            part.write(value)


def _folder() -> str:
    """The working folder; empty if it was removed."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def _set_folder(folder: str) -> None:
    """Enter a folder, if there is one."""
    if folder:
        os.chdir(folder)


def _set_environment(variables: dict[str, str]) -> None:
    """Make these the only variables of the environment."""
    os.environ.clear()
    os.environ.update(variables)


def _set_streams(streams: tuple[Any, Any]) -> None:
    """Set the standard streams."""
    sys.stdout, sys.stderr = streams


def _numpy_errors() -> dict[str, str]:
    """Numpy's handling of floating-point errors; that of a new process if numpy is not imported."""
    numpy: Any = sys.modules.get("numpy")
    found: dict[str, str] | None = numpy and numpy.geterr()
    return found or {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}


def _set_numpy_errors(value: dict[str, str]) -> None:
    """Set numpy's handling of floating-point errors, if numpy is imported."""
    if numpy := sys.modules.get("numpy"):
        numpy.seterr(**value)


def _torch_type() -> str:
    """The name of torch's default type; that of a new process if torch is not imported."""
    torch: Any = sys.modules.get("torch")
    return "float32" if torch is None else str(torch.get_default_dtype()).rpartition(".")[2]


def _set_torch_type(name: str) -> None:
    """Set torch's default type, if torch is imported."""
    if torch := sys.modules.get("torch"):
        torch.set_default_dtype(getattr(torch, name))


def _numpy_draws() -> bytes | None:
    """The state of numpy's global generator; None if it is not imported."""
    generator: Any = sys.modules.get("numpy.random")
    return generator and pickle.dumps(generator.get_state())


def _set_numpy_draws(state: bytes | None) -> None:
    """Set the state of numpy's global generator, if it is known."""
    if state is not None:
        sys.modules["numpy.random"].set_state(pickle.loads(state))


def _torch_draws() -> bytes | None:
    """The state of torch's global generator; None if torch is not imported."""
    torch: Any = sys.modules.get("torch")
    return None if torch is None else torch.random.get_rng_state().numpy().tobytes()


def _set_torch_draws(state: bytes | None) -> None:
    """Set the state of torch's global generator, if it is known."""
    if state is not None:
        torch: Any = sys.modules["torch"]
        torch.random.set_rng_state(torch.frombuffer(bytearray(state), dtype=torch.uint8))


_PARTS = (
    _Part(_folder, _set_folder),
    _Part(lambda: dict(os.environ), _set_environment, needed=True),
    _Part(lambda: (sys.stdout, sys.stderr), _set_streams),
    _Part(random.getstate, random.setstate),
    _Part(_numpy_errors, _set_numpy_errors, needed=True),
    _Part(_numpy_draws, _set_numpy_draws),
    _Part(_torch_type, _set_torch_type, needed=True),
    _Part(_torch_draws, _set_torch_draws),
)
