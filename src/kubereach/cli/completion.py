"""`kubereach completion`."""

from __future__ import annotations

import click

from kubereach.cli.output import write


@click.command(
    "completion",
    epilog="""\b
Examples:
  echo 'eval "$(kubereach completion bash)"' >> ~/.bashrc
  echo 'eval "$(kubereach completion zsh)"' >> ~/.zshrc
  kubereach completion fish > ~/.config/fish/completions/kubereach.fish""",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that makes bash, zsh or fish complete the words of kubereach."""
    from click.shell_completion import ShellComplete, get_completion_class

    found = get_completion_class(shell)
    if found is None:  # click knows the three; the choice allows no other
        raise click.ClickException(f"click cannot complete {shell}")
    complete = found(ctx.find_root().command, {}, "kubereach", "_KUBEREACH_COMPLETE")
    # Not found.source(): for bash it starts a bash to look at its version.
    write(ShellComplete.source(complete))
