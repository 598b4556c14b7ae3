"""The group of verbs, and the frame around every run: errors in two lines, exit statuses, broken pipes, Ctrl-C."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from kubereach import __version__
from kubereach.cli import plugin
from kubereach.cli.status import BROKEN_PIPE, INTERRUPTED, USAGE
from kubereach.errors import KubereachError

# verb → (module that defines `command`, one line of help). Data, so that --help imports no verb.
VERBS = {
    "diagnose": ("kubereach.cli.diagnose", "Say why a client cannot reach an address, and what helps."),
    "next": ("kubereach.cli.next_questions", "List the questions worth asking next, best first."),
    "what-if": ("kubereach.cli.what_if", "Say what a change would do, before it is made."),
    "diff": ("kubereach.cli.diff", "Say what changed between two collections, and what it did."),
    "collect-list": ("kubereach.cli.collect_list", "List the commands whose outputs would decide."),
    "formats": ("kubereach.cli.formats", "List every text that is read, and the command that prints it."),
    "explain": ("kubereach.cli.explain", "Describe a cause, or a class of causes."),
    "lab": ("kubereach.cli.lab", "Run a system in miniature, break it, and diagnose it."),
    "schema": ("kubereach.cli.schema", "Print the JSON Schema of what a verb prints as JSON."),
    "completion": ("kubereach.cli.completion", "Print the completion script for bash, zsh or fish."),
}

_EPILOG = """\b
Examples:
  kubereach diagnose post.txt              a pasted post or mail
  kubereach diagnose outputs/              a folder of command outputs
  kubectl get svc -A -o wide | kubereach diagnose
  kubereach collect-list --service shop/front

\b
Exit status of diagnose: 0 reachable or merely misread, 1 unreachable or
degraded, 2 usage, 3 undetermined, 4 nothing readable."""


class _LazyGroup(click.Group):
    """Verbs by name; a verb's module is imported when the verb is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(VERBS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(verb, summary) for verb, (_, summary) in VERBS.items()])


@click.group(
    cls=_LazyGroup,
    epilog=_EPILOG,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="kubereach", message="%(prog)s %(version)s")
def group() -> None:
    """Find out why a client cannot reach a Kubernetes service address, and what will make it work.

    kubereach reads what you have: a forum post, a folder of command outputs, or standard input. It sends nothing
    anywhere.
    """


def run(argv: list[str]) -> int:
    """Run `argv` and return the exit status; whatever happens, no traceback for what a user can cause."""
    output = sys.stdout
    program, words = plugin.words(argv)
    try:
        try:
            status = group.main(words, prog_name=program, standalone_mode=False)
        finally:
            _flush()
    except KubereachError as error:
        return _fail(error.message, error.hint, error.exit_status)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return USAGE
    except click.ClickException as error:
        return _fail(error.format_message(), _next_step(error, program, words), USAGE)
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        return _forget_output()
    except OSError as error:  # a full disk, say; what cannot be read is reported by sources
        _forget_output()
        return _fail(f"cannot write the output: {error.strerror or error}", "write it somewhere else", USAGE)
    except SystemExit:
        if sys.stdout is output:
            raise
        return _forget_output()  # click met a broken pipe: it has wrapped the output and leaves with 1
    return status if isinstance(status, int) else 0


def _next_step(error: click.ClickException, program: str, words: list[str]) -> str:
    if words and words[0] not in VERBS and os.path.exists(words[0]):
        return f"to diagnose it, run `{program} diagnose {words[0]}`"
    context = getattr(error, "ctx", None)
    path = context.command_path if isinstance(context, click.Context) else "kubereach"
    return f"see `{path} --help`"


def _fail(message: str, hint: str, status: int) -> int:
    """The two lines on standard error: what is wrong, and what to do next."""
    from kubereach.report.clean import clean

    if hint[1:2].islower():  # errors from elsewhere begin their hint as a sentence
        hint = hint[0].lower() + hint[1:]
    click.echo(f"error: {clean(message).strip().removesuffix('.')}", err=True)
    click.echo(f"next:  {clean(hint).strip().removesuffix('.')}", err=True)
    return status


def _flush() -> None:
    if sys.stdout is not None:
        sys.stdout.flush()


def _forget_output() -> int:
    """Nobody reads any more: what is still buffered must not raise again when the interpreter ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return BROKEN_PIPE
