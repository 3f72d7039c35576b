"""What a good claim has in addition to what a valid one must have: the rules of `dlnrepro check --strict`.

A claim that breaks these rules can still be run and judged. They say what a reader needs to trust its verdict: where
each threshold comes from, how the statement is tested, that each criterion can fail, that there are enough runs, and
which small errors each criterion notices.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from dlnrepro.claimfile.controls import differences, wrong_formulas
from dlnrepro.claimfile.document import Place, parse, read_text
from dlnrepro.claimfile.loader import load_claim, read_claim
from dlnrepro.claimfile.messages import shown
from dlnrepro.claimfile.schema import Claim
from dlnrepro.errors import ClaimError, Fault
from dlnrepro.registry.functions.reference import is_function
from dlnrepro.registry.names import load_runner
from dlnrepro.runner import calling_of

LEAST_RUNS = 16
"""The smallest number of runs per arm."""

KINDS = ("theory: ", "derived: ", "pilot: ")
"""The word with which a reason begins: the source's theory, our own derivation, or trial runs before the report."""

MOST_SLACK = 1000.0
"""The largest factor between a threshold and the worst run that needs no reason."""

Slacks = Mapping[str, float | None]
"""The id of a criterion -> the factor between its threshold and the worst run, as far as stored numbers give it."""

_BEGINNING = "that begins with 'theory: ', 'derived: ' or 'pilot: '"

_Found = Iterator[tuple[Place, Fault]]


@dataclass(frozen=True)
class Rule:
    """A rule of policy.

    Attributes:
        name: the word by which its faults name the rule.
        says: the requirement, in a sentence.
        faults: the function that gives each fault of a claim and its place.
    """

    name: str
    says: str
    faults: Callable[[Claim, Slacks], _Found]


def _nothing(claim: Claim) -> Slacks:  # noqa: ARG001  as the others
    """No factor of any criterion, where no numbers are stored."""
    return {}


def load_strictly(path: Path, slacks: Callable[[Claim], Slacks] = _nothing) -> Claim:
    """The claim in a file, checked against the rules of policy too.

    Args:
        path: the file.
        slacks: gives the factors between thresholds and worst runs, from numbers that are stored.

    Raises:
        ClaimError: with every fault of the file, those that make it invalid and those against policy.
    """
    faults: list[Fault] = []
    claim = None
    try:
        claim = load_claim(path)
    except ClaimError as error:
        faults += error.faults
    # If the file does not fit the schema, there is no claim to which a rule could be applied.
    with suppress(ClaimError):
        valid = read_claim(path)
        faults += policy_faults(valid, path, slacks(valid))
    if faults or claim is None:
        raise ClaimError(sorted(faults, key=lambda fault: (fault.line, fault.column)))
    return claim


def policy_faults(claim: Claim, path: Path, slacks: Slacks) -> list[Fault]:
    """The faults of a valid claim against the rules of policy, in the order of its file."""
    text = read_text(path)
    if isinstance(text, Fault):
        return [text.at(path)]
    document = parse(text)
    faults = [
        replace(document.placed(place, fault), path=str(path), rule=rule.name)
        for rule in RULES
        for place, fault in rule.faults(claim, slacks)
    ]
    return sorted(faults, key=lambda fault: (fault.line, fault.column))


def _without_reason(claim: Claim) -> _Found:
    """Criteria without a reason for their threshold, and reasons that do not begin with their kind."""
    named = [("assumptions", claim.assumptions), ("criteria", claim.criteria)]
    for key, index, why in [(key, index, item.why) for key, items in named for index, item in enumerate(items)]:
        if why is None and key == "criteria":
            yield (key, index, "why"), Fault(expected=f"the reason of the threshold, {_BEGINNING}", found="none")
        elif why is not None and not why.lstrip().startswith(KINDS):
            yield (key, index, "why"), Fault(expected=f"a reason {_BEGINNING}", found=shown(" ".join(why.split())))


def _without_experiment(claim: Claim) -> _Found:
    """Claims that do not say how they test their statement."""
    if claim.experiment is None:
        expected = "how the statement is tested, and what each run draws at random"
        yield ("experiment",), Fault(expected=expected, found="none")


def _without_covers(claim: Claim) -> _Found:
    """Claims that do not say how much of their source they test."""
    if claim.covers is None and claim.source.kind != "own":
        expected = "how much of the source's statement is tested: {what: whole | part | special case, says: ...}"
        yield ("covers",), Fault(expected=expected, found="none")


def _without_independent_route(claim: Claim) -> _Found:
    """Claims that do not say which route to their number is independent of the formula."""
    if claim.independent is None:
        expected = "the route to the decisive number that shares no code with the formula it is held to"
        yield ("independent",), Fault(expected=expected, found="none")


def _without_control(claim: Claim) -> _Found:
    """Criteria without an arm that has to fail them and that breaks a hypothesis.

    Two routes to one number agree whatever the hypotheses are. Then a planted flaw shows that the criterion can fail.
    """
    planted = {name for flawed in claim.audit.flaws.values() if flawed.plant is not None for name in flawed.breaks}
    for index, criterion in enumerate(claim.criteria):
        if not criterion.fails_in and criterion.id not in planted:
            expected = "at least one control, or a planted flaw in `audit` that breaks it"
            yield ("criteria", index, "fails_in"), Fault(expected=expected, found="none")
        elif criterion.fails_in and wrong_formulas(claim, criterion) == {*criterion.fails_in}:
            found = f"only wrong formulas: {', '.join(criterion.fails_in)}"
            yield ("criteria", index, "fails_in"), Fault(expected="a control that breaks a hypothesis", found=found)


