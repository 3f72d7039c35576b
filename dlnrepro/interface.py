"""The Python interface: `dlnrepro.run(...)` does what `dlnrepro run` does, and gives what it found."""

from __future__ import annotations

import html
import math
import os
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from numbers import Integral, Real
from operator import index
from os import PathLike
from pathlib import Path
from signal import SIGINT
from typing import Any, SupportsIndex

from dlnrepro.archive.record import ClaimRecord, Report, to_json
from dlnrepro.claimfile.gathering import gathered
from dlnrepro.claimfile.loader import load_claim
from dlnrepro.claimfile.reach import unreached
from dlnrepro.compute.device import Device, require
from dlnrepro.compute.executor import LocalProcesses
from dlnrepro.compute.surroundings import fixed_surroundings
from dlnrepro.compute.variation import Variation
from dlnrepro.errors import ClaimError, UsageError
from dlnrepro.report.terminal.progress import watcher
from dlnrepro.report.terminal.summary import summary
from dlnrepro.report.terminal.terminal_page import TerminalPage
from dlnrepro.report.words.digest import verdict_counts
from dlnrepro.session.execution import RunOptions
from dlnrepro.session.run import jobs_of, run_and_store
from dlnrepro.signals import Signals
from dlnrepro.verdict.outcome import LARGEST_SEED
from dlnrepro.visible import say


