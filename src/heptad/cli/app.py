"""The tree of commands, and the one place where an error becomes words and an exit code."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import msgspec
import typer

from heptad import __version__
from heptad.cli.output import wants_json
from heptad.core.errors import HeptadError

COMMANDS = ("start", "demo", "ask", "keep")
"""Modules whose commands stand at the top: `heptad run`."""
GROUPS = ("data", "experiments", "training", "release", "serving", "monitoring", "lifecycle")
"""Modules whose commands stand below the name of their step: `heptad data log`."""
INTERRUPTED = 130


def _version(value: bool) -> None:
    if value:
        typer.echo(f"heptad {__version__}")
        raise typer.Exit


def root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Carries a machine-learning model through the seven steps of MLOps and keeps it alive."""


def build() -> typer.Typer:
    """The whole tree; the modules import nothing heavy before a command is called."""
    app = typer.Typer(name="heptad", no_args_is_help=True, pretty_exceptions_enable=False, callback=root)
    for name in COMMANDS:
        app.registered_commands += import_module(f"heptad.cli.{name}").app.registered_commands
    for name in GROUPS:
        app.add_typer(import_module(f"heptad.cli.{name}").app, name=name)
    return app


def run(arguments: Sequence[str]) -> int:
    """Run one command; answers its exit code."""
    try:
        code = build()(list(arguments), standalone_mode=False)
    except HeptadError as error:
        report(error, as_json=wants_json(arguments))
        return error.exit_code
    except typer.TyperException as error:
        sys.stderr.write(f"{error.format_message()}\nRemedy: heptad --help, or --help behind a command\n")
        return 2
    except (KeyboardInterrupt, typer.Abort):
        sys.stderr.write("Interrupted. Everything that was finished is kept; run it again to go on.\n")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output, for example `head`, has seen enough.
        sys.stderr.close()
        return 0
    return code if isinstance(code, int) else 0


def report(error: HeptadError, *, as_json: bool) -> None:
    """Say what is wrong, what is allowed, and the remedy: on standard error, or as JSON for a program."""
    if as_json:
        body = {
            "error": type(error).__name__,
            "problem": str(error.args[0]),
            "allowed": error.allowed,
            "remedy": error.remedy,
        }
        sys.stdout.write(msgspec.json.encode(body).decode() + "\n")
    else:
        sys.stderr.write(f"{error}\n")
