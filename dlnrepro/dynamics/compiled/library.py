"""Compiles the kernels in C once on each machine, keeps them in the user's cache folder, and loads them.

Compilation takes about two seconds. Without a C compiler everything is computed in Python, more slowly. Without a cache
folder that can be written, each process that needs the kernels compiles them again.

The compiler is `cc`, or the one in the environment variable DLNREPRO_CC; `none` there means that no compiler is used.
The cache folder is `dlnrepro` in XDG_CACHE_HOME, or in `.cache` of the user's home. What is compiled there is known by
a digest of its source, the compiler, its options and the processor, and is not used after one of these has changed.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path

COMPILER = "DLNREPRO_CC"
"""The environment variable that names the C compiler; `none` for no compiler."""

OPTIONS = ("-O3", "-march=native", "-fno-math-errno", "-fopenmp-simd", "-fPIC")
"""Sums are added in the order that the source says, except where a loop is marked for vector instructions."""

PATIENCE = 120
"""Seconds after which a compiler that does not end is given up."""

SOURCES = Path(__file__).parent


def route() -> str:
    """What the kernels are computed by on this machine: the first line of the compiler's version, or `Python`.

    The first call on a machine compiles them, so that this also says whether compiling works.
    """
    return _version(os.environ.get(COMPILER, "cc")) if kernels() is not None else "Python"


def kernels() -> ctypes.CDLL | None:
    """The compiled kernels, or None where they cannot be compiled or loaded."""
    return _loaded(os.environ.get(COMPILER, "cc"))


def ready() -> bool:
    """Whether the kernels need not be compiled now: they are in the cache folder, or there is no compiler."""
    compiler = os.environ.get(COMPILER, "cc")
    folder = _folder()
    return not _version(compiler) or (folder is not None and _path(compiler, folder).is_file())


@cache
def _version(compiler: str) -> str:
    """The first line of a compiler's version; an empty text if there is no such compiler."""
    command = shlex.split(compiler)
    if not command or compiler == "none" or shutil.which(command[0]) is None:
        return ""
    with suppress(OSError, subprocess.SubprocessError):
        said = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=PATIENCE, check=True)
        return said.stdout.partition("\n")[0].strip()
    return ""


@cache
def _loaded(compiler: str) -> ctypes.CDLL | None:
    if not _version(compiler):
        return None
    for folder in dict.fromkeys((_folder(), None)):
        with suppress(OSError, subprocess.SubprocessError):
            if folder is None:
                # Nothing can be kept, so the file is removed as soon as it is loaded.
                with tempfile.TemporaryDirectory(prefix="dlnrepro-") as place:
                    return ctypes.CDLL(str(_compiled(compiler, Path(place))))
            return ctypes.CDLL(str(_compiled(compiler, folder)))
    return None


def _compiled(compiler: str, folder: Path) -> Path:
    """The compiled kernels in a folder, compiled now if they are not there.

    Raises:
        OSError: the folder cannot be written.
        subprocess.SubprocessError: the compiler fails.
    """
    path = _path(compiler, folder)
    if path.is_file():
        return path
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Several processes may compile at the same time. Each works in a folder of its own and then moves the file.
    with tempfile.TemporaryDirectory(prefix=".compiling-", dir=folder) as work:
        parts = [Path(work, f"{source.stem}.o") for source in _sources()]
        # All sources at the same time, since together they take twice as long as the longest one.
        _run_all(
            [*shlex.split(compiler), *OPTIONS, "-c", str(source), "-o", str(part)]
            for source, part in zip(_sources(), parts, strict=True)
        )
        whole = Path(work, path.name)
        _run_all([[*shlex.split(compiler), *OPTIONS, "-shared", *map(str, parts), "-o", str(whole), "-lm"]])
        os.replace(whole, path)
    return path


def _run_all(commands: Iterable[Sequence[str]]) -> None:
    """Run commands side by side.

    Raises:
        OSError: there is no such program.
        subprocess.SubprocessError: a command fails, or does not end.
    """
    with ExitStack() as stack:
        running = []
        for command in commands:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            running.append((command, process))
        until = time.monotonic() + PATIENCE
        for command, process in running:
            if process.wait(until - time.monotonic()):
                raise subprocess.CalledProcessError(process.returncode, command)


def _path(compiler: str, folder: Path) -> Path:
    """Where the kernels are kept: a name that changes with the source, the compiler, its options and the processor."""
    digest = hashlib.sha256()
    for part in (_version(compiler), compiler, " ".join(OPTIONS), _processor(), *map(Path.read_text, _sources())):
        digest.update(f"{len(part)} {part}\n".encode())
    return folder / f"kernels-{digest.hexdigest()[:32]}.so"


def _sources() -> list[Path]:
    return sorted(SOURCES.glob("*.c"))


@cache
def _processor() -> str:
    """The instruction sets of the processor, since `-march=native` compiles for them."""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))}))
    return f"{platform.machine()} {platform.processor()}"


def _folder() -> Path | None:
    """The folder of this program in the user's cache folder; None if the user has no home folder."""
    above = os.environ.get("XDG_CACHE_HOME", "")
    try:
        return (Path(above) if os.path.isabs(above) else Path.home() / ".cache") / "dlnrepro"
    except RuntimeError:
        return None
