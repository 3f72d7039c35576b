"""Claims from files, with every fault found at once, each at its line, column and key."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dlnrepro.claim import Claim
from dlnrepro.document import Document, Fault, Place, parse, read_text, suggestion
from dlnrepro.errors import ClaimError
from dlnrepro.explanation import explained, parameter_faults, shown
from dlnrepro.runner import load_runner, runner_names


def read_claim(path: Path) -> Claim:
    """The claim in a file, held against the schema alone: its runner is not imported.

    Raises:
        ClaimError: with a line for every fault.
    """
    return _read(path)[0]


def load_claim(path: Path) -> Claim:
    """The claim in a file, held against the schema and against its runner's parameters, measures and series.

    Raises:
        ClaimError: with a line for every fault.
    """
    claim, document = _read(path)
    if faults := [*_parameters_fit(claim, document), *_measures_exist(claim, document)]:
        raise ClaimError(
            [fault.on(path) for fault in sorted(set(faults), key=lambda fault: (fault.line, fault.column))]
        )
    return claim


def claims_at(paths: Iterable[Path], load: Callable[[Path], Claim]) -> list[tuple[Claim, Path]]:
    """The claims of several files, by `read_claim` or `load_claim`.

    Raises:
        ClaimError: with a line for every fault of every file.
    """
    found: list[tuple[Claim, Path]] = []
    faults: list[str] = []
    for path in paths:
        try:
            found.append((load(path), path))
        except ClaimError as error:
            faults.extend(error.faults)
    if faults:
        raise ClaimError(faults)
    return found


def _read(path: Path) -> tuple[Claim, Document]:
    """The claim in a file and its document, held against the schema alone."""
    text = read_text(path)
    if isinstance(text, Fault):
        raise ClaimError([text.on(path)])
    document = parse(text)
    faults = list(document.faults)
    claim = None
    if isinstance(document.value, dict):
        claim = _validated(document, path.stem, faults)
    elif not faults:
        faults.append(document.fault((), f"expected a mapping of keys, found {shown(document.value)}"))
    if claim is not None:
        faults.extend(_names_exist(claim, document))
    if claim is None or faults:
        raise ClaimError(
            [fault.on(path) for fault in sorted(set(faults), key=lambda fault: (fault.line, fault.column))]
        )
    return claim, document


def _validated(document: Document, stem: str, faults: list[Fault]) -> Claim | None:
    """The claim, or None with the faults added; a file's own `id` is a fault, for its name is the id."""
    if "id" in document.value:
        faults.append(document.fault(("id",), "expected no such key, found 'id': the file's name is the claim's id"))
    try:
        return Claim.model_validate({**document.value, "id": stem})
    except ValidationError as error:
        for detail in error.errors():
            place, text = explained(Claim, detail)
            if detail["type"] == "too_short" and detail["input"]:
                continue  # its items are there, and at fault themselves
            if place == ("id",):
                text = f"expected a file name of small letters, digits and hyphens, found '{stem}'"
                place = ()
            faults.append(document.fault(place, text))
    return None


def _names_exist(claim: Claim, document: Document) -> Iterable[Fault]:
    """Faults for arms and a runner that are named but not there, and for ids used twice."""
    if claim.runner not in (known := runner_names()):
        text = f"expected one of {', '.join(known)}, found '{claim.runner}'{suggestion(claim.runner, known)}"
        yield document.fault(("runner",), text)
    arms = list(claim.arms)
    lists: list[tuple[Place, Iterable[str]]] = []
    for group, members in (("assumptions", claim.assumptions), ("criteria", claim.criteria)):
        lists += [((group, index, "holds_in"), member.holds_in) for index, member in enumerate(members)]
    lists += [(("criteria", index, "fails_in"), member.fails_in) for index, member in enumerate(claim.criteria)]
    lists += [(("figures", index, "arms"), figure.arms) for index, figure in enumerate(claim.figures)]
    for place, names in lists:
        for name in names:
            if name not in claim.arms:
                yield document.fault(
                    place, f"expected one of {', '.join(arms)}, found '{name}'{suggestion(name, arms)}"
                )
    ids = [criterion.id for criterion in claim.criteria]
    for index, name in enumerate(ids):
        if name in ids[:index]:
            yield document.fault(("criteria", index, "id"), f"expected each id once, found '{name}' again")
        if claim.criteria[index].misses >= claim.seeds:
            text = f"expected fewer misses than the {claim.seeds} runs, found {claim.criteria[index].misses}"
            yield document.fault(("criteria", index, "misses"), text)
    for name in claim.arms:
        if name not in claim.used_arms:
            yield document.fault(("arms", name), f"expected an arm that a criterion names, found '{name}' unused")


def _parameters_fit(claim: Claim, document: Document) -> Iterable[Fault]:
    """Faults of the setup, of each arm on top of it, and of both in the quick profile."""
    params = load_runner(claim.runner).Params
    base = parameter_faults(params, claim.setup)
    for place, text in base:
        yield document.fault(("setup", *place), text)
    known = {place for place, _ in base}
    profiles: list[tuple[Place, dict[str, Any]]] = [((), {}), (("quick", "setup"), claim.quick.setup)]
    for origin, profile in profiles:
        for arm, changes in claim.arms.items():
            for place, text in parameter_faults(params, {**claim.setup, **profile, **changes}):
                if place in known:
                    continue
                key = place[0] if place else None
                here: Place = ("arms", arm) if key in changes or key is None or not origin else origin
                yield document.fault((*here, *place), text)


def _measures_exist(claim: Claim, document: Document) -> Iterable[Fault]:
    """Faults for measures and series that the runner does not have."""
    runner = load_runner(claim.runner)
    measures, series = list(runner.MEASURES), list(runner.SERIES)
    for group, members in (("assumptions", claim.assumptions), ("criteria", claim.criteria)):
        for index, member in enumerate(members):
            if (name := member.measure) not in measures:
                text = f"expected one of {', '.join(measures)}, found '{name}'{suggestion(name, measures)}"
                yield document.fault((group, index, "measure"), text)
    for index, figure in enumerate(claim.figures):
        named = [("y", name) for name in figure.y] + [("x", figure.x)]
        named += [("reference", figure.reference)] if figure.reference else []
        for key, name in named:
            if name not in series:
                text = f"expected one of {', '.join(series)}, found '{name}'{suggestion(name, series)}"
                yield document.fault(("figures", index, key), text)
            elif figure.x in series and runner.SERIES[name].axis != runner.SERIES[figure.x].axis:
                text = f"expected a series of the axis '{runner.SERIES[figure.x].axis}' of {figure.x}, found '{name}'"
                yield document.fault(("figures", index, key), text)
