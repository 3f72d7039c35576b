"""Claims from files. All errors of a file are found at once, each with its line, column and key."""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dlnrepro.claimfile.declared import (
    declared_faults,
    needless_blocks,
    new_constants,
    whole_settings,
    with_all_constants,
    without_inherited,
)
from dlnrepro.claimfile.document import Document, Place, parse, read_text
from dlnrepro.claimfile.messages import RULE, explained, own_errors, place_of, same_as, shown
from dlnrepro.claimfile.parameters import DECLARED, parameter_errors, validated
from dlnrepro.claimfile.printed.faults import printed_faults, unknown_printed_measures, with_printed_texts
from dlnrepro.claimfile.reach import arm_values, split
from dlnrepro.claimfile.schema import FILE_NAME, Claim
from dlnrepro.claimfile.thresholds import measures_of, threshold_faults
from dlnrepro.errors import ClaimError, Fault, RunnerError, UsageError, one_line, shortened, unknown
from dlnrepro.registry.functions.reference import is_function
from dlnrepro.registry.inputs import missing_files, placed
from dlnrepro.registry.names import load_runner, runner_names
from dlnrepro.runner import Declared, Runner, calling_of, declared, flaws_of
from dlnrepro.signals import Ended

MOST_FAULTS = 50
"""The most errors of one file that are described; further errors are counted."""

UNINSTALLED = "a runner of another package is known only where that package is installed"
"""The hint for a user whose runner is not known."""

LISTING = "dlnrepro list --runners"
"""The command that lists the runners."""

_Wrong = tuple[Place, Callable[[], Fault]]
"""The place of an error, and the function that describes it: similar words are searched only if the error is shown."""


def read_claim(path: Path) -> Claim:
    """The claim in a file, checked against the schema alone: its runner is not imported.

    Raises:
        ClaimError: with a line for every fault.
    """
    claim, _, misnamed = _read(path)
    if misnamed:
        raise ClaimError(misnamed)
    return claim


def load_claim(path: str | PathLike[str]) -> Claim:
    """The claim in a file, checked against the schema and against the parameters, measures and series of its runner.

    Raises:
        ClaimError: with a line for every fault.
        UsageError: the argument is not a path.
    """
    if not (isinstance(path, str | PathLike) and isinstance(name := os.fspath(path), str) and name):
        raise UsageError(f"expected the path of a claim file, found {path!r}")
    path = Path(name)
    claim, document, misnamed = _read(path)
    try:
        claim = _fitted(claim, document, path)
    except ClaimError as error:
        raise ClaimError([*misnamed, *error.faults]) from None
    if misnamed:
        raise ClaimError(misnamed)
    return claim


def _fitted(claim: Claim, document: Document, path: Path) -> Claim:
    """The claim without settings that an arm inherits and that have no meaning there; it must fit its runner.

    Raises:
        ClaimError: with a line for every fault.
    """
    try:
        runner = load_runner(claim.located_runner)
    except RunnerError as error:
        raise ClaimError([document.placed(("runner",), error.fault).at(path)]) from None
    claim = without_inherited(with_all_constants(claim, runner.Params), runner.Params)
    known = _declared_by(claim, runner)
    if wrong := [*needless_blocks(claim, runner.Params), *new_constants(claim, runner.Params)]:
        raise ClaimError(_faults(path, document, map(_made, wrong)))
    if found := [*_parameters_fit(claim, runner.Params), *_measures_exist(claim, known)]:
        raise ClaimError(_faults(path, document, found))
    if wrong := [*declared_faults(claim, runner)]:
        raise ClaimError(_faults(path, document, map(_made, wrong)))
    if found := [*_runs_fit(claim, runner), *_files_exist(claim, runner.Params)]:
        raise ClaimError(_faults(path, document, found))
    if found := [*_files_fit(claim, runner.Params)]:
        raise ClaimError(_faults(path, document, found))
    if found := [*_audit_fits(claim, runner)]:
        raise ClaimError(_faults(path, document, found))
    if wrong := [*threshold_faults(claim, measures_of(claim, known))]:
        raise ClaimError(_faults(path, document, map(_made, wrong)))
    try:
        for arm in claim.used_arms:
            values = {**claim.settings, **claim.arms[arm]}
            needed_memory(claim.runner, placed(validated(runner.Params, values), claim.folder), claim.seeds)
    except RunnerError as error:
        raise ClaimError([document.placed(("runner",), error.fault).at(path)]) from None
    return claim


