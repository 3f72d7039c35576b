"""What a shell may complete a word to: ids of claims, tags, runners, stored reports.

The shell asks at every press of a key, so nothing here reads more than it must: ids are names of files, and tags are
read without holding the files against the schema. What cannot be read offers nothing; it is no place for an error.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem


def claims(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of claims, each once; files where no id fits."""
    from dlnrepro.catalogue import packaged

    given = context.params.get(parameter.name or "")
    taken = given if isinstance(given, tuple) else ()
    names = {path.stem for folder in (Path("claims"), packaged()) for path in folder.glob("*.yaml")}
    return _or_files(sorted(names - set(taken)), incomplete)


def tags(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001  click's signature
    """The last word of an expression of tags."""
    from dlnrepro.catalogue import claim_paths
    from dlnrepro.document import parse, read_text

    texts = (read_text(path) for path in claim_paths(()))
    values = [parse(text).value for text in texts if isinstance(text, str)]
    found = {tag for value in values if isinstance(value, dict) for tag in _words(value.get("tags"))}
    start = max(incomplete.rfind(sign) for sign in ", (") + 1
    return _beginning(incomplete[start:], sorted(found), incomplete[:start])


def runners(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001  click's signature
    """Names of runners."""
    from dlnrepro.runner import runner_names

    return _beginning(incomplete, runner_names())


def reports(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001  click's signature
    """Names of stored reports, the newest first; files where none fits."""
    root = Path(context.params.get("outputs") or os.environ.get("DLNREPRO_OUTPUTS") or "outputs")
    names = sorted((path.parent.name for path in root.glob("reports/*/report.json")), reverse=True)
    return _or_files(["latest"] * (root / "latest").exists() + names, incomplete)


def _words(tags: object) -> list[str]:
    """The tags of a file: a list, or one that stands for a list of one."""
    return [str(tag) for tag in tags] if isinstance(tags, list) else [tags] if isinstance(tags, str) else []


def _or_files(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    """The names that begin so; if there are none, the shell's own completion of files."""
    return _beginning(incomplete, names) or [CompletionItem(incomplete, type="file")]


def _beginning(start: str, names: Iterable[str], before: str = "") -> list[CompletionItem]:
    """The names with this start, each behind what stands before it."""
    return [CompletionItem(before + name) for name in names if name.startswith(start)]
