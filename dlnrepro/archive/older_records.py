"""The conversion of records of versions 1 and 2 to version 3.

* Version 2 added `variation` and `computed_on`. A record of version 1 has every parameter of every arm and every seed,
  so the variation follows from them; one environment, that of the report's provenance, computed all of its numbers.
* Version 3 has another rule for verdicts. Its criteria have `runs` in place of `misses`, and the label `fixed-seeds`
  marks a number of runs that was asked for. The verdicts of older records are computed again by the new rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic_core import from_json

from dlnrepro.archive.provenance import Provenance
from dlnrepro.claimfile.schema import Claim
from dlnrepro.compute.arithmetic import UNKNOWN, Environment
from dlnrepro.compute.device import Device
from dlnrepro.compute.variation import Variation, overrides_behind
from dlnrepro.verdict.outcome import Outcome

_VERSION_3 = re.compile(rb'\s*\{\s*"schema"\s*:\s*3\s*,')
"""The usual beginning of a text of version 3; such a text need not be read twice."""


def of_older_version(text: bytes) -> tuple[int, dict[str, Any]] | None:
    """The version of an older report and its contents in the form of version 3; None for other texts."""
    if _VERSION_3.match(text):
        return None
    try:
        found = from_json(text)
    except ValueError:
        return None
    if not isinstance(found, dict) or found.get("schema") not in (1, 2) or isinstance(found["schema"], bool | float):
        return None
    version, claims = int(found["schema"]), found.get("claims")
    if isinstance(claims, list):
        claims = [_converted(record, version) if isinstance(record, dict) else record for record in claims]
    return version, {**found, "schema": 3, "claims": claims}


def _converted(record: dict[str, Any], version: int) -> dict[str, Any]:
    """A claim's record in the form of version 3, without what is computed again from its numbers."""
    converted = {**record, "assumptions": [], "criteria": []}
    if version == 1:
        converted |= {"variation": {}, "computed_on": {}}
    claim = record.get("claim")
    if isinstance(claim, dict) and isinstance(criteria := claim.get("criteria"), list):
        kept = [
            {key: value for key, value in item.items() if key != "misses"} if isinstance(item, dict) else item
            for item in criteria
        ]
        converted["claim"] = {**claim, "criteria": kept}
    return converted


def recorded_environment(provenance: Provenance) -> Environment:
    """The environment that computed the numbers of a report of version 1, as far as its provenance says."""
    return Environment(
        provenance.get("device", "cpu"),
        provenance.get("processor", UNKNOWN),
        provenance.get("arithmetic", UNKNOWN),
        provenance.get("versions", {}),
    )


def recorded_variation(
    claim: Claim,
    outcomes: Mapping[str, Outcome],
    params: Mapping[str, Mapping[str, Any]],
    stamps: Iterable[str],
    device: Device,
) -> Variation:
    """The variation in which a claim was run, from the arms in its record of version 1."""
    seeds = next((outcome.seeds for outcome in outcomes.values() if outcome.seeds), ())
    labels = set(stamps)
    quick = "toy" in labels
    overrides = overrides_behind(claim, params, quick)
    own = claim.quick.seeds if quick else claim.seeds
    count = None if len(seeds) in (0, own) else len(seeds)
    found = Variation(count, min(seeds, default=0), overrides, quick, "no-controls" not in labels, device)
    return found.of(claim)
