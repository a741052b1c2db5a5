"""What every command prints: a table or lines for a person, one JSON value for a program."""

import math
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

ProjectOption = Annotated[Path, typer.Option("--project", "-p", help="The project's folder.", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON value instead of text.")]
HERE = Path()
_GAP = 2
_BLOCKS = "▁▂▃▄▅▆▇█"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What would move the cursor, colour the terminal or turn text around, and halves of characters."""
_NARROWEST = 16
"""The last column of a table is wrapped to what is left of the line, but not to less than this."""


def wants_json(arguments: Iterable[str]) -> bool:
    return "--json" in arguments


def emit(value: Any, text: str, *, as_json: bool) -> None:
    """Print `value` as JSON, or `text`."""
    import msgspec

    try:
        sys.stdout.write((msgspec.json.encode(value).decode() if as_json else text.rstrip("\n")) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output, for example `head`, has seen enough; Python would complain again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def confirm(question: str, refused: str) -> None:
    """Ask before what cannot be undone; raises `InputError` unless the answer is yes, also where nobody can answer."""
    from heptad.core.errors import InputError

    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        agreed = False
        typer.echo(err=True)
    if not agreed:
        raise InputError(refused, allowed="yes, or --yes")


def columns() -> int:
    """How wide a line may be: the terminal's width, 80 where there is none."""
    return shutil.get_terminal_size((80, 24)).columns


def table(rows: Sequence[Mapping[str, Any]], *, empty: str = "Nothing yet.") -> str:
    """Rows as aligned columns, numbers to the right; the last column is wrapped so that lines fit the terminal.

    Every row has the keys of the first, which are the headings.
    """
    if not rows:
        return empty
    names = list(rows[0])
    cells = [[shown(name) for name in names], *([shown(row[name]) for name in names] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
    left = columns() - sum(widths[:-1]) - _GAP * (len(names) - 1)
    widths[-1] = max(min(widths[-1], max(left, _NARROWEST)), 1)
    numeric = [all(isinstance(row[name], int | float | None) for row in rows) for name in names]
    return "\n".join(one for line in cells for one in _lines(line, widths, numeric))


def sparkline(values: Sequence[float]) -> str:
    """Numbers as a line of blocks, one for each, the least at the bottom; what is no number leaves a gap.

    >>> sparkline([0, 1, 2, 3, 2, 1])
    '▁▃▆█▆▃'
    """
    there = [value for value in values if math.isfinite(value)]
    largest = max(map(abs, there), default=0.0) or 1.0
    # As shares of the largest, no difference overflows, and none is too small to divide by.
    low, high = min(there, default=0.0) / largest, max(there, default=0.0) / largest
    rows = (len(_BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(_BLOCKS[round((value / largest - low) * rows)] if math.isfinite(value) else " " for value in values)


def facts(values: Mapping[str, Any]) -> str:
    """Name and value pairs, one a line, values aligned and wrapped."""
    rows = [[shown(name), shown(value)] for name, value in values.items()]
    names = max((len(name) for name, _ in rows), default=0)
    return "\n".join(line for row in rows for line in _lines(row, [names, _rest(names)], [False] * 2))


def section(title: str, text: str) -> str:
    """A titled block."""
    return f"{title}\n{'-' * len(title)}\n{text}"


def wrapped(sentences: Iterable[str], indent: int = 0) -> str:
    """Sentences, each on lines of its own that fit the terminal; further lines of one are indented by two more."""
    margin = " " * indent
    return "\n".join(
        textwrap.fill(one, columns(), initial_indent=margin, subsequent_indent=margin + "  ", break_long_words=False)
        for one in sentences
    )


def shown(value: Any) -> str:
    """A value as a person reads it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else _printable(str(value))


def _printable(text: str) -> str:
    """Text on one line: white space as blanks, other control characters as Python escapes them."""
    return _CONTROL.sub(lambda one: " " if one[0].isspace() else one[0].encode("unicode_escape").decode(), text)


def _rest(names: int) -> int:
    return max(columns() - names - _GAP, _NARROWEST)


def _lines(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> list[str]:
    """One row of cells as lines: the last cell flows down its column."""
    last = textwrap.wrap(cells[-1], widths[-1], break_long_words=False, break_on_hyphens=False) or [""]
    rows = [[*cells[:-1], last[0]], *([*([""] * (len(cells) - 1)), more] for more in last[1:])]
    return [(" " * _GAP).join(_placed(row, widths, numeric)).rstrip() for row in rows]


def _placed(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> list[str]:
    return [
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, numeric, strict=True)
    ]