def result_faults(claim: Claim, path: Path, returned: Declared) -> list[Fault]:
    """The faults of a claim that names measures or series that its runner has not returned, in the file's order."""
    text = read_text(path)
    if isinstance(text, Fault):
        return [text.at(path)]
    found = [*_measures_exist(claim, returned)]
    found += [(place, partial(replace, fault)) for place, fault in threshold_faults(claim, returned.measures or ())]
    return _faults(path, parse(text), found)


def _made(found: tuple[Place, Fault]) -> _Wrong:
    """An error that is described already."""
    place, fault = found
    return place, lambda: fault


def needed_memory(runner: str, params: Any, runs: int) -> int:
    """The bytes that a runner needs, as it estimates them.

    Raises:
        RunnerError: its `memory` fails, or does not give a number of bytes.
    """
    expected = f"Params.memory({runs}) to give bytes"
    try:
        needed = params.memory(runs)
    except (KeyboardInterrupt, Ended):
        raise
    except BaseException as error:
        # This is the runner's own code: every exception, also of sys.exit(), is the runner's fault.
        raise RunnerError(runner, Fault(expected=expected, found=one_line(error), cited=True)) from None
    if isinstance(needed, bool) or not isinstance(needed, int | float) or not 0 <= needed < math.inf:
        raise RunnerError(runner, Fault(expected=expected, found=shown(needed)))
    return math.ceil(needed)


def _read(path: Path) -> tuple[Claim, Document, list[Fault]]:
    """The claim in a file and its document, checked against the schema alone, and the fault of the file's name.

    A claim whose file cannot have its name is read under the name that it could have, so that all its errors are found.
    """
    text = read_text(path)
    if isinstance(text, Fault):
        raise ClaimError([text.at(path)])
    document = parse(text)
    found: list[_Wrong] = []
    claim = None
    fitting = _fitting_name(path.stem)
    misnamed = [] if path.stem == fitting else [_misnamed(path, fitting).at(path)]
    if isinstance(document.value, dict):
        claim = _validated(document, fitting or "claim", found)
    elif not document.faults:
        found.append(((), partial(Fault, expected="a mapping of keys", found=shown(document.value))))
    if claim is not None:
        found.extend(_names_exist(claim))
        found.extend((place, partial(replace, fault)) for place, fault in printed_faults(claim))
    if claim is None or found or document.faults:
        raise ClaimError([*misnamed, *_faults(path, document, found, document.faults)])
    return claim.placed_in(path.parent.absolute()), document, misnamed


def _fitting_name(stem: str) -> str:
    """The name of small letters, digits and hyphens that is most like a name; empty if nothing is left of it."""
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-") if not re.fullmatch(FILE_NAME, stem) else stem


def _misnamed(path: Path, fitting: str) -> Fault:
    """The fault of a file whose name cannot be the id of a claim."""
    return Fault(
        expected="a file name of small letters, digits and hyphens",
        found=f"'{shortened(path.stem)}'",
        suggestion=fitting + path.suffix if fitting else None,
    )


def _faults(path: Path, document: Document, found: Iterable[_Wrong], known: Sequence[Fault] = ()) -> list[Fault]:
    """The faults of a file in its order, each once; of very many faults, the last are only counted."""
    placed: list[tuple[tuple[int, int], Callable[[], Fault]]] = [
        ((fault.line, fault.column), lambda fault=fault: fault)  # type: ignore[misc]
        for fault in known
    ]
    placed += [
        (document.position(place), lambda place=place, made=made: document.placed(place, made()))  # type: ignore[misc]
        for place, made in found
    ]
    placed.sort(key=lambda item: item[0])
    faults = list(dict.fromkeys(fault().at(path) for _, fault in placed[:MOST_FAULTS]))
    faults.sort(key=lambda fault: (fault.line, fault.column))
    if rest := placed[MOST_FAULTS:]:
        (line, column), _ = rest[0]
        more = f"and {len(rest):,} more error{'s' * (len(rest) > 1)}"
        faults.append(Fault(path=str(path), line=line, column=column, text=more))
    return faults


def _validated(document: Document, id: str, found: list[_Wrong]) -> Claim | None:
    """The claim, or None with the faults added; a key `id` is a fault, because the file's name is the id."""
    if "id" in document.value:
        found.append((("id",), partial(Fault, expected="no such key, since the file's name is the id", found="'id'")))
    try:
        return Claim.model_validate({**with_printed_texts(document), "id": id})
    except ValidationError as error:
        details = own_errors(error)
    at_fault = {place_of(detail) for detail in details}
    for detail in details:
        place = place_of(detail)
        if not _follows(document, place, detail["type"], at_fault):
            found.append((place, partial(_in_words, Claim, detail)))
    return None


