"""Reads who is to be erased: keys as they are typed, and files with one key a line."""

import csv
from collections.abc import Sequence
from pathlib import Path

from heptad.core.errors import InputError, nearest
from heptad.data.columns.schema import named_columns
from heptad.data.erasing.subjects import Subjects, subjects_of

_ALLOWED = "COLUMN=VALUE"


def named_by(texts: Sequence[str]) -> Subjects:
    """One person by `COLUMN=VALUE` of each column that names them; of several values of a column, several people.

    >>> named_by(["customer=17", "customer=18"]).keys
    [['17'], ['18']]
    >>> named_by(["shop=a", "customer=17"]).parts()
    [{'shop': 'a', 'customer': '17'}]
    """
    values: dict[str, list[str]] = {}
    for text in texts:
        column, equals, value = text.partition("=")
        if not equals or not column or not value:
            raise InputError(f"{text!r} names nobody.", allowed=_ALLOWED)
        values.setdefault(column, []).append(value)
    if len(values) > 1 and any(len(one) > 1 for one in values.values()):
        raise InputError(
            "Several values of a column are several people, which says nothing of the other columns.",
            allowed="one value for each of several columns, or several values of one column",
            remedy="name people with several columns in a CSV file: --keys FILE",
        )
    if len(values) == 1:
        ((column, several),) = values.items()
        return subjects_of([column], [[value] for value in several])
    return subjects_of(list(values), [[one[0] for one in values.values()]] if values else [])


def named_in(path: Path, columns: Sequence[str]) -> Subjects:
    """The people in a file: one key a line, or CSV whose first line names the columns.

    `columns` are those of the project's key. A file of lines is of that one column; its first line is a heading where
    it is the name of a column of the key.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = [line for line in csv.reader(file) if any(cell.strip() for cell in line)]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}.", allowed="UTF-8 text, one key a line, or CSV") from error
    if not lines:
        raise InputError(f"{path} names nobody: it is empty.", allowed="one key a line, or CSV with a heading")
    width = len(lines[0])
    has_heading = width > 1 or lines[0][0] in columns
    named = lines[0] if has_heading else list(columns)
    if len(named) != width:
        raise InputError(
            f"{path} has one value a line, and the project's key is {', '.join(columns) or 'not set'}.",
            allowed="CSV whose first line names the columns",
        )
    uneven = next((number for number, line in enumerate(lines, 1) if len(line) != width), 0)
    if uneven:
        raise InputError(f"{path} has {len(lines[uneven - 1])} values in line {uneven}, and {width} in the first.")
    return subjects_of(named, lines[1:] if has_heading else lines)


def check_columns_exist(subjects: Subjects, known: Sequence[str]) -> None:
    """Refuse a column that no table has: a slip of the pen would erase nobody and say that all is well."""
    for column in subjects.columns:
        if column not in known:
            raise InputError(
                f"No version has a column {column!r}.", allowed=nearest(column, sorted(named_columns(known)))
            )
