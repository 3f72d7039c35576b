"""The words that a shell offers to complete: ids of claims, tags, runners, settings, and stored reports.

The shell asks at every press of a key, so this module reads as little as possible: ids are names of files, and tags are
read without a check of the files. A file that cannot be read offers no words, and is not reported.

The shell inserts an offered word into the line that the user then runs. A file may have any name, also one that a shell
would read as a command. So only names of letters, digits and few other characters are offered.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

_ID = re.compile(r"[a-z0-9][a-z0-9-]*")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def claims(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of claims, each once, or files if no id fits."""
    from dlnrepro.claimfile.catalogue import known_ids

    given = context.params.get(parameter.name or "")
    taken = given if isinstance(given, tuple) else ()
    names = {name for name in known_ids() if _ID.fullmatch(name)}
    return _or_files(sorted(names - set(taken)), incomplete)


def tags(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001  click's signature
    """Tags for the last word of an expression of tags."""
    found = {tag for value in _contents(()) for tag in _words(value.get("tags")) if _NAME.fullmatch(tag)}
    start = max(incomplete.rfind(sign) for sign in ", (") + 1
    return _beginning(incomplete[start:], sorted(found), incomplete[:start])


def settings(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001  click's signature
    """`KEY=` for the claims that the line names, or `ARM.KEY=` once the word begins with an arm."""
    # An option that still waits for its value ends the reading of the line: words before it are left in `args`.
    named = [word for word in context.params.get("claims") or context.args if not word.startswith("-")]
    contents = _contents(named) if named else []
    keys = {key for value in contents for key in _keys(value.get("setup"))}
    arms = {arm for value in contents for arm in _keys(value.get("arms"))}
    words = sorted(f"{key}=" for key in keys)
    if "." in incomplete or not any(word.startswith(incomplete) for word in words):
        words += sorted(f"{arm}.{key}=" for arm in arms for key in keys)
    return _beginning(incomplete, words)


def runners(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001  click's signature
    """Names of runners."""
    from dlnrepro.registry.names import runner_names

    return _beginning(incomplete, [name for name in runner_names() if _NAME.fullmatch(name)])


def reports(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of stored reports, the newest first, then ids of claims, or files if no name fits."""
    root = Path(context.params.get("outputs") or os.environ.get("DLNREPRO_OUTPUTS") or "outputs")
    names = sorted((path.parent.name for path in root.glob("reports/*/report.json")), reverse=True)
    names = [name for name in names if _NAME.fullmatch(name)]
    found = _beginning(incomplete, ["latest"] * (root / "latest").exists() + names)
    return found or (claims(context, parameter, incomplete) if incomplete else _or_files((), incomplete))


def _contents(names: Iterable[str]) -> list[dict[str, Any]]:
    """The contents of the claim files that can be read, without a check against the schema."""
    from dlnrepro.claimfile.catalogue import claim_paths
    from dlnrepro.claimfile.document import parse, read_text
    from dlnrepro.errors import ReproError

    try:
        texts = [read_text(path) for path in claim_paths(list(names))]
    except ReproError:
        return []
    values = [parse(text).value for text in texts if isinstance(text, str)]
    return [value for value in values if isinstance(value, dict)]


def _words(tags: object) -> list[str]:
    """The tags of a file: a list, or one that stands for a list of one."""
    return [str(tag) for tag in tags] if isinstance(tags, list) else [tags] if isinstance(tags, str) else []


def _keys(value: object) -> list[str]:
    """The keys of a mapping that are names."""
    return [str(key) for key in value if _NAME.fullmatch(str(key))] if isinstance(value, dict) else []


def _or_files(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    """The names that begin so; if there are none, the shell's own completion of files."""
    return _beginning(incomplete, names) or [CompletionItem(incomplete, type="file")]


def _beginning(start: str, names: Iterable[str], before: str = "") -> list[CompletionItem]:
    """The names that begin with `start`, each with the text `before` in front of it."""
    return [CompletionItem(before + name) for name in names if name.startswith(start)]
