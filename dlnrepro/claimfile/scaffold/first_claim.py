"""A commented claim file to start from: settings that are known to work, or placeholders, each explained."""

from __future__ import annotations

import ast
import json
import keyword
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dlnrepro.claimfile.catalogue import packaged_folder
from dlnrepro.claimfile.gathering import gathered
from dlnrepro.claimfile.loader import LISTING, UNINSTALLED
from dlnrepro.claimfile.parameters import DECLARED, parameter_faults
from dlnrepro.claimfile.scaffold.first_function import CLAIM as FUNCTION_CLAIM
from dlnrepro.claimfile.scaffold.first_function import FUNCTION
from dlnrepro.claimfile.scaffold.first_network import NETWORK, first_network
from dlnrepro.claimfile.scaffold.first_runner import CLAIM, PACKAGE, RUNNER
from dlnrepro.claimfile.scaffold.placeholders import another, placeholders
from dlnrepro.claimfile.schema import Claim
from dlnrepro.errors import UsageError, unknown
from dlnrepro.files import reason, write_whole
from dlnrepro.registry.names import load_runner, runner_names
from dlnrepro.runner import Runner, calling_of, declared
from dlnrepro.settings.numerals import numeral
from dlnrepro.visible import on_one_line

SCHEMA = Path("outputs", "claim.schema.json")
"""The file for the schema that the first line of a claim names; `dlnrepro schema -o` writes it."""

_ID = re.compile(r"[a-z0-9][a-z0-9-]*")
_MODULE = re.compile(r"[a-z][a-z0-9_]*")

_HEAD = """\
# yaml-language-server: $schema={schema}
#
# A claim: one published statement. See the README, "Adding a claim". This command checks the file:
#   dlnrepro check {path}
# {origin}
schema: 1
title: A sentence that says what happens
statement: >
  What the paper states, in your own words, such that its authors would sign it. Define every symbol.
experiment: >
  How the statement is tested, in 2 to 4 sentences: network (depth, widths), data, loss, initialization, training
  (gradient flow or descent, step size), and what each run draws at random.
covers:
  what: part                # whole | part | special case: of the statement of the source
  says: What of the source's statement is tested, and what is not.
independent: The route to the decisive number that shares no code with the formula it is held to.
source:
  paper: Title of the paper
  authors: [First Author, Second Author]
  venue: Conference or journal, year
  # arxiv: "1234.56789"
  where: theorem, equation, section or abstract, as far as you read it
  basis: derived            # theorem | reported | abstract | derived: how the criteria follow from the source
tags: [draft]
runner: {runner}
{seeds}

# Every parameter of the runner, none left out.
setup:
{setup}

# The setup with a few named changes. A control changes one thing that the theorem needs. An arm that changes only
# settings named `law` or `law_...` is a wrong formula, and a criterion needs another control too.
arms:
{arms}

# The hypothesis that a control breaks, needed for a control that changes several settings, such as:
#   large-start: The initialization is not small, and so a smaller step size is needed.
controls:{controls}

# Measures of {runner} (one number per run):
{measures}
# Series (one row of numbers per run, for figures):
{series}

# Hypotheses of the theorem, measured on every run, such as:
#   - {{measure: ..., holds_in: [...], above: 0, says: the data are separable}}
assumptions: []

# One measure, one interval (one or two of above, below, at_least, at_most; or equals with within), the arms it must
# hold in, and the controls it must fail in. Write the threshold down before the first run, and its reason in `why`: one
# sentence that begins with `theory:`, `derived:` or `pilot:`. What you change after the first run, say in `history`.
# Add `runs: every` if it must hold in every run, so that one run outside refutes it; the default is `almost all` runs.
# If the threshold is more than 1,000 times as far out as the worst run, `slack` says why.
# A threshold may be a formula of settings and measures, such as `at_most: 0.5 * strengths[2] / depth`, with + - * / **,
# brackets, list[1] (the first number of a list), and the functions in the README, "Formulas".
criteria:
{criterion}

# What `dlnrepro audit` changes: settings that must not matter, and small errors that some criteria must notice, such as
#   harmless: {{half-step: {{step_size: 0.005, steps: 8000}}}}
#   flaws:
#     other-law: {{says: "The target is 5 % too large.", settings: {{law_target: 1.05}}, breaks: [a-criterion]}}
# Every criterion needs an error that it notices. `plant: NAME`, in place of settings, plants an error of the runner.
audit: {{}}

# The quick profile: a reduced experiment for a first look in seconds, which the tests run too.
quick: {{seeds: {quick_seeds}, setup: {quick}}}
"""

_SEEDS = "seeds: 16                   # runs per arm: seeds 0..15, the same in every arm"
_ONE_SEED = "seeds: 1                    # the runner draws nothing, so that one run per arm shows everything"


