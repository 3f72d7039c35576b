"""What one arm gives to be judged: its measures, or why there are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

LARGEST_SEED = 2**63 - 1
"""The largest number that a generator takes as its seed."""

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A time that can be shown and added up; a record with any other is refused."""


@dataclass(frozen=True)
class Outcome:
    """The measured numbers of one arm, or why there are none.

    Attributes:
        seeds: one per run.
        measures: name -> one number per run; NaN or None where there is none.
        fault: the sentence of an error that kept the arm from giving numbers, or None.
        spent: whether the arm was stopped because its time was up.
        seconds: how long it took.
    """

    seeds: tuple[int, ...]
    measures: Mapping[str, Sequence[float | None]]
    fault: str | None = None
    spent: bool = False
    seconds: Seconds = 0.0
