"""`dlnrepro schema`: the JSON schema of a claim or of a report."""

from __future__ import annotations

import json
from typing import Any

import click

_EPILOG = """\b
Example:
  dlnrepro schema > outputs/claim.schema.json
"""


@click.command("schema", short_help="JSON schema of a claim, for editors, or of a report.", epilog=_EPILOG)
@click.option("--report", "of_report", is_flag=True, help="The schema of report.json instead.")
def command(of_report: bool) -> int:
    """Print the JSON schema of a claim file, for editors, or of a stored report."""
    schema: dict[str, Any]
    if of_report:
        from dlnrepro.record import report_schema

        schema = report_schema()
    else:
        from dlnrepro.claim import Claim

        schema = Claim.model_json_schema()
        # The id is the file's name and stands in no file.
        del schema["properties"]["id"]
        schema["required"].remove("id")
    click.echo(json.dumps(schema, indent=1))
    return 0