def _in_words(model: type[BaseModel], detail: ErrorDetails) -> Fault:
    """One of pydantic's errors as a fault."""
    return explained(model, detail)[1]


def _follows(document: Document, place: Place, kind: str, at_fault: Container[Place]) -> bool:
    """Whether an error only follows from a value that was refused: an error of the value, or of a key next to it."""
    if any(place[:length] in document.refused for length in range(len(place) + 1)):
        return True
    # If the schema took the refused value for a missing value, the rules of the whole model were applied.
    taken = [refused for refused in document.refused if refused and refused not in at_fault]
    return kind == RULE and any(refused[:-1] in (place, place[:-1]) for refused in taken)


def _names_exist(claim: Claim) -> Iterable[_Wrong]:
    """Faults for arms and a runner that are named but do not exist, and for names and ids used twice."""
    if not is_function(claim.runner) and claim.runner not in (known := runner_names()):
        fault = unknown(claim.runner, known, LISTING)
        yield ("runner",), partial(replace, fault, expected=f"the runner of an installed package, {fault.expected}")
    arms = list(claim.arms)
    lists: list[tuple[Place, str, tuple[str, ...]]] = []
    for group, members in (("assumptions", claim.assumptions), ("criteria", claim.criteria)):
        lists += [((group, index, "holds_in"), "arm", member.holds_in) for index, member in enumerate(members)]
    lists += [(("criteria", index, "fails_in"), "arm", member.fails_in) for index, member in enumerate(claim.criteria)]
    lists += [(("figures", index, "arms"), "arm", figure.arms) for index, figure in enumerate(claim.figures)]
    for place, _, names in lists:
        for name in names:
            if name not in claim.arms:
                yield place, partial(unknown, name, arms)
    lists += [(("figures", index, "y"), "series", figure.y) for index, figure in enumerate(claim.figures)]
    lists += [(("tags",), "tag", claim.tags), (("source", "authors"), "author", claim.source.authors)]
    lists += [(("criteria", index, "id"), "id", (item.id,)) for index, item in enumerate(claim.criteria)]
    seen: dict[Place, set[str]] = {}
    for place, what, names in lists:
        # The ids of all criteria form one list, although each id has its own place in the file.
        known_ones = seen.setdefault(("ids",) if what == "id" else place, set())
        for name, times in Counter(names).items():
            if name in known_ones or times > 1:
                yield place, partial(Fault, expected=f"each {what} once", found=f"'{shortened(name)}' again")
            known_ones.add(name)
    ids = [criterion.id for criterion in claim.criteria]
    for name, flawed in claim.audit.flaws.items():
        for criterion_id in flawed.breaks:
            if criterion_id not in ids:
                yield ("audit", "flaws", name, "breaks"), partial(unknown, criterion_id, ids)
    controls = [arm for arm in arms if any(arm in criterion.fails_in for criterion in claim.criteria)]
    none = partial(Fault, expected="no such key, since no criterion has a control")
    for name in claim.controls:
        if name not in controls:
            named = partial(unknown, name, controls) if controls else partial(none, found=f"'{shortened(name)}'")
            yield ("controls", name), named
    used = set(claim.used_arms)
    for name in claim.arms:
        if name not in used:
            found = f"'{shortened(name)}' unused"
            yield ("arms", name), partial(Fault, expected="an arm that a criterion names", found=found)


def _parameters_fit(claim: Claim, params: type[BaseModel]) -> Iterable[_Wrong]:
    """Faults of the setup, of each arm on top of it, and of both in the quick profile, each once.

    A fault is reported at its key: in the setup if the setup alone has the fault, in the quick profile if the profile
    causes it, and otherwise in the arm whose change causes it.
    """
    own = _errors(params, claim.settings)
    arms = {arm: _errors(params, {**claim.settings, **changes}) for arm, changes in claim.arms.items()}
    if arms:
        own = {key: detail for key, detail in own.items() if not _left_to_arms(claim, arms, key)}
    known = own | (_shared(claim, arms) if own else {})
    for (place, *_), detail in known.items():
        yield _in_setup(place), partial(_in_words, params, detail)
    for arm, errors in arms.items():
        for key, detail in errors.items():
            if key not in known:
                yield ("arms", arm, *key[0]), partial(_in_words, params, detail)
    quick = {**claim.settings, **claim.quick.setup}
    profile = _errors(params, quick)
    for arm, changes in claim.arms.items():
        for key, detail in _errors(params, {**quick, **changes}).items():
            if key in known or key in arms[arm]:
                continue
            place = key[0]
            if key in profile or (place and place[0] in claim.quick.setup.keys() - changes.keys()):
                known[key] = detail
                yield ("quick", "setup", *place), partial(_in_words, params, detail)
            else:
                yield ("arms", arm, *place), partial(_in_words, params, detail)


