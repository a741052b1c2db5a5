"""What every command prints: a table or lines for a person, one JSON value for a program."""

import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

ProjectOption = Annotated[Path, typer.Option("--project", "-p", help="The project's folder.", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON value instead of text.")]
HERE = Path()


def wants_json(arguments: Iterable[str]) -> bool:
    return "--json" in arguments


def emit(value: Any, text: str, *, as_json: bool) -> None:
    """Print `value` as JSON, or `text`."""
    sys.stdout.write((msgspec.json.encode(value).decode() if as_json else text.rstrip("\n")) + "\n")


def table(rows: Sequence[Mapping[str, Any]], *, empty: str = "Nothing yet.") -> str:
    """Rows as aligned columns that fit the terminal: the last column is cut, numbers stand to the right."""
    if not rows:
        return empty
    names = list(rows[0])
    cells = [names, *([_shown(row[name]) for name in names] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
    numeric = [all(isinstance(row[name], int | float | None) for row in rows) for name in names]
    width = shutil.get_terminal_size((80, 24)).columns
    return "\n".join(_line(line, widths, numeric)[:width].rstrip() for line in cells)


def facts(values: Mapping[str, Any]) -> str:
    """Name and value pairs, one a line, values aligned."""
    width = max((len(name) for name in values), default=0)
    return "\n".join(f"{name:<{width}}  {_shown(value)}" for name, value in values.items())


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    placed = (
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, numeric, strict=True)
    )
    return "  ".join(placed)


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    if hasattr(value, "strftime"):
        return str(value.strftime("%Y-%m-%d %H:%M"))
    return str(value)


def section(title: str, text: str) -> str:
    """A titled block."""
    return f"{title}\n{'-' * len(title)}\n{text}"


def wrapped(sentences: Iterable[str], indent: int = 0) -> str:
    """Sentences, each on lines of its own that fit the terminal."""
    width = shutil.get_terminal_size((80, 24)).columns
    margin = " " * indent
    return "\n".join(
        textwrap.fill(one, width, initial_indent=margin, subsequent_indent=margin, break_long_words=False)
        for one in sentences
    )
