"""A commented claim file to start from: the settings of an existing claim of the same runner, explained."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from dlnrepro.atomic import write_whole
from dlnrepro.catalogue import claim_paths, packaged
from dlnrepro.claim import Claim, Criterion
from dlnrepro.document import suggestion
from dlnrepro.errors import UsageError
from dlnrepro.loader import claims_at, read_claim
from dlnrepro.runner import Runner, load_runner, runner_names

_ID = re.compile(r"[a-z0-9][a-z0-9-]*")

_HEAD = """\
# A claim: one published statement. See the README, "Adding a claim"; hold this file against its rules with
#   dlnrepro check {path}
# Everything below comes from {model} and is valid as it stands: replace it line by line.
schema: 1
title: A sentence that says what happens
statement: >
  What the paper states, in your own words, such that its authors would sign it.
source:
  paper: Title of the paper
  authors: [First Author, Second Author]
  venue: Conference or journal, year
  # arxiv: "1234.56789"
  where: theorem, equation, section or abstract, as far as you read it
  basis: derived            # theorem | abstract | derived: how the criteria follow from the source
tags: [draft]
runner: {runner}
seeds: 16                   # runs per arm: seeds 0..15, the same in every arm

# Every parameter of the runner, none left out.
setup:
{setup}

# The setup with a few named changes. A control changes one thing that the theorem needs.
arms:
{arms}

# Measures of {runner} (one number a run):
{measures}
# Series (a row of numbers a run, for figures):
{series}

# Hypotheses of the theorem, measured on every run, such as:
#   - {{measure: ..., holds_in: [...], above: 0, says: the data are separable}}
assumptions: []

# One measure, one interval (one or two of above, below, at_least, at_most; or equals with within), the arms it must
# hold in, and the controls it must fail in. Write the threshold down, with its reason, before the first run.
criteria:
{criterion}

# The toy profile: a first look in seconds, and what the tests run.
quick: {{seeds: 2, setup: {quick}}}
"""


def write_scaffold(name: str, runner: str, folder: Path) -> Path:
    """Write a new claim file and return its path.

    Raises:
        UsageError: the name is no id or is taken, the runner is unknown, or the folder cannot be written.
    """
    path = folder / f"{name}.yaml"
    if not _ID.fullmatch(name):
        raise UsageError(f"{name}: expected an id of small letters, digits and hyphens, such as my-claim")
    if runner not in (known := runner_names()):
        raise UsageError(f"--runner: expected one of {', '.join(known)}, found '{runner}'{suggestion(runner, known)}")
    if path.exists():
        raise UsageError(f"{path}: expected a new file, found one already there")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: expected a folder that can be made, found: {error.strerror}") from None
    write_whole(path, _scaffold(_model_claim(runner), load_runner(runner), path).encode())
    return path


def _model_claim(runner: str) -> Claim:
    """A packaged claim of the runner, or else one of ./claims, for settings that are known to work."""
    at_home: list[str] = []
    for names in ([str(packaged())], at_home):
        for claim, _ in claims_at(claim_paths(names), read_claim):
            if claim.runner == runner:
                return claim
    raise UsageError(f"--runner {runner}: expected a runner with a claim to copy settings from, found none")


def _scaffold(claim: Claim, runner: Runner, path: Path) -> str:
    """The text of the new file."""
    criterion = claim.criteria[0]
    arms = [*criterion.holds_in, *criterion.fails_in]
    fields = runner.Params.model_fields
    setup = [f"  # {fields[key].description or key}\n  {key}: {_yaml(value)}" for key, value in claim.setup.items()]
    return _HEAD.format(
        path=path,
        model=claim.id,
        runner=claim.runner,
        setup="\n".join(setup),
        arms="\n".join(f"  {arm}: {_yaml(changes)}" for arm, changes in claim.arms.items() if arm in arms),
        measures="\n".join(f"#   {name}: {says}" for name, says in runner.MEASURES.items()),
        series="\n".join(f"#   {name} (along {series.axis}): {series.says}" for name, series in runner.SERIES.items()),
        criterion=_criterion(criterion),
        quick=_yaml(claim.quick.setup),
    )


def _criterion(criterion: Criterion) -> str:
    """The criterion as an item of a list; its reasons are left for the author to write."""
    values = criterion.model_dump(exclude_none=True, exclude={"why", "says", "misses"})
    lines = [f"{key}: {_yaml(list(value) if isinstance(value, tuple) else value)}" for key, value in values.items()]
    lines += ["says: what this measure shows, in a sentence", "why: where the threshold comes from"]
    return "  - " + "\n    ".join(lines)


def _yaml(value: Any) -> str:
    """A value in one line; JSON is YAML."""
    return json.dumps(value)
