"""`dlnrepro check` says whether claim files are valid."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dlnrepro.commands.arguments import candidates, options
from dlnrepro.visible import say, show_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from dlnrepro.claimfile.schema import Claim
    from dlnrepro.errors import Fault


_EPILOG = """\b
With --strict, a claim must also keep these rules:
  covers         The claim says in `covers` how much of the source's
                 statement it tests.
  independent    The claim says in `independent` which route to its
                 decisive number shares no code with the formula.
  reason         Each criterion says in `why` where its threshold comes
                 from, and begins with `theory:`, `derived:` or `pilot:`.
  slack          A criterion says in `slack` why its threshold is more
                 than 1,000 times as far out as the worst run in
                 `reference/` of the folder of outputs.
  experiment     The claim says in `experiment` how its statement is
                 tested.
  control        Each criterion has a control in `fails_in`, in which it
                 must fail, and which is not only a wrong formula. A
                 criterion that compares two routes to one number may
                 have a planted flaw in `audit` instead, and a `because`.
  other-control  A control has other parameters than the arms that must
                 hold.
  hypothesis     A control that differs from the nearest arm that must
                 hold in several settings (without those named `law` or
                 `law_...`) says in `controls` which hypothesis it
                 breaks.
  runs           Each arm has at least 16 runs.
  quick          The quick profile has fewer runs than the claim.
  audit          Each criterion is named in the `breaks` of a flaw in
                 `audit`, which it must notice.
"""


@click.command("check", epilog=_EPILOG, short_help="Check that claim files are valid.")
@click.argument("paths", nargs=-1, metavar="[PATH...]", shell_complete=candidates.claims)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "github", "json"]),
    default="text",
    show_default=True,
    help="How errors are written; github writes annotations of a GitHub job.",
)
@click.option("--strict", is_flag=True, help="Also check the rules that are listed below.")
@options.as_json
@options.outputs
def command(paths: tuple[str, ...], form: str, strict: bool, as_json: bool, outputs: Path) -> int:
    """Check claim files against the schema and against the parameters of their runners. Nothing is trained.

    PATH is a file, a folder of claims, or the id of a claim. Without PATH, all claims are checked. Each error is one
    line with its file, line, column and key; if a file has very many errors, the last ones are only counted. The exit
    code is 2 if there is an error, and 5 if there is no file.

    With --json, `files` is the number of files, and `faults` is the list of errors. Each error has `file`, `line`,
    `column`, `key`, `expected`, `found`, `suggestion` (the nearest known word), `rule` (of --strict), and `message`,
    which is the whole sentence. A field that does not apply is null.
    """
    from dlnrepro.claimfile.catalogue import claim_files
    from dlnrepro.claimfile.gathering import all_faults, not_run, passed_over, without_their_function
    from dlnrepro.session.known_plans import Checks

    files = claim_files(paths)
    count = len(files.claims)
    for line in passed_over(files.hidden):
        say(line)
    checks = Checks()
    load: Callable[[Path], Claim] = checks.load
    if strict:
        from dlnrepro.archive.reference_verdicts import slacks
        from dlnrepro.claimfile.policy import load_strictly

        load = partial(load_strictly, slacks=partial(slacks, outputs))
    for line in not_run(without_their_function(files), "check"):
        say(line)
    faults = all_faults(files, load)
    checks.keep()
    if as_json or form == "json":
        show_json({"files": count, "faults": [_fields(fault) for fault in faults]})
    elif form == "github":
        from dlnrepro.report.exchange.github import annotation

        for fault in faults:
            message, path = fault.message, fault.path
            # In UTF-8 whatever the encoding of the output is: that is how jobs read their log.
            click.echo(annotation("error", message, file=path, line=fault.line, column=fault.column).encode())
    else:
        for fault in faults:
            say(str(fault))
        if not faults:
            kept = ", and all rules are kept" * strict
            click.echo(f"{count} claim {'file is' if count == 1 else 'files are'} valid{kept}")
    return 2 if faults else 0 if files.claims else 5


def _fields(fault: Fault) -> dict[str, str | int | None]:
    """The parts of a fault, as `--format json` gives them."""
    return {
        "file": fault.path,
        "line": fault.line,
        "column": fault.column,
        "key": fault.key,
        "expected": fault.expected,
        "found": fault.found,
        "suggestion": fault.suggestion,
        "rule": fault.rule,
        "message": fault.message,
    }
