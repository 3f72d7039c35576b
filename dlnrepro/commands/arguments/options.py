"""The options that several commands share, and how their values are read."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from dlnrepro.commands.arguments import candidates
from dlnrepro.errors import UsageError
from dlnrepro.report.delivery import FORMATS
from dlnrepro.settings.numerals import numeral

MOST_WORKERS = 1024
SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


class Renamed(click.Option):
    """An option that also accepts older names, which the help does not show."""

    def __init__(self, *args: Any, older: Sequence[str] = (), **given: Any) -> None:
        super().__init__([*args[0], *older], *args[1:], **given)
        self.older = tuple(older)

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The line of the help, without the older names."""
        names = self.opts
        self.opts = [name for name in names if name not in self.older]
        try:
            return super().get_help_record(ctx)
        finally:
            self.opts = names


# In older versions of click this class takes no argument.
class Duration(click.ParamType):  # type: ignore[type-arg]
    """A duration: a number of seconds, or a number that is followed by s, m or h."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds."""
        found = re.fullmatch(r"([0-9]+\.?[0-9]*|\.[0-9]+)([smh]?)", str(value).strip())
        seconds = float(found[1]) * SECONDS[found[2]] if found else 0.0
        if not 0 < seconds < math.inf:
            self.fail(f"expected a time above 0, such as 90, 90s, 5m or 1h, found '{value}'", param, ctx)
        return seconds


class Whole(click.ParamType):  # type: ignore[type-arg]
    """A whole number in a range, written in the digits 0 to 9."""

    name = "number"

    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number."""
        number = int(value) if re.fullmatch(r"[0-9]{1,20}", str(value)) else self.least - 1
        if not self.least <= number <= self.most:
            self.fail(f"expected a whole number from {self.least} to {self.most}, found '{value}'", param, ctx)
        return number


class Workers(click.ParamType):  # type: ignore[type-arg]
    """A number of processes, or None for `auto`: as many as there are cores."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        """The number, or None."""
        number = int(value) if re.fullmatch(r"[0-9]{1,5}", str(value)) else 0
        if value != "auto" and not 1 <= number <= MOST_WORKERS:
            self.fail(f"expected a number from 1 to {MOST_WORKERS}, or auto, found '{value}'", param, ctx)
        return None if value == "auto" else number


class Folder(click.Path):
    """The path of a folder. An empty name is refused, which Python would read as the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path."""
        if value == "":
            self.fail("expected the name of a folder, found no name", param, ctx)
        if not self.file_okay and os.path.isfile(value):
            self.fail(f"expected a folder, found the file '{os.fspath(value)}'", param, ctx)
        return super().convert(value, param, ctx)


def _folder(context: click.Context, parameter: click.Parameter, value: Path) -> Path:  # noqa: ARG001  click's signature
    """The folder, unless its name is that of a report: `-o` and `--outputs` are easily taken for each other."""
    if value.suffix in FORMATS and not value.is_dir():
        raise UsageError(
            f"--outputs {value}: expected a folder, found the name of a report; -o {value} writes a report"
        )
    return value


def _reports(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG001  click's signature
    """The files, unless one is a folder."""
    for name in value:
        if os.path.isdir(name) or name.endswith(os.sep):
            hint = f"--outputs {name} names the folder where everything is stored"
            raise UsageError(f"-o {name}: expected a file ending in {', '.join(FORMATS)}, found a folder; {hint}")
    return value


def _formats() -> str:
    """The formats of a report's file, for the help."""
    return ", ".join(f"{suffix}: {form.says}" for suffix, form in FORMATS.items())


outputs = click.option(
    "--outputs",
    type=Folder(file_okay=False, path_type=Path),
    default=Path("outputs"),
    show_default=True,
    envvar="DLNREPRO_OUTPUTS",
    callback=_folder,
    metavar="DIR",
    help="Folder for stored numbers and reports.",
)
words = click.option(
    "-k",
    "--words",
    "words",
    metavar="EXPR",
    help="Only claims whose text has these words, such as 'align and not margin'; 'one-*' is a pattern of ids.",
)
tags = click.option(
    "-m",
    "--tags",
    "tags",
    metavar="TAGS",
    shell_complete=candidates.tags,
    help="Only claims with these tags, such as 'core and not rate'; a comma means 'or'.",
)
figures = click.option(
    "--figures",
    type=Folder(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Also write every figure to DIR, as an SVG file.",
)

files = click.option(
    "-o",
    "--write",
    "files",
    cls=Renamed,
    older=("--output",),
    multiple=True,
    metavar="FILE",
    callback=_reports,
    help=f"Also write the report to FILE, in the format of its suffix ({_formats()}). Can be given several times.",
)
reference = click.option(
    "--reference",
    type=Folder(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Keep one report per claim in DIR, and run only the claims whose report in DIR is out of date.",
)
workers = click.option(
    "-j",
    "--workers",
    "workers",
    cls=Renamed,
    older=("--jobs",),
    type=Workers(),
    metavar="N|auto",
    help="Number of worker processes.  [default: auto, which is one per core, or 1 on a GPU]",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
allow_inconclusive = click.option(
    "--allow-inconclusive", is_flag=True, help="Do not change the exit code for an inconclusive claim."
)
quiet = click.option("-q", "--quiet", is_flag=True, help="Show only the summary, without progress.")
verbose = click.option("-v", "--verbose", is_flag=True, help="Show every criterion and control of every claim.")


def delivery(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options of every command that shows a report."""
    for option in (verbose, quiet, figures, files, as_json, allow_inconclusive):
        command = option(command)
    return command


class Finite(click.ParamType):  # type: ignore[type-arg]
    """A finite number that is not below a bound. NaN is refused too, which no comparison would exclude."""

    name = "number"

    def __init__(self, least: float) -> None:
        self.least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        try:
            given = float(value)
        except ValueError:
            given = math.nan
        if not self.least <= given < math.inf:
            self.fail(f"expected a finite number of at least {numeral(self.least)}, found '{value}'", param, ctx)
        return given


def overrides(settings: Sequence[str]) -> dict[str, Any]:
    """The values of parameters in words such as KEY=VALUE and ARM.KEY=VALUE; a value is read as in a claim file.

    Raises:
        UsageError: a word is not a setting, or its value cannot be read; with one line per such word.
    """
    from dlnrepro.errors import shortened
    from dlnrepro.visible import on_one_line

    values: dict[str, Any] = {}
    wrong = []
    for setting in settings:
        try:
            key, value = _setting(setting)
            if key in values:
                raise UsageError(f"expected each parameter once, found '{shortened(key)}' again")
            values[key] = value
        except UsageError as error:
            wrong.append(on_one_line(f"-s {shortened(setting)}: {error}"))
    if wrong:
        raise UsageError(*wrong)
    return values


def _setting(word: str) -> tuple[str, Any]:
    """The parameter and the value of KEY=VALUE.

    Raises:
        UsageError: the word is not a setting, or its value cannot be read.
    """
    from dlnrepro.claimfile.document import parse
    from dlnrepro.errors import shortened

    key, sign, text = word.partition("=")
    if not sign or not all(key.split(".")):
        raise UsageError("expected KEY=VALUE, such as -s depth=4, or ARM.KEY=VALUE")
    document = parse(text)
    if () in document.refused and not document.places:
        raise UsageError(f"expected a value after the =, such as -s {shortened(key)}=4, found none")
    if document.faults:
        raise UsageError(document.faults[0].wording)
    return key, document.value
