"""The tree of commands, and the one place where an error becomes words and an exit code."""

import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Annotated, Any

import typer

from heptad import __version__
from heptad.cli.output import wants_json
from heptad.cli.parameters import read_without_pydantic
from heptad.core.errors import HeptadError, InputError, nearest

COMMANDS = ("start", "up", "demo", "ask", "keep")
"""Modules whose commands stand at the top: `heptad run`."""
GROUPS = ("data", "experiments", "training", "release", "serving", "monitoring", "lifecycle")
"""Modules whose commands stand below the name of their step: `heptad data log`."""
FAILED = 1
INTERRUPTED = 130


def _version(value: bool) -> None:
    if value:
        typer.echo(f"heptad {__version__}")
        raise typer.Exit


def root(
    version: Annotated[  # noqa: ARG001 - its callback answers it
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Carries a machine-learning model through the seven steps of MLOps and keeps it alive."""
    from heptad.core.memory import return_freed_memory

    return_freed_memory()


def build() -> Callable[..., Any]:
    """The whole tree; the modules import nothing heavy before a command is called."""
    app = typer.Typer(name="heptad", pretty_exceptions_enable=False, callback=root)
    for name in COMMANDS:
        app.registered_commands += import_module(f"heptad.cli.{name}").app.registered_commands
    for name in GROUPS:
        app.add_typer(import_module(f"heptad.cli.{name}").app, name=name)
    command = typer.main.get_command(app)
    read_without_pydantic(command)
    return command


def run(arguments: Sequence[str]) -> int:
    """Run one command; answers its exit code."""
    as_json = wants_json(arguments)
    try:
        code = _call(arguments)
    except HeptadError as error:
        report(error, as_json=as_json)
        code = error.exit_code
    except typer.TyperException as error:
        usage = usage_error(error, arguments)
        report(usage, as_json=as_json)
        code = usage.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception:  # noqa: BLE001 - it is shown whole, with where to tell it
        traceback.print_exc()
        sys.stderr.write(_DEFECT)
        code = FAILED
    if code == INTERRUPTED:
        sys.stderr.write("Interrupted. Everything that was finished is kept; run it again to go on.\n")
    return code


_DEFECT = (
    f"\nThis is a defect of heptad {__version__}, not of what you gave it. Nothing that was stored before is lost.\n"
    "Remedy: report it to whoever maintains heptad, with the lines above and the output of `heptad doctor`\n"
)


def _call(arguments: Sequence[str]) -> int:
    if len(arguments) == 0 or (len(arguments) == 1 and arguments[0] in GROUPS):
        arguments = [*arguments, "--help"]
    code = build()(list(arguments), prog_name="heptad", standalone_mode=False)
    return code if isinstance(code, int) else 0


def usage_error(error: typer.TyperException, arguments: Sequence[str] = ()) -> InputError:
    """What is wrong with the words on the command line, as an error of ours: with the nearest right ones."""
    context = getattr(error, "ctx", None)
    if context is None:
        named = arguments[: 2 if arguments[:1] and arguments[0] in GROUPS else 1]
        return InputError(error.format_message(), remedy=" ".join(["heptad", *named, "--help"]))
    command, problem, allowed = context.command, error.format_message(), ""
    if hasattr(error, "possibilities"):
        known = [name for option in command.get_params(context) for name in option.opts if name.startswith("--")]
        problem, allowed = f"{error}.", nearest(str(getattr(error, "option_name", "")), known)
    elif str(error).startswith(_NO_COMMAND):
        given = str(error).removeprefix(_NO_COMMAND).split("'")[1]
        problem, allowed = f"There is no command {given!r}.", nearest(given, list(command.commands), most=30)
    return InputError(problem, allowed=allowed, remedy=f"{context.command_path} --help")


_NO_COMMAND = "No such command "


def report(error: HeptadError, *, as_json: bool) -> None:
    """Say what is wrong, what is allowed, and the remedy: on standard error, or as JSON for a program."""
    if as_json:
        import msgspec

        body = {
            "error": type(error).__name__,
            "problem": str(error.args[0]),
            "allowed": error.allowed,
            "remedy": error.remedy,
        }
        sys.stdout.write(msgspec.json.encode(body).decode() + "\n")
    else:
        sys.stderr.write(f"{error}\n")