def _in_setup(place: Place) -> Place:
    """The place in the file of a parameter that no arm changes: in the setup, or in a block of the claim's own."""
    return place if place and place[0] in DECLARED else ("setup", *place)


_Errors = dict[tuple[Place, str, str, str], ErrorDetails]
"""Pydantic's errors by a key that is equal for errors that say the same."""


def _errors(params: type[BaseModel], values: Mapping[str, Any]) -> _Errors:
    """The reasons why values cannot be a runner's parameters."""
    return {same_as(detail): detail for detail in parameter_errors(params, values)}


def _shared(claim: Claim, arms: Mapping[str, _Errors]) -> _Errors:
    """Contradictions of the setup that several arms show.

    If a value of the setup has a fault, pydantic does not check whether the parameters contradict each other. The arms
    that replace this value show whether they do.
    """
    found = {key: detail for arm in arms for key, detail in arms[arm].items() if not _sets(claim.arms[arm], key[0])}
    return {key: detail for key, detail in found.items() if sum(key in errors for errors in arms.values()) > 1}


def _left_to_arms(claim: Claim, arms: Mapping[str, _Errors], key: tuple[Place, str, str, str]) -> bool:
    """Whether an error of the setup is that of a setting that is left out, and that no arm lacks."""
    place, kind, words, _ = key
    left_out = kind == RULE and bool(place) and place[0] not in claim.setup and words.endswith("found nothing")
    return left_out and not any(key in errors for errors in arms.values())


def _sets(changes: Mapping[str, Any], place: Place) -> bool:
    """Whether an arm sets the parameter of a place itself."""
    return bool(place) and place[0] in changes


def _declared_by(claim: Claim, runner: Runner) -> Declared:
    """What a runner declares for the setup of a claim; nothing is known if the setup has faults."""
    if not hasattr(runner, "declared"):
        return Declared(runner.MEASURES, runner.SERIES)
    try:
        return declared(runner, validated(runner.Params, whole_settings(claim, runner.Params)))
    except ValidationError:
        return Declared(None, None)


def _measures_exist(claim: Claim, known: Declared) -> Iterable[_Wrong]:
    """Faults for measures and series that the runner does not have, as far as it declares them."""
    if known.measures is not None:
        for group, members in (("assumptions", claim.assumptions), ("criteria", claim.criteria)):
            for index, member in enumerate(members):
                if member.measure is not None and member.measure not in known.measures:
                    yield (group, index, "measure"), partial(unknown, member.measure, list(known.measures))
        for place, fault in unknown_printed_measures(claim, list(known.measures)):
            yield place, partial(replace, fault)
    if (series := known.series) is None:
        return
    for index, figure in enumerate(claim.figures):
        named = [("y", name) for name in figure.y] + [("x", figure.x)]
        named += [("reference", figure.reference)] if figure.reference else []
        for key, name in named:
            if name not in series:
                yield ("figures", index, key), partial(unknown, name, list(series))
            elif figure.x in series and series[name].axis != series[figure.x].axis:
                axis = f"a series of the axis '{series[figure.x].axis}' of {figure.x}"
                yield ("figures", index, key), partial(Fault, expected=axis, found=f"'{name}'")


def _runs_fit(claim: Claim, runner: Runner) -> Iterable[_Wrong]:
    """Faults of a claim with several runs, or with a criterion for almost all runs, whose runner draws nothing."""
    if calling_of(runner).draws:
        return
    because = f"since the runner '{claim.runner}' draws nothing at random"
    for place, seeds in ((("seeds",), claim.seeds), (("quick", "seeds"), claim.quick.seeds)):
        if seeds != 1 and place[0] in claim.model_fields_set | {"seeds"}:
            yield place, partial(Fault, expected=f"1, {because}", found=str(seeds))
    for group, members in (("assumptions", claim.assumptions), ("criteria", claim.criteria)):
        for index, member in enumerate(members):
            if member.runs != "every":
                yield (group, index, "runs"), partial(Fault, expected=f"every, {because}", found=member.runs)


