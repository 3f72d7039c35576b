"""`dlnrepro completion` prints the shell-completion script."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_EPILOG = """\b
To set it up permanently:
  bash   echo 'eval "$(dlnrepro completion bash)"' >> ~/.bashrc
  zsh    echo 'eval "$(dlnrepro completion zsh)"' >> ~/.zshrc       (below compinit)
  fish   dlnrepro completion fish > ~/.config/fish/completions/dlnrepro.fish
"""


@click.command("completion", short_help="Print the shell-completion script.", epilog=_EPILOG)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print the shell-completion script, for commands, options, ids of claims, tags and stored reports."""
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(click.get_current_context().find_root().command, {}, "dlnrepro", "_DLNREPRO_COMPLETE").source())
    return 0