@dataclass(frozen=True)
class _Start:
    """The first contents of a new claim.

    Attributes:
        origin: a sentence on where it comes from.
        guessed: whether the settings are placeholders.
        draws: whether the runner draws anything, so that runs differ.
    """

    origin: str
    setup: Mapping[str, Any]
    arms: Mapping[str, Any]
    criterion: Mapping[str, Any]
    quick: Mapping[str, Any]
    guessed: bool = False
    draws: bool = True
    controls: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Described:
    """The descriptions of a runner's parameters, measures and series."""

    params: Mapping[str, str]
    measures: Mapping[str, str]
    series: Mapping[str, str]


def write_scaffold(name: str, runner: str, folder: Path) -> Path:
    """Write a new claim file and return its path.

    Raises:
        UsageError: the name is not an id or is taken, the runner is not known, or the folder cannot be written.
    """
    path = _new_path(name, folder)
    if runner not in (known := runner_names()):
        fault = unknown(runner, known, LISTING)
        new = f"`dlnrepro new {name} --function` writes a function as a runner, and --with-runner NAME a package"
        hint = f"{UNINSTALLED}; {new}"
        raise UsageError(f"--runner: {replace(fault, found=f'{fault.found} ({hint})').wording}")
    module = load_runner(runner)
    fields = module.Params.model_fields
    if runner == NETWORK:
        settings = {key: field.description or key for key, field in fields.items() if key not in DECLARED}
        text = first_network(on_one_line(str(path)), _schema_from(path.parent), settings, vars(module)["QUANTITIES"])
        _write(path, text)
        return path
    described = _Described(
        {key: field.description or key for key, field in fields.items()},
        module.MEASURES,
        {name: f"(along {series.axis}): {series.says}" for name, series in module.SERIES.items()},
    )
    _write(path, _scaffold(path, runner, _start(runner, module), described))
    return path


def write_with_function(name: str, folder: Path) -> tuple[Path, Path]:
    """Write a function and the claim that it tests; return the two paths, the claim's first.

    Raises:
        UsageError: a name is taken or cannot be one, or a folder cannot be written.
    """
    path = _new_path(name, folder)
    stem = name.replace("-", "_")
    file = folder / f"{f'claim_{stem}' if stem[0].isdigit() or keyword.iskeyword(stem) else stem}.py"
    if os.path.lexists(file):
        raise UsageError(f"{file}: expected a new file, found one already there")
    _write(file, FUNCTION)
    shown = on_one_line(str(path))
    _write(path, FUNCTION_CLAIM.format(schema=_schema_from(path.parent), file=file.name, path=shown))
    return path, file


def write_with_runner(name: str, runner: str, folder: Path) -> tuple[Path, Path]:
    """Write a package with a runner of one file, and the claim that it tests; return the two paths, the claim's first.

    Raises:
        UsageError: a name is taken or cannot be one, or a folder cannot be written.
    """
    path = _new_path(name, folder)
    package = Path(runner)
    if not _MODULE.fullmatch(runner) or keyword.iskeyword(runner) or runner in sys.stdlib_module_names:
        raise UsageError(f"--with-runner: expected a name for a new Python module, such as my_runner, found '{runner}'")
    if runner in runner_names():
        raise UsageError(f"--with-runner: expected the name of a new runner, found '{runner}', which is known already")
    if _is_taken(runner):
        # An installed package of this name would be hidden, or be replaced by the new one.
        raise UsageError(
            f"--with-runner: expected the name of a new module, found '{runner}', which is installed already"
        )
    if package.exists() or package.is_symlink():
        raise UsageError(f"{package}: expected a new folder, found one already there")
    _write(package / f"{runner}.py", RUNNER)
    _write(package / "pyproject.toml", PACKAGE.format(runner=runner, package=runner.replace("_", "-")))
    origin = f"Everything below belongs to the runner in {package}, and is valid as it stands: replace it line by line."
    _write(path, _scaffold(path, runner, _Start(origin, **CLAIM), _described_in(RUNNER)))  # type: ignore[arg-type]
    return path, package


def _is_taken(module: str) -> bool:
    """Whether a module or a distribution of this name is installed; a mere folder of this name does not count."""
    spec = find_spec(module)
    return bool(list(distributions(name=module))) or (spec is not None and spec.origin is not None)


def _described_in(source: str) -> _Described:
    """The descriptions of parameters, measures and series in the text of a runner, which need not be installed."""
    params: dict[str, str] = {}
    said: dict[str, dict[str, str]] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and isinstance(node.value, ast.Call):
            words = {item.arg: item.value for item in node.value.keywords}
            params[node.target.id] = str(ast.literal_eval(words["description"]))
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict) and isinstance(node.targets[0], ast.Name):
            entries = zip(node.value.keys, node.value.values, strict=True)
            said[node.targets[0].id] = {str(ast.literal_eval(key)): _says(value) for key, value in entries if key}
    return _Described(params, said["MEASURES"], said["SERIES"])


def _says(node: ast.expr) -> str:
    """The description of a measure or a series, from the expression that makes it."""
    if isinstance(node, ast.Call):
        axis, says = (str(ast.literal_eval(argument)) for argument in node.args)
        return f"(along {axis}): {says}"
    return str(ast.literal_eval(node))


