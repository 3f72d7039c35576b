"""The Python interface: `dlnrepro.run(...)` does the same as `dlnrepro run`, and returns the results."""

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
    """The results of `dlnrepro.run`: one record per result. A notebook shows them as a page, `print` as a summary.

    `results["my-claim"]` is a record, and `"my-claim" in results` says whether it exists; `keys()`, `values()` and
    `items()` work as for a dictionary. Iterating gives the records. If a claim has several variations, the keys of its
    records name the variations, such as `"my-claim -s depth=4"`, and the id alone means the unmodified claim.

    Attributes:
        report: the whole report, as `report.json` holds it.
        folder: the folder of the report, or None if it could not be stored; a warning then says why.
    """

    report: Report
    folder: Path | None

    @property
    def exit_code(self) -> int:
        """The exit code of the command line; 0 if every claim has the verdict that its file expects."""
        return self.report.exit_code

    def __getitem__(self, claim: str) -> ClaimRecord:
        """The record of a claim, or of a claim in one of several variations.

        Raises:
            KeyError: there is no such record (the message has the most similar key), or there are only modified ones.
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
        """The keys of the records, in the order of the claims: ids, with the variation where it is needed."""
        counts = Counter(record.id for record in self)
        return [record.id if counts[record.id] == 1 else record.label for record in self]

    def values(self) -> list[ClaimRecord]:
        """The records, in the order in which the claims were run."""
        return list(self)

    def items(self) -> list[tuple[str, ClaimRecord]]:
        """Each key with its record."""
        return list(zip(self.keys(), self, strict=True))

    def get(self, claim: str, otherwise: ClaimRecord | None = None) -> ClaimRecord | None:
        """The record with this key, or `otherwise` if there is none."""
        by_key = {record.label: record for record in self} | dict(self.items())
        return by_key.get(claim, otherwise) if isinstance(claim, str) else otherwise

    def __iter__(self) -> Iterator[ClaimRecord]:
        """The records, in the order in which the claims were run."""
        return iter(self.report.claims)

    def __len__(self) -> int:
        """The number of records."""
        return len(self.report.claims)

    def __str__(self) -> str:
        """The summary, as the command line prints it."""
        page = TerminalPage(100)
        summary(page, self.report)
        return page.text()

    def __repr__(self) -> str:
        """The number of claims for each verdict, in one line."""
        return f"<dlnrepro.Results: {verdict_counts(self.report)}; exit code {self.exit_code}>"

    def _ipython_key_completions_(self) -> list[str]:
        """The completions that a notebook offers after `results[`."""
        return self.keys()

    def _repr_html_(self) -> str:
        """The page of the report, in a frame, so that its style does not affect the notebook."""
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
    """Train the networks of claims, measure them, judge the claims, and store the report.

    The numbers are bitwise identical with those of the command line. An interrupt ends the computation; the report then
    has the claims that were finished.

    Args:
        claims: ids of claims, or paths of claim files or folders; without them, all claims are run.
        words: only claims whose text, as `dlnrepro show` prints it, has these words; as `-k`.
        tags: only claims with these tags; as `-m`.
        settings: other values of parameters, as `-s`: `{"depth": 4}` for every arm that does not set the depth itself,
            `{"deep.depth": 4}` for the arm `deep` alone.
        seeds: the fixed number of runs per arm; None means the number of the claim, and further runs for an arm that is
            in doubt.
        seed_base: the first seed.
        quick: whether to use each claim's small, fast settings.
        controls: whether to run the negative controls.
        device: the device that computes: "cpu", or "cuda" for a GPU.
        workers: the number of worker processes. They are started from a new interpreter, so that the settings of this
            process (defaults of torch and numpy, threads, environment) do not affect the numbers, and are not changed.
        cache: whether to use the stored numbers of arms.
        budget: the time limit of each arm in seconds; None means no limit.
        outputs: the folder for stored numbers and reports.
        quiet: whether to show no progress on standard error.

    Raises:
        ClaimError: a claim file that was named is not valid, or no file is valid; with every error of every file.
            Invalid files of a folder with valid claims are in the report, as `unjudged`.
        UsageError: no claim is selected, or an argument, a setting, a seed or the folder is not valid.
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
        UsageError: it is neither; a list of names must be given with a star before it.
    """
    if isinstance(claim, str | PathLike) and isinstance(name := os.fspath(claim), str):
        return name
    raise UsageError(f"claims: expected ids and paths, as separate arguments, found {claim!r}")


def _folder(outputs: object) -> Path:
    """The folder for cells and reports.

    Raises:
        UsageError: it is not a path.
    """
    name = os.fspath(outputs) if isinstance(outputs, str | PathLike) else None
    if isinstance(name, str) and name and "\0" not in name:
        return Path(name)
    raise UsageError(f"outputs: expected the path of a folder, found {outputs!r}")


def _settings(settings: object) -> dict[str, Any]:
    """Values of parameters, as a claim file could hold them.

    Raises:
        UsageError: the settings are not a mapping, or have an invalid name or value; with one line per setting.
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
    """A value as a claim file could contain it; a number of numpy becomes a plain number.

    Raises:
        ValueError: no claim file can contain it.
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
    """Whether an argument is a number; a truth value is not a number here."""
    return isinstance(value, Real) and not isinstance(value, bool)
