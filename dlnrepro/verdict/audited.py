"""The results of an audit: of each criterion in each arm, and of each change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from dlnrepro.verdict.check import Quantifier
from dlnrepro.verdict.distances import Unit
from dlnrepro.verdict.judge import Word
from dlnrepro.verdict.rule import Decision
from dlnrepro.verdict.sharpness import (
    Resolution,
    Scale,
    Threshold,
)

Status = Literal["holds", "broken", "noticed", "in doubt", "left out", "undecided", "passed", "no effect", "error"]
"""How a criterion comes out under a change.

Under a harmless change: `holds`, `broken` or `undecided`. With a flaw: `noticed` if it is broken, or if the
runner has found that two routes to one number disagree; `in doubt` if it is
not decided after the largest number of runs, though they have numbers; `left out` if an assumption is not met any more;
`undecided` if too few runs have a number, which shows nothing; `passed` if it still holds; `no effect` if the flaw
changes no number of its measure. `error` stands for an arm with an error.
"""

GOOD_STATUS = ("holds", "noticed", "in doubt", "left out")


@dataclass(frozen=True)
class ArmChances:
    """With which probabilities an arm holds, is broken, or is undecided."""

    holds: float
    broken: float
    undecided: float


@dataclass(frozen=True)
class ArmAudit:
    """One arm or control of a criterion on fresh seeds.

    Attributes:
        runs: how many runs were made.
        passing: the runs that are as they must be: inside, or in a control outside.
        counted: the runs with a number that meet the assumptions.
        share_low, share_high: the exact 95 % interval of the share of such runs.
        quantiles: of the counted runs: smallest, 5 %, 25 %, median, 75 %, 95 %, largest; nothing without such runs.
        estimated, pessimistic: what the rule decides if the share is the one found, or the lower end of its interval;
            None without counted runs.
        values: the numbers of the counted runs; left out of the stored table of audits.
        thresholds: only if some threshold is a formula: each key of the interval -> its number in each counted run;
            left out of the stored table too.
    """

    arm: str
    runs: int
    passing: int
    counted: int
    share_low: float
    share_high: float
    decision: Decision
    control: bool = False
    undecided: int = 0
    left_out: int = 0
    share: float | None = None
    quantiles: tuple[float, ...] = ()
    estimated: ArmChances | None = None
    pessimistic: ArmChances | None = None
    values: tuple[float, ...] = ()
    thresholds: dict[str, tuple[float | None, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class CriterionAudit:
    """A criterion, or an assumption, on fresh seeds.

    Attributes:
        interval: the keys of the claim file that give the interval, each with its number or its formula.
        runs: which draws it speaks of.
        why: the reason of its threshold, as the claim file gives it.
        scale: how its values are compared.
        unit: the unit in which runs are compared: the measure's own, or, if their thresholds differ, relative to the
            thresholds (`dlnrepro.verdict.distances`).
        spread: the interquartile range of the arm with the worst run, in this unit or in decades.
        worst: the run that lies furthest outside the interval, or nearest to its end; and the arm it belongs to.
        nearest: the control run that is nearest to it; and its control.
        gap: the distance between the two in units of the spread; None without controls, or if the spread is 0.
        worst_place, nearest_place: where the two runs lie relative to their own thresholds; None if these are equal.
        thresholds: which thresholds would give the same decisions, in this unit.
        resolution: the smallest changes of the measure that it notices, in this unit, if its interval has two ends.
        theory_allows: the loosest threshold that theory implies, if the claim file gives it: its number or its formula.
        theory: the threshold and theory's threshold in the arms; if they are formulas whose ratio (or difference)
            differs between runs, in the run where it is smallest and in the run where it is largest.
        like_controls: the largest probability with which the criterion would hold in an arm whose runs lie inside as
            often as those of one of its controls (the upper end of the interval of that share); None without controls.
    """

    id: str
    assumption: bool
    says: str
    measure: str
    interval: dict[str, float | str]
    interval_text: str
    runs: Quantifier
    why: str | None
    scale: Scale
    spread: float
    worst: float | None
    worst_arm: str | None
    nearest: float | None
    nearest_control: str | None
    gap: float | None
    thresholds: tuple[Threshold, ...]
    resolution: Resolution | None
    theory_allows: float | str | None
    like_controls: float | None
    arms: tuple[ArmAudit, ...]
    controls: tuple[ArmAudit, ...]
    unit: Unit = "measure"
    worst_place: float | None = None
    nearest_place: float | None = None
    theory: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class ArmUnderChange:
    """One arm of a criterion under a change."""

    arm: str
    inside: int
    counted: int
    decision: Decision
    undecided: int = 0
    left_out: int = 0


@dataclass(frozen=True)
class Response:
    """How one criterion, or one assumption, comes out under a change."""

    criterion: str
    status: Status
    arms: tuple[ArmUnderChange, ...]


@dataclass(frozen=True)
class ChangeAudit:
    """A harmless change, or a flaw, with the criteria that it is tried on.

    Attributes:
        says: what is changed, or what is false then.
        settings: the changed settings.
        plant: the flaw of the runner that is planted, if there is one.
        runs: the number of runs of all arms together.
        fault: the error of an arm, if there is one.
    """

    name: str
    kind: Literal["harmless", "flaw"]
    says: str
    settings: dict[str, Any]
    plant: str | None
    runs: int
    responses: tuple[Response, ...]
    fault: str | None = None


@dataclass(frozen=True)
class Wrong:
    """The chances that a complete run of the claim ends wrongly; sums over arms, so each is an upper bound.

    Attributes:
        not_reproduced: the chance of a false "not reproduced".
        undecided: the chance of a false "inconclusive".
    """

    not_reproduced: float
    undecided: float


@dataclass(frozen=True)
class Audited:
    """All results of an audit of a claim.

    Attributes:
        verdict, because: the verdict on all runs on fresh seeds.
        expect: the verdict that the claim file expects.
        estimated, pessimistic: the chances of a wrong verdict if the shares are those found, or the lower ends of their
            intervals; None if the claim is expected to fail, or if an arm has no numbers.
        false_holds: the chance that a criterion holds in an arm in which 80 % of all possible runs satisfy it: the
            largest chance of a false "reproduced" under the rule.
        untested: the criteria that no flaw names.
        findings: what is not as it should be, each in a sentence.
    """

    verdict: Word
    because: str
    expect: str
    criteria: tuple[CriterionAudit, ...]
    changes: tuple[ChangeAudit, ...]
    estimated: Wrong | None
    pessimistic: Wrong | None
    false_holds: float
    untested: tuple[str, ...]
    findings: tuple[str, ...]
