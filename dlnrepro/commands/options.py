"""Options that several commands share, and what they stand for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dlnrepro.commands import candidates

if TYPE_CHECKING:
    from dlnrepro.claim import Claim

outputs = click.option(
    "--outputs",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("outputs"),
    show_default=True,
    envvar="DLNREPRO_OUTPUTS",
    help="Folder for cells and reports.",
)
words = click.option(
    "-k", "words", metavar="EXPR", help="Claims whose id or title matches, e.g. 'align and not margin'."
)
tags = click.option(
    "-m",
    "tags",
    metavar="TAGS",
    shell_complete=candidates.tags,
    help="Claims with these tags: names, commas, 'and', 'or', 'not'.",
)
figures = click.option(
    "--figures",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Also write every figure to DIR, as SVG.",
)


class Finite(click.FloatRange):
    """A number in a range that is neither NaN, which no bound excludes, nor infinite."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or click's error that names the option."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"expected a finite number, found {value}", param, ctx)
        return number


def structured_claims(names: Sequence[str], words: str | None, tags: str | None) -> list[tuple[Claim, Path]]:
    """The claims a command is about, held against the schema only, so that no runner is imported.

    Raises:
        UsageError: a name or an expression stands for nothing.
        ClaimError: with every fault of every file.
    """
    from dlnrepro.catalogue import claim_paths
    from dlnrepro.loader import claims_at, read_claim
    from dlnrepro.selection import selected

    found = claims_at(claim_paths(names), read_claim)
    chosen = {claim.id for claim in selected([claim for claim, _ in found], words, tags)}
    return [(claim, path) for claim, path in found if claim.id in chosen]


def overrides(settings: Sequence[str]) -> dict[str, Any]:
    """Parameters from KEY=VALUE words; a value is read as in a claim file.

    Raises:
        UsageError: a word is no setting, or its value is no value.
    """
    from dlnrepro.document import parse
    from dlnrepro.errors import UsageError

    values: dict[str, Any] = {}
    for setting in settings:
        key, sign, text = setting.partition("=")
        if not sign or not key:
            raise UsageError(f"-s {setting}: expected KEY=VALUE, such as -s depth=4")
        document = parse(text)
        if document.faults:
            raise UsageError(f"-s {setting}: {document.faults[0].text}")
        if key in values:
            raise UsageError(f"-s {setting}: expected each parameter once, found '{key}' again")
        values[key] = document.value
    return values
