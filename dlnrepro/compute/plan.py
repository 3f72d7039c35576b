"""From a claim and a variation to cells: the arms, parameters and seeds that are needed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from dlnrepro.claimfile.document import dotted
from dlnrepro.claimfile.loader import data_faults, needed_memory
from dlnrepro.claimfile.parameters import parameter_faults, resolved
from dlnrepro.claimfile.reach import Reach, arm_values, reach, split
from dlnrepro.claimfile.schema import Claim
from dlnrepro.claimfile.thresholds import faults_in, measures_of, tests_in
from dlnrepro.compute.cell import Cell
from dlnrepro.compute.device import Device, free_memory, require
from dlnrepro.compute.variation import Variation
from dlnrepro.errors import Fault, UsageError, shortened, unknown
from dlnrepro.registry.inputs import contents, missing_files, placed
from dlnrepro.registry.names import load_runner
from dlnrepro.runner import calling_of, declared
from dlnrepro.verdict.outcome import BATCH, LARGEST_SEED
from dlnrepro.visible import on_one_line


def plan(claim: Claim, variation: Variation) -> list[Cell]:
    """The cells that a variation of a claim asks for, in the order of the claim's arms.

    Raises:
        UsageError: an override does not name a parameter, has a wrong type, or changes nothing; a seed is out of
            range; the device does not exist; or a cell would need more memory than is free.
    """
    require(variation.device)
    runner = load_runner(claim.located_runner)
    params = runner.Params
    _overrides_apply(claim, variation, params)
    count = variation.batch(claim) if calling_of(runner).draws else variation.seeds or 1
    if variation.seed_base + count - 1 > LARGEST_SEED:
        raise UsageError(f"--seed-base: expected at most {LARGEST_SEED - count + 1}, found {variation.seed_base}")
    if not calling_of(runner).draws and count != 1:
        found = (
            f"--seeds: {claim.id}: expected 1, since the runner '{claim.runner}' draws nothing at random, found {count}"
        )
        raise UsageError(found)
    seeds = tuple(range(variation.seed_base, variation.seed_base + count))
    most = count if variation.fixed or not calling_of(runner).draws else max(count, BATCH)
    cells = []
    for arm in variation.arms(claim):
        values = resolved(params, arm_values(claim, arm, variation.overrides, variation.quick)).values
        valid = params.model_validate(values)
        _thresholds_have_values(claim, arm, values, measures_of(claim, declared(runner, valid)))
        _files_exist(claim, arm, valid)
        needed = _fitting_memory(claim, arm, placed(valid, claim.folder), most, variation.device)
        alone = calling_of(runner).one_by_one
        name, memory = claim.located_runner, needed * count // most
        files = contents(valid, claim.folder)
        cell = Cell(claim.id, arm, name, values, seeds, variation.device, memory, one_by_one=alone)
        cells.append(replace(cell, folder=claim.folder, contents=files))
    return cells


def _files_exist(claim: Claim, arm: str, params: BaseModel) -> None:
    """Refuse an arm whose settings name a file that does not exist, or that has no data for them."""
    wrong = missing_files(params, claim.folder)
    wrong = wrong or [((key,), fault) for key, fault in data_faults(placed(params, claim.folder))]
    if wrong:
        lines = [f"{claim.id}: arm {arm}: {dotted(place)}: {fault.wording}" for place, fault in wrong]
        raise UsageError(*map(on_one_line, lines))


def _overrides_apply(claim: Claim, variation: Variation, params: type[BaseModel]) -> None:
    """Refuse overrides that name no arm or no parameter, give a value that is not admitted, or change nothing."""
    reached = reach(claim, variation.overrides, variation.arms(claim))
    own, common = _faults_of_arms(claim, variation, params, reached)
    lines = []
    for found in reached:
        if (fault := _fault_of(found, claim, params)) is not None:
            lines.append(f"-s {shortened(found.word)}: {claim.id}: {fault.wording}")
        lines += own.get(found.word, [])
    if lines or common:
        raise UsageError(*map(on_one_line, [*lines, *common]))


def _fault_of(found: Reach, claim: Claim, params: type[BaseModel]) -> Fault | None:
    """The fault of an override that applies to no arm, or None."""
    arm, key = split(found.word)
    if arm is not None and arm not in claim.used_arms:
        fault = unknown(arm, claim.used_arms)
        return replace(fault, expected=f"{fault.expected} before the dot")
    if arm is not None and not found.reached:
        return Fault(expected="an arm that is run", found=f"the control '{arm}' with --no-controls")
    if not found.reached:
        # The fault of a value helps more than the message that no arm uses the value.
        wrong = [
            fault for place, fault in parameter_faults(params, {**claim.settings, key: found.value}) if place == (key,)
        ]
        hint = f"; -s ARM.{key}=... applies to one arm"
        expected = "a parameter that at least one arm does not set itself"
        return wrong[0] if wrong else Fault(expected=expected, found=f"that every arm sets it{hint}")
    return None


def _faults_of_arms(
    claim: Claim, variation: Variation, params: type[BaseModel], reached: Sequence[Reach]
) -> tuple[dict[str, list[str]], list[str]]:
    """The faults in the parameters of the arms that are run.

    Returns:
        The text of an override -> a line for each fault in its parameter; and a line for each fault in another
        parameter, which names all overrides that apply to the arm.
    """
    found: dict[tuple[str, str, str], list[str]] = {}
    for arm in variation.arms(claim):
        mine = {item.key: item for item in reached if arm in item.reached}
        for place, fault in parameter_faults(params, arm_values(claim, arm, variation.overrides, variation.quick)):
            item = mine.get(str(place[0])) if place else None
            given = ", ".join(f"-s {shortened(one.word)}" for one in ([item] if item else mine.values()))
            key = "" if item and len(place) == 1 else dotted(place)
            text = ": ".join(filter(None, (key, fault.wording)))
            found.setdefault((item.word if item else "", given, text), []).append(arm)
    lines: dict[str, list[str]] = {}
    everywhere = {"": len(variation.arms(claim)), **{item.word: len(item.reached) for item in reached}}
    for (word, given, text), arms in found.items():
        where = "" if len(arms) == everywhere[word] else f"arm{'s' * (len(arms) > 1)} {', '.join(arms)}"
        lines.setdefault(word, []).append(": ".join(filter(None, (given, claim.id, where, text))))
    common = lines.pop("", [])
    return lines, common


def _thresholds_have_values(claim: Claim, arm: str, values: Mapping[str, Any], measures: Collection[str]) -> None:
    """Refuse an arm in which a threshold that is a formula has no value, or an interval is empty."""
    lines = [
        f"{claim.id}: arm {arm}: the threshold of {name}: {key}: {fault.wording}"
        for name, item in tests_in(claim, arm)
        for key, fault in faults_in(item, values, measures)
    ]
    if lines:
        raise UsageError(*map(on_one_line, lines))


def _fitting_memory(claim: Claim, arm: str, params: Any, runs: int, device: Device) -> int:
    """The bytes that a cell needs by its own estimate, which must not exceed the memory that is free."""
    needed, free = needed_memory(claim.runner, params, runs), free_memory(device)
    if needed > free:
        sizes = f"{needed / 1e9:,.1f} GB for {runs} runs, found {free / 1e9:,.1f} GB free"
        raise UsageError(f"{claim.id}: arm {arm}: expected a setting that fits in memory; it needs {sizes}")
    return needed
