"""The command line: it finds the command, turns each error into one line and an exit code, and prints.

Exit codes: 0 each claim has the verdict that its file expects; 1 a claim is not reproduced, or unexpectedly reproduced;
2 an invalid option or claim file; 3 an error in a claim or in this program; 4 a claim is inconclusive; 5 no claim is
selected; 130 interrupted (SIGINT), 143 terminated (SIGTERM), 129 hung up (SIGHUP).
"""

from __future__ import annotations

import gc
import importlib
import os
import shutil
import sys
from collections.abc import Iterable

import click

from dlnrepro import __version__
from dlnrepro.errors import ReproError, UsageError
from dlnrepro.report.terminal.broken_pipe import lost_output, outlive_readers
from dlnrepro.session.faults import logged
from dlnrepro.signals import Ended, Signals
from dlnrepro.visible import on_one_line, say

COMMANDS = (
    *("list", "show", "check", "run", "audit", "sweep", "report", "replay", "diff"),
    *("measure", "schema", "new", "clean", "completion"),
)

EPILOG = """\b
Examples:
  dlnrepro run rank-one-alignment      test one claim
  dlnrepro run --quick                 test every claim with small settings
  dlnrepro show max-margin-direction   what the claim says, how it is tested
  dlnrepro report -v                   show the newest report in full
"""


NARROWEST_HELP = 50
"""The smallest number of columns to which click wraps help, however narrow the terminal is."""


class Help(click.HelpFormatter):
    """Help that fits a narrow terminal too, where the column of options takes less than half of the width."""

    def __init__(self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None) -> None:
        columns = shutil.get_terminal_size().columns
        super().__init__(indent_increment, max(columns, 20) if columns < NARROWEST_HELP else width, max_width)

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write the options or commands with what they mean."""
        super().write_dl(rows, min(col_max, self.width // 2 - col_spacing - self.current_indent), col_spacing)


class Context(click.Context):
    """A context whose help fits narrow terminals."""

    formatter_class = Help


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used, so that no command waits for the imports of another."""

    context_class = Context

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """The commands in the order a user meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        """The command of this name, or None."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"dlnrepro.commands.{cmd_name}")
        command: click.Command = module.command
        command.context_class = Context
        return command


@click.group(
    cls=LazyGroup,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    invoke_without_command=True,
)
@click.version_option(__version__, "-V", "--version", prog_name="dlnrepro")
@click.pass_context
def cli(context: click.Context) -> None:
    """Test published claims about deep linear networks by experiments that can fail.

    Each claim is one YAML file. `dlnrepro run` trains the networks that the file describes, measures them, and compares
    the measurements with the criteria of the claim. Negative controls break one hypothesis of the claim each, so they
    must fail these criteria. The result is a verdict: reproduced, not reproduced, inconclusive, or error.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
        context.exit(2)


def main() -> None:
    """Run the command line and exit with its code."""
    # One thread per process: the matrices are small, and the order of sums must not depend on the machine's cores.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    outlive_readers()
    with Signals() as signals:
        code = _code(signals)
    if lost := lost_output():
        say(f"standard output: expected that all output can be written, found: {lost}")
        code = code or 2
    # At its end Python would search all objects for unused ones, which takes half a second if torch is imported.
    gc.freeze()
    sys.exit(code)


def _code(signals: Signals) -> int:
    """The exit code of the command line as given."""
    try:
        result = cli.main(prog_name="dlnrepro", standalone_mode=False, obj=signals)
        return result if isinstance(result, int) else 0
    except ReproError as error:
        for line in map(str, error.args if type(error) is UsageError else str(error).splitlines()):
            say(on_one_line(line))
        return 2
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "dlnrepro"
        say(on_one_line(f"{path}: {error.format_message()} (see {path} --help)"))
        return 2
    except Ended as error:
        # A second signal must not end this line with a traceback.
        with signals.noted():
            say(str(error))
        return error.code
    except (click.exceptions.Abort, KeyboardInterrupt):
        say(str(Ended(130)))
        return 130
    except BaseException as error:
        # A runner's SystemExit must not decide the exit code; click's own SystemExit ends the completion of words.
        if isinstance(error, SystemExit) and "_DLNREPRO_COMPLETE" in os.environ:
            raise
        say(logged(error))
        return 3
