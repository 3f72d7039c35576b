"""`dlnrepro new` writes a first claim file."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from dlnrepro.commands.arguments import candidates, options
from dlnrepro.visible import show

_EPILOG = """\b
Examples:
  dlnrepro new my-claim --function
  dlnrepro new my-claim --runner separable_classification
  dlnrepro new my-claim --with-runner my_runner
"""


@click.command("new", short_help="Write a commented claim file to start from.", epilog=_EPILOG)
@click.argument("name", metavar="ID")
@click.option(
    "--runner",
    metavar="NAME",
    shell_complete=candidates.runners,
    help="The runner, which trains and measures; `dlnrepro list --runners` lists all runners.",
)
@click.option("--function", is_flag=True, help="Also write a plain function that is its runner, in a file next to it.")
@click.option(
    "--with-runner", metavar="NAME", help="Also write a package with a new runner of this name, in the folder NAME."
)
@click.option(
    "--folder",
    type=options.Folder(file_okay=False, path_type=Path),
    default=Path("claims"),
    show_default=True,
    metavar="FOLDER",
    help="Folder in which the file is written.",
)
def command(name: str, runner: str | None, function: bool, with_runner: str | None, folder: Path) -> int:
    """Write the commented claim file FOLDER/ID.yaml for a runner, to be replaced line by line.

    A runner is a plain function in a file next to the claim (--function), a runner that is known already (--runner), or
    a package of its own (--with-runner). The file passes `dlnrepro check`, except that a file that it names may not
    exist yet. If no claim uses the runner yet, the values of the settings are placeholders.
    """
    from dlnrepro.claimfile.scaffold.first_claim import (
        SCHEMA,
        write_scaffold,
        write_with_function,
        write_with_runner,
    )

    chosen = {"--function": function, "--runner": runner is not None, "--with-runner": with_runner is not None}
    given = [option for option, is_given in chosen.items() if is_given]
    if not given:
        raise click.UsageError(
            f"Expected one of three forms: `dlnrepro new {shlex.quote(name)} --function` (a plain function as runner), "
            "`--runner NAME` (a runner of `dlnrepro list --runners`), or `--with-runner NAME` (a package with a new "
            "runner)."
        )
    if len(given) > 1:
        raise click.UsageError(f"Expected one of {', '.join(chosen)}, found {' and '.join(given)}.")
    steps = [] if SCHEMA.exists() else [f"dlnrepro schema -o {SCHEMA.as_posix()}    # for editors"]
    if function:
        path, file = write_with_function(name, folder)
        show(f"{path} and {file} were written. Next, edit them, and then:")
    elif with_runner is not None:
        path, package = write_with_runner(name, with_runner, folder)
        show(f"{path}, {package / with_runner}.py and {package / 'pyproject.toml'} were written. Next:")
        steps = [f"pip install --editable {package}", *steps]
    else:
        path = write_scaffold(name, str(runner), folder)
        show(f"{path} was written. Next, edit it, and then:")
    word = shlex.quote(str(path))
    for step in (*steps, f"dlnrepro check {word}", f"dlnrepro run {word} --quick"):
        show(f"  {step}")
    return 0
