"""`dlnrepro schema` prints the JSON schema of a claim file or of a report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from dlnrepro.visible import on_one_line, show

_EPILOG = """\b
Example:
  dlnrepro schema -o outputs/claim.schema.json

\b
For an editor, the first line of a claim file names the schema, by a path that
is relative to the folder of the claim file:
  # yaml-language-server: $schema=../outputs/claim.schema.json
"""


@click.command("schema", short_help="Print the JSON schema of a claim file or a report.", epilog=_EPILOG)
@click.option("--report", "of_report", is_flag=True, help="Print the schema of report.json instead.")
@click.option(
    "-o",
    "--write",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the schema to FILE; its folder is made if needed.",
)
def command(of_report: bool, file: Path | None) -> int:
    """Print the JSON schema of a claim file, which editors use to check it, or that of a stored report."""
    schema: dict[str, Any]
    if of_report:
        from dlnrepro.archive.record import report_schema

        schema = report_schema()
    else:
        from dlnrepro.claimfile.schema import claim_schema

        schema = claim_schema()
    text = json.dumps(schema, indent=1) + "\n"
    if file is None:
        click.echo(text, nl=False)
        return 0
    from dlnrepro.errors import UsageError
    from dlnrepro.files import write_whole

    if file == Path():
        raise UsageError(f"-o {file}: expected the name of a file, found a folder")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"-o {file}: expected a folder that can be made, found: {reason}") from None
    write_whole(file, text.encode())
    show(on_one_line(f"{file} was written"))
    return 0
