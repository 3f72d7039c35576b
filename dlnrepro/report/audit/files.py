"""Audits as files: the format is that of the suffix."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path

from dlnrepro.archive.audits import AuditRecord
from dlnrepro.files import check_output, write_whole

FORMATS = {
    ".html": ("dlnrepro.report.audit.audit_html", "audits_html"),
    ".md": ("dlnrepro.report.audit.audit_markdown", "audits_markdown"),
    ".json": ("dlnrepro.archive.audits", "list_to_json"),
}
"""The module and the function that write a format, by the suffix of the file."""


def check_files(files: Sequence[str]) -> None:
    """Refuse files that could not be written, before anything is trained.

    Raises:
        UsageError: the suffix is unknown, or the folder does not exist or cannot be written.
    """
    check_output(files, FORMATS)


def write_file(path: Path, records: Sequence[AuditRecord]) -> None:
    """Write audits to a file in the format of its suffix.

    Raises:
        UsageError: the file cannot be written.
    """
    module, function = FORMATS[path.suffix]
    write_whole(path, getattr(importlib.import_module(module), function)(records))
