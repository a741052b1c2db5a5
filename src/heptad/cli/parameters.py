"""Reads the words of a command line without pydantic, whose import takes longer than all else before a command starts.

Typer 0.29 makes every value through pydantic. Commands here take texts, paths, whole numbers and flags, which need none
of it; a parameter of another type is left to Typer.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer


class Reading:
    """How the words of one parameter become its value; it stands where Typer would put pydantic."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        self._read = read

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """One value, several where the parameter takes several, `None` where nothing was given."""
        try:
            if isinstance(value, list | tuple):
                return [self._read(one) for one in value]
            return None if value is None else self._read(value)
        except ValueError as error:
            raise typer.BadParameter(str(error), ctx=ctx, param=param) from None


def read_without_pydantic(command: Any) -> None:
    """Let the parameters of a command, and of all below it, be read as this module does."""
    for one in command.get_params(typer.Context(command)):
        described = one.type_descriptor
        if described.annotation in _READ and described.parameter_info.parser is None:
            read = _READ[described.annotation](described.parameter_info)
            one._runtime_param = Reading(read)  # noqa: SLF001 - Typer has no public place for it
    for below in getattr(command, "commands", {}).values():
        read_without_pydantic(below)


def _whole_number(settings: Any) -> Callable[[Any], int]:
    least, most = settings.min, settings.max
    allowed = f"at least {least}" if most is None else f"between {least} and {most}"

    def read(word: Any) -> int:
        try:
            number = int(word)
        except ValueError:
            raise ValueError(f"{word!r} is not a whole number.") from None
        if (least is not None and number < least) or (most is not None and number > most):
            raise ValueError(f"{number} is not {allowed}.")
        return number

    return read


_READ: dict[Any, Callable[[Any], Callable[[Any], Any]]] = {
    bool: lambda _settings: bool,
    str: lambda _settings: str,
    list[str]: lambda _settings: str,
    Path: lambda _settings: Path,
    int: _whole_number,
}
"""Type of a parameter to what makes its reading from its settings."""
