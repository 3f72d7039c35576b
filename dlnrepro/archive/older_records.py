"""The conversion of a record of version 1 to version 2. Version 1 gives the variation of a claim only indirectly.

Version 2 added `variation` and `computed_on`. A record of version 1 has every parameter of every arm and every seed, so
the variation follows from them; one environment, that of the report's provenance, computed all of its numbers.
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

_VERSION_2 = re.compile(rb'\s*\{\s*"schema"\s*:\s*2\s*,')
"""The usual beginning of a text of version 2; such a text need not be read twice."""


def of_version_1(text: bytes) -> dict[str, Any] | None:
    """The contents of a report of version 1 in the form of version 2, before it is completed; None for other texts."""
    if _VERSION_2.match(text):
        return None
    try:
        found = from_json(text)
    except ValueError:
        return None
    if not isinstance(found, dict) or found.get("schema") != 1 or isinstance(found["schema"], bool | float):
        return None
    claims = found.get("claims")
    if isinstance(claims, list):
        claims = [
            {**record, "variation": {}, "computed_on": {}} if isinstance(record, dict) else record for record in claims
        ]
    return {**found, "schema": 2, "claims": claims}


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
    found = Variation(len(seeds) or None, min(seeds, default=0), overrides, quick, "no-controls" not in labels, device)
    return found.of(claim)