@dataclass(frozen=True, repr=False)
class Results:
    """What a run found: one record for each result. In a notebook it shows its page, in print its summary.

    `results["my-claim"]` is a record, `"my-claim" in results` says whether there is one, `keys()`, `values()` and
    `items()` are those of a dictionary. Iterating gives the records. Where a claim is there in several variations, the
    keys of its records name them, such as `"my-claim -s depth=4"`, and its id stands for the unmodified one.

    Attributes:
        report: the whole report, as `report.json` holds it.
        folder: where it is stored, or None where it could not be; a warning then says why.
    """

    report: Report
    folder: Path | None

    @property
    def exit_code(self) -> int:
        """What the command line would have ended with; 0 if every claim came out as it should."""
        return self.report.exit_code

    def __getitem__(self, claim: str) -> ClaimRecord:
        """The record of a claim, or of a claim in one of several variations.

        Raises:
            KeyError: there is none, with the nearest key; or only several modified ones, with their keys.
        """
        if (record := self.get(claim)) is not None:
            return record
        if several := [key for key, record in self.items() if record.id == claim]:
            raise KeyError(f"expected one of {', '.join(map(repr, several))}, found {claim!r}")
        near = get_close_matches(str(claim), self.keys(), 1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise KeyError(f"expected the id of a claim in these results, found {claim!r}{hint}")

    def __contains__(self, claim: object) -> bool:
        """Whether there is a record with this key, or this record."""
        return self.get(claim) is not None if isinstance(claim, str) else any(claim == record for record in self)

    def keys(self) -> list[str]:
        """The keys of the records, in the order in which they were run: ids, with the variation where it is needed."""
        counts = Counter(record.id for record in self)
        return [record.id if counts[record.id] == 1 else record.label for record in self]

    def values(self) -> list[ClaimRecord]:
        """The records, in the order in which the claims were run."""
        return list(self)

    def items(self) -> list[tuple[str, ClaimRecord]]:
        """Each key with its record."""
        return list(zip(self.keys(), self, strict=True))

    def get(self, claim: str, otherwise: ClaimRecord | None = None) -> ClaimRecord | None:
        """The record with this key, or something else if there is none."""
        by_key = {record.label: record for record in self} | dict(self.items())
        return by_key.get(claim, otherwise) if isinstance(claim, str) else otherwise

    def __iter__(self) -> Iterator[ClaimRecord]:
        """The records, in the order in which the claims were run."""
        return iter(self.report.claims)

    def __len__(self) -> int:
        """How many claims there are."""
        return len(self.report.claims)

    def __str__(self) -> str:
        """The summary, as the command line prints it."""
        page = TerminalPage(100)
        summary(page, self.report)
        return page.text()

    def __repr__(self) -> str:
        """How the claims came out, in a line."""
        return f"<dlnrepro.Results: {verdict_counts(self.report)}; exit code {self.exit_code}>"

    def _ipython_key_completions_(self) -> list[str]:
        """What a notebook offers behind `results[`."""
        return self.keys()

    def _repr_html_(self) -> str:
        """The page of the report, framed so that its style and a notebook's do not meet."""
        from dlnrepro.report.page.html import to_html

        page = html.escape(to_html(self.report).decode(), quote=True)
        return f'<iframe srcdoc="{page}" style="width:100%;height:40rem;border:0" title="dlnrepro report"></iframe>'

    def to_json(self) -> str:
        """The text of `report.json`."""
        return to_json(self.report).decode()


def run(
    *claims: str | PathLike[str],
    words: str | None = None,
    tags: str | None = None,
    settings: Mapping[str, Any] | None = None,
    seeds: SupportsIndex | None = None,
    seed_base: SupportsIndex = 0,
    quick: bool = False,
    controls: bool = True,
    device: Device = "cpu",
    workers: SupportsIndex = 1,
    cache: bool = True,
    budget: float | None = None,
    outputs: str | PathLike[str] = "outputs",
    quiet: bool = True,
) -> Results:
    """Train the networks of claims, measure, judge, and store the report.

    The numbers are those of the command line, to the bit. An interrupt ends the run; what was finished is in the
    report.

    Args:
        claims: ids of claims, or paths of claim files or folders; all claims if none is given.
        words: only claims in whose text, as `dlnrepro show` prints it, the words stand, as `-k`.
        tags: only claims with these tags, as `-m`.
        settings: other values for parameters, as `-s`: `{"depth": 4}` for every arm that does not set it itself,
            `{"deep.depth": 4}` for the arm `deep` alone.
        seeds: runs per arm instead of the claim's own number.
        seed_base: the first seed.
        quick: the claims' toy profiles.
        controls: whether the negative controls are run.
        device: where tensors live: "cpu", or "cuda" for a GPU.
        workers: processes to spread the arms over. They are started from a fresh interpreter, so that nothing that this
            process has set (defaults of torch and numpy, threads, environment) reaches a number, nor is changed.
        cache: whether stored arms are used again.
        budget: seconds that each arm may take.
        outputs: the folder for cells and reports.
        quiet: whether to show no progress on standard error.

    Raises:
        ClaimError: a claim file that was named is not valid, or no file is; with every fault of every file. Other
            files of a folder that are not valid are in the report, as `unjudged`.
        UsageError: nothing is selected, or an argument, a setting, a seed or the folder is not as it must be.
    """
    names = [_name(claim) for claim in claims]
    for name, text in (("words", words), ("tags", tags)):
        if text is not None and not isinstance(text, str):
            raise UsageError(f"{name}: expected an expression as text, or None, found {text!r}")
    for name, flag in (("quick", quick), ("controls", controls), ("cache", cache), ("quiet", quiet)):
        if not isinstance(flag, bool):
            raise UsageError(f"{name}: expected True or False, found {flag!r}")
    started = datetime.now(UTC)
    require(device)
    seeds = None if seeds is None else _whole("seeds", seeds, 1, 100_000)
    seed_base = _whole("seed_base", seed_base, 0, LARGEST_SEED)
    workers = _whole("workers", workers, 1, 1024)
    if budget is not None and not (_is_number(budget) and 0 < budget <= sys.float_info.max):
        raise UsageError(f"budget: expected a number of seconds above 0, or None, found {budget!r}")
    variation = Variation(seeds, seed_base, _settings(settings), quick, controls, device)
    options = RunOptions(_folder(outputs), LocalProcesses(workers, fresh=True), cache, budget)
    with fixed_surroundings(), Signals((SIGINT,)) as signals:
        selection = gathered(names, words, tags, load_claim)
        if not selection.claims:
            raise ClaimError(selection.faults) if selection.faults else UsageError("no claim is selected")
        if not quiet:
            selection.say_rest()
        jobs, unjudged = jobs_of(selection.claims, variation), selection.unjudged
        for job in () if quiet else jobs:
            for line in unreached(job.claim, variation.overrides, variation.arms(job.claim), quick):
                say(line)
        with signals.noted():
            session = run_and_store(
                jobs, options, watcher(quiet), signals, ["dlnrepro.run"], started, unjudged=unjudged
            )
    if session.storage_fault is not None:
        # What a long run found must not be lost because a disk is full.
        warnings.warn(f"the report is not stored: {session.storage_fault.text}", RuntimeWarning, stacklevel=2)
    return Results(session.report, session.folder)


def _name(claim: object) -> str:
    """The id or the path of claims as text.

    Raises:
        UsageError: it is neither; a list of names is given with a star before it.
    """
    if isinstance(claim, str | PathLike) and isinstance(name := os.fspath(claim), str):
        return name
    raise UsageError(f"claims: expected ids and paths, one after the other, found {claim!r}")


def _folder(outputs: object) -> Path:
    """The folder for cells and reports.

    Raises:
        UsageError: it is no path.
    """
    name = os.fspath(outputs) if isinstance(outputs, str | PathLike) else None
    if isinstance(name, str) and name and "\0" not in name:
        return Path(name)
    raise UsageError(f"outputs: expected the path of a folder, found {outputs!r}")


def _settings(settings: object) -> dict[str, Any]:
    """Values of parameters, as a claim file could hold them.

    Raises:
        UsageError: they are no mapping, or a name or a value in it is none; with a line for each.
    """
    if settings is None:
        return {}
    if not isinstance(settings, Mapping):
        raise UsageError(f"settings: expected a mapping such as {{'depth': 4}}, or None, found {settings!r}")
    values, wrong = {}, []
    for key, value in settings.items():
        try:
            if not (isinstance(key, str) and all(key.split("."))):
                raise ValueError("a parameter, or an arm and a parameter with a dot between them")
            values[key] = _plain(value)
        except ValueError as error:
            wrong.append(f"settings: {key!r}: expected {error}, found {value!r}")
    if wrong:
        raise UsageError(*wrong)
    return values


def _plain(value: object) -> Any:
    """A value as a claim file could hold it: what numpy calls a number is one.

    Raises:
        ValueError: no claim file can hold it.
    """
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real) and math.isfinite(number := float(value)):
        return number
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _plain(item) for key, item in value.items()}
    raise ValueError("a finite number, text, True, False, None, or a list or a mapping of these")


def _whole(name: str, value: object, least: int, most: int) -> int:
    """An argument that must be a whole number in a range.

    Raises:
        UsageError: it is not.
    """
    if isinstance(value, SupportsIndex) and not isinstance(value, bool) and least <= (whole := index(value)) <= most:
        return whole
    raise UsageError(f"{name}: expected a whole number from {least} to {most}, found {value!r}")


def _is_number(value: object) -> bool:
    """Whether an argument is a number, which a truth value is not."""
    return isinstance(value, Real) and not isinstance(value, bool)