def _several_settings(claim: Claim) -> _Found:
    """Controls that change several settings and do not say which hypothesis they break."""
    wide = {item.control: item for _, item in differences(claim) if len(item.settings) > 1}
    for control, item in wide.items():
        if control not in claim.controls:
            found = f"none, and {control} differs from {item.arm} in {', '.join(item.settings)}"
            expected = "the one hypothesis that the control breaks, in `controls`"
            yield ("arms", control), Fault(expected=expected, found=found)


def _same_control(claim: Claim) -> _Found:
    """Criteria that must hold and must fail with the very same parameters."""
    values = {arm: {**claim.setup, **changes} for arm, changes in claim.arms.items()}
    for index, criterion in enumerate(claim.criteria):
        for control in criterion.fails_in:
            for arm in criterion.holds_in:
                if values[control] == values[arm]:
                    expected = f"a control with other parameters than the arm '{arm}'"
                    yield ("criteria", index, "fails_in"), Fault(expected=expected, found=f"'{control}' with the same")


def _few_runs(claim: Claim) -> _Found:
    """Claims with too few runs."""
    if claim.seeds < LEAST_RUNS and _draws(claim):
        yield ("seeds",), Fault(expected=f"at least {LEAST_RUNS} runs for each arm", found=str(claim.seeds))


def _slow_profile(claim: Claim) -> _Found:
    """Claims whose quick profile has no fewer runs than the claim."""
    if claim.quick.seeds >= claim.seeds and _draws(claim):
        expected = f"fewer runs than the {claim.seeds} of the claim"
        yield ("quick", "seeds"), Fault(expected=expected, found=str(claim.quick.seeds))


def _draws(claim: Claim) -> bool:
    """Whether the runner of a claim draws anything at random; one run shows everything if it does not."""
    return claim.seeds > 1 or is_function(claim.runner) or calling_of(load_runner(claim.located_runner)).draws


def _without_flaw(claim: Claim) -> _Found:
    """Criteria of which no flaw of the audit says that they notice it."""
    noticed = {name for flawed in claim.audit.flaws.values() for name in flawed.breaks}
    for index, criterion in enumerate(claim.criteria):
        if criterion.id not in noticed:
            expected = "a flaw in `audit` whose `breaks` names this criterion"
            yield ("criteria", index, "id"), Fault(expected=expected, found="none")


def _loose(claim: Claim, slacks: Slacks) -> _Found:
    """Criteria whose threshold is very far from every run, without a reason."""
    for index, criterion in enumerate(claim.criteria):
        factor = slacks.get(criterion.id)
        if factor is not None and factor > MOST_SLACK and criterion.slack is None:
            expected = f"why the threshold is more than {MOST_SLACK:,.0f} times as far out as the worst run"
            times = f"{factor:.1e} times" if math.isfinite(factor) else "infinitely often"
            yield ("criteria", index, "slack"), Fault(expected=expected, found=f"no reason for {times}")


def _by_the_file(faults: Callable[[Claim], _Found]) -> Callable[[Claim, Slacks], _Found]:
    """The faults against a rule that needs the claim alone."""
    return lambda claim, _: faults(claim)


RULES = (
    Rule(
        "covers",
        "The claim says in `covers` how much of the source's statement it tests.",
        _by_the_file(_without_covers),
    ),
    Rule(
        "independent",
        "The claim says in `independent` which route to its decisive number shares no code with the formula.",
        _by_the_file(_without_independent_route),
    ),
    Rule(
        "reason",
        "Each criterion says in `why` where its threshold comes from, and begins with `theory:`, `derived:` or "
        "`pilot:`.",
        _by_the_file(_without_reason),
    ),
    Rule(
        "slack",
        "A criterion says in `slack` why its threshold is more than 1,000 times as far out as the worst run in "
        "`reference/` of the folder of outputs.",
        _loose,
    ),
    Rule(
        "experiment", "The claim says in `experiment` how its statement is tested.", _by_the_file(_without_experiment)
    ),
    Rule(
        "control",
        "Each criterion has a control in `fails_in`, in which it must fail, and which is not only a wrong formula. A "
        "criterion that compares two routes to one number may have a planted flaw in `audit` instead, and a `because`.",
        _by_the_file(_without_control),
    ),
    Rule("other-control", "A control has other parameters than the arms that must hold.", _by_the_file(_same_control)),
    Rule(
        "hypothesis",
        "A control that differs from the nearest arm that must hold in several settings (without those named `law` or "
        "`law_...`) says in `controls` which hypothesis it breaks.",
        _by_the_file(_several_settings),
    ),
    Rule("runs", f"Each arm has at least {LEAST_RUNS} runs.", _by_the_file(_few_runs)),
    Rule("quick", "The quick profile has fewer runs than the claim.", _by_the_file(_slow_profile)),
    Rule(
        "audit",
        "Each criterion is named in the `breaks` of a flaw in `audit`, which it must notice.",
        _by_the_file(_without_flaw),
    ),
)
"""The rules, in the order in which the help lists them."""
