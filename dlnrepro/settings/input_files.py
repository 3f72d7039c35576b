"""Settings that name files: the program finds them from the folder of the claim, and their contents count.

A field of the type `InputFile` or `InputFiles` holds names as the claim writes them. `dlnrepro.registry.inputs` finds
the files, and makes their contents a part of the key of an arm's numbers.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

NO_FILE = "none"
"""The name that stands for no file."""


class NamesFiles:
    """In `Annotated`: a text or a list of texts, which are paths relative to the folder of the claim.

    Args:
        patterns: whether `*`, `?` and `[...]` in a name stand for any letters, so that it names several files.
    """

    def __init__(self, patterns: bool) -> None:
        self.patterns = patterns


InputFile = Annotated[str, Field(min_length=1, max_length=1000), NamesFiles(patterns=False)]
"""The path of one file, relative to the folder of the claim, or `none`."""

InputFiles = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=1000)], ...],
    Field(strict=False, min_length=1, max_length=1000),
    NamesFiles(patterns=True),
]
"""Paths or patterns of paths, relative to the folder of the claim."""