def _new_path(name: str, folder: Path) -> Path:
    """The path of the file of a new claim.

    Raises:
        UsageError: the name is not an id, or is taken.
    """
    path = folder / f"{name}.yaml"
    if not _ID.fullmatch(name):
        raise UsageError(f"{on_one_line(name)}: expected an id of small letters, digits and hyphens, such as my-claim")
    if os.path.lexists(path):
        raise UsageError(f"{path}: expected a new file, found one already there")
    return path


def _write(path: Path, text: str) -> None:
    """Write a file, and make its folder.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{path.parent}: expected a folder that can be made, found: {reason(error)}") from None
    write_whole(path, text.encode())


def _start(runner: str, module: Runner) -> _Start:
    """The settings of a claim of the runner, packaged or in ./claims, which are known to work; or else placeholders."""
    at_home: Sequence[str] = ()
    for names in ((str(packaged_folder()),), at_home):
        for claim, _ in gathered(names).claims:
            if claim.runner == runner and not claim.measures:
                return _copied(claim)
    setup = placeholders(module.Params)
    valid = not parameter_faults(module.Params, setup)
    measures = declared(module, module.Params.model_validate(setup)).measures if valid else module.MEASURES
    if not measures:
        raise UsageError(f"--runner {runner}: expected a runner with a measure, found none")
    draws = calling_of(module).draws
    criterion = {
        "id": "first",
        "measure": min(measures),
        "above": 0,
        "holds_in": ["stated"],
        "fails_in": ["control"],
        **({} if draws else {"runs": "every"}),
    }
    origin = "No claim of this runner is known: every value below is a placeholder, which you should replace."
    arms = {"stated": {}, "control": another(module.Params, setup)}
    return _Start(origin, setup, arms, criterion, {}, guessed=True, draws=draws)


def _copied(claim: Claim) -> _Start:
    """The settings, the first criterion and its arms of a claim; its reasons are left for the author to write."""
    criterion = claim.criteria[0]
    arms = {arm: changes for arm, changes in claim.arms.items() if arm in (*criterion.holds_in, *criterion.fails_in)}
    values = {"id": criterion.id}
    left = {"why", "says", "history", "slack", "printed", *({"runs"} if claim.draws else ())}
    values |= criterion.model_dump(exclude_none=True, exclude=left)
    origin = f"Everything below comes from {claim.id} and is valid as it stands: replace it line by line."
    controls = {arm: says for arm, says in claim.controls.items() if arm in criterion.fails_in}
    return _Start(origin, claim.setup, arms, values, claim.quick.setup, draws=claim.draws, controls=controls)


def _scaffold(path: Path, runner: str, start: _Start, described: _Described) -> str:
    """The text of the new file."""
    mark = "  # a placeholder: choose a value" if start.guessed else ""
    setup = [
        f"  # {_sentence(described.params.get(key, key))}\n  {key}: {_yaml(value)}{mark}"
        for key, value in start.setup.items()
    ]
    return _HEAD.format(
        schema=_schema_from(path.parent),
        path=on_one_line(str(path)),
        origin=start.origin,
        runner=runner,
        seeds=_SEEDS if start.draws else _ONE_SEED,
        setup="\n".join(setup),
        arms="\n".join(f"  {arm}: {_yaml(changes)}" for arm, changes in start.arms.items()),
        controls="".join(f"\n  {arm}: {_yaml(says)}" for arm, says in start.controls.items()) or " {}",
        measures="\n".join(f"#   {name}: {_sentence(says)}" for name, says in described.measures.items()),
        series="\n".join(f"#   {name} {_sentence(says)}" for name, says in described.series.items()),
        criterion=_criterion(start.criterion, mark),
        quick_seeds=2 if start.draws else 1,
        quick=_yaml(start.quick),
    )


def _schema_from(folder: Path) -> str:
    """The path of the schema, relative to a file in a folder."""
    try:
        return Path(os.path.relpath(SCHEMA, folder)).as_posix()
    except ValueError:
        # On Windows there is no relative path between two drives.
        return SCHEMA.absolute().as_uri()


def _criterion(values: Mapping[str, Any], mark: str) -> str:
    """The criterion as an item of a list."""
    lines = [f"{key}: {_yaml(list(value) if isinstance(value, tuple) else value)}" for key, value in values.items()]
    lines[1:3] = [f"{line}{mark}" for line in lines[1:3]]
    lines += [
        "says: A sentence that says what this measure shows.",
        'why: "derived: where the threshold comes from, in one sentence with a verb"',
    ]
    return "  - " + "\n    ".join(lines)


def _sentence(text: str) -> str:
    """A text of a runner for a comment: on one line."""
    return on_one_line(" ".join(text.split()))


def _yaml(value: Any) -> str:
    """A value in one line; JSON is YAML. An exponent is written as everywhere else: 1e-6."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_yaml, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{json.dumps(key)}: {_yaml(inner)}' for key, inner in value.items())}}}"
    return numeral(value) if isinstance(value, float) and "e" in repr(value) else json.dumps(value)
