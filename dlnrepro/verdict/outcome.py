"""The outcome of one arm, from which it is judged: its measures, or the reason why there are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

BATCH = 16
"""How many runs of an arm are made before its first decision, and before each later one."""

LARGEST_SEED = 2**63 - 1
"""The largest number that a generator takes as its seed."""

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A time that can be shown and added up; a record with another value is refused."""


@dataclass(frozen=True)
class Outcome:
    """The measured numbers of one arm, or the reason why there are none.

    Attributes:
        seeds: one seed per run.
        measures: name -> one number per run; NaN or None for a run without a number.
        fault: the sentence of the error because of which the arm has no numbers, or None.
        spent: whether the arm was stopped because its budget was used up.
        seconds: the computing time of the arm.
    """

    seeds: tuple[int, ...]
    measures: Mapping[str, Sequence[float | None]]
    fault: str | None = None
    spent: bool = False
    seconds: Seconds = 0.0