def _files_exist(claim: Claim, params: type[BaseModel]) -> Iterable[_Wrong]:
    """Faults for files that settings name and that do not exist, in the setup, in an arm or in the quick profile."""
    places: list[tuple[Place, Mapping[str, Any], Container[str]]] = [
        (("setup",), whole_settings(claim, params), claim.setup)
    ]
    places += [(("arms", arm), {**claim.settings, **own}, own) for arm, own in claim.arms.items()]
    places.append((("quick", "setup"), {**whole_settings(claim, params), **claim.quick.setup}, claim.quick.setup))
    for above, values, own in places:
        for place, fault in missing_files(validated(params, values), claim.folder):
            if place[0] in own:
                yield (*above, *place), partial(replace, fault)


def _files_fit(claim: Claim, params: type[BaseModel]) -> Iterable[_Wrong]:
    """Faults for files that settings name and that have no data for the settings, each once, at its setting.

    Data that do not fit because of another setting of an arm are a fault of this arm.
    """
    seen: set[tuple[str, str]] = set()
    places: list[tuple[Place, dict[str, Any], Container[str]]] = [((), claim.settings, ())] if not claim.arms else []
    places += [(("arms", arm), {**claim.settings, **claim.arms[arm]}, claim.arms[arm]) for arm in claim.used_arms]
    for above, values, own in places:
        for key, fault in data_faults(placed(validated(params, values), claim.folder)):
            if (key, str(fault.found)) not in seen:
                seen.add((key, str(fault.found)))
                yield (*above, key) if key in own else _in_setup((key,)), partial(replace, fault)


def data_faults(params: BaseModel) -> list[tuple[str, Fault]]:
    """The settings whose files have no data for the other settings, each with its fault; the files are read.

    A runner finds such faults in `input_faults` of its parameters, which yields pairs of a setting and a reason.
    """
    found = params.input_faults() if hasattr(params, "input_faults") else ()
    return [(key, Fault(expected="a file with data for these settings", found=why, cited=True)) for key, why in found]


def _audit_fits(claim: Claim, runner: Runner) -> Iterable[_Wrong]:
    """Faults of the changes that an audit makes: unknown flaws, arms and parameters, and values that do not fit."""
    known = flaws_of(runner)
    groups: list[tuple[Place, dict[str, Any]]] = []
    for name, changes in claim.audit.harmless.items():
        groups.append((("audit", "harmless", name), changes))
    for name, flawed in claim.audit.flaws.items():
        if flawed.plant is not None and flawed.plant not in known:
            none = partial(Fault, expected=f"a flaw of the runner '{claim.runner}'", found=f"'{flawed.plant}'")
            yield ("audit", "flaws", name, "plant"), partial(unknown, flawed.plant, list(known)) if known else none
        groups.append((("audit", "flaws", name, "settings"), flawed.settings))
    for place, changes in groups:
        found = [*_changes_fit(claim, runner.Params, place, changes)]
        yield from found or _changes_nothing(claim, place, changes)


def _changes_fit(claim: Claim, params: type[BaseModel], place: Place, changes: Mapping[str, Any]) -> Iterable[_Wrong]:
    """Faults of some changed settings, each once, at their keys if they are the faults of one parameter."""
    arms, keys = claim.tested_arms, list(claim.setup)
    words = {word: split(word) for word in changes}
    wrong = False
    for word, (arm, key) in words.items():
        if arm is not None and arm not in arms:
            wrong = True
            yield (*place, word), partial(unknown, arm, arms)
        elif key not in keys:
            wrong = True
            yield (*place, word), partial(unknown, key, keys)
    found: _Errors = {}
    for arm in () if wrong else arms:
        found |= _errors(params, arm_values(claim, arm, changes, quick=False))
    for (where, *_), detail in found.items():
        named = next((word for word, (_, key) in words.items() if where and key == where[0]), None)
        yield place if named is None else (*place, named), partial(_in_words, params, detail)


def _changes_nothing(claim: Claim, place: Place, changes: Mapping[str, Any]) -> Iterable[_Wrong]:
    """Changed settings that leave every tested arm as it is; an audit with them would say nothing."""
    if not changes and place[1] == "harmless":
        yield place, partial(Fault, expected="at least one setting with another value", found="none")
    for word in changes:
        others = {key: value for key, value in changes.items() if key != word}
        arms = claim.tested_arms
        if all(arm_values(claim, arm, changes, False) == arm_values(claim, arm, others, False) for arm in arms):
            expected = "another value than the tested arms have"
            yield (*place, word), partial(Fault, expected=expected, found=shown(changes[word]))
