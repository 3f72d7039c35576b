"""Where claims are found: a path, the folder ./claims, or the claims that travel with the program."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dlnrepro.document import suggestion
from dlnrepro.errors import UsageError

_HERE = Path(__file__).resolve().parent


def packaged() -> Path:
    """The folder of claims that travels with the program: inside a wheel, or beside the package in a checkout."""
    inside = _HERE / "claims"
    return inside if inside.is_dir() else _HERE.parent / "claims"


def called(path: Path) -> str:
    """What to call the claim of a file on the command line: its id where that is enough, or the path."""
    return path.stem if path.parent in (Path("claims"), packaged()) else str(path)


def claim_paths(names: Sequence[str]) -> list[Path]:
    """The claim files that names stand for, each once, in the order given.

    A name is a path to a file or to a folder of claims, or the id of a claim in ./claims or, after that, among the
    packaged ones. No names stand for every claim of ./claims, or of the packaged ones where there is no ./claims.

    Raises:
        UsageError: a name stands for nothing.
    """
    if not names:
        folder = Path("claims") if any(Path("claims").glob("*.yaml")) else packaged()
        return _claims_in(folder)
    found: list[Path] = []
    for name in names:
        found.extend(path for path in _named(name) if path not in found)
    return found


def _claims_in(folder: Path) -> list[Path]:
    """The claim files of a folder in the order of their ids."""
    return sorted(folder.glob("*.yaml"), key=lambda path: path.stem)


def _named(name: str) -> list[Path]:
    """The files that one name stands for."""
    path = Path(name)
    looks_like_a_path = path.suffix in {".yaml", ".yml"} or len(path.parts) > 1
    if path.is_dir():
        if inside := _claims_in(path):
            return inside
        raise UsageError(f"{name}: expected a folder with claim files (*.yaml), found none in it")
    if looks_like_a_path or path.is_file():
        return [path]
    for folder in (Path("claims"), packaged()):
        if (candidate := folder / f"{name}.yaml").is_file():
            return [candidate]
    known = sorted({path.stem for folder in (Path("claims"), packaged()) for path in folder.glob("*.yaml")})
    raise UsageError(f"{name}: expected a claim file or the id of a claim, found neither{suggestion(name, known)}")
