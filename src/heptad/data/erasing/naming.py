"""Reads who is to be erased: keys as they are typed, and files with one key a line."""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from heptad.core.errors import InputError, nearest
from heptad.data.columns.column_types import STORED
from heptad.data.columns.schema import named_columns
from heptad.data.erasing.subjects import Subjects, subjects_of, values_of
from heptad.data.settings import ColumnType
from heptad.data.sources.sheets import check_once, sheet_lines

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


def named_in(
    path: Path,
    key: Sequence[str],
    types: Mapping[str, Collection[ColumnType]],
    held: Callable[[Subjects], bool] = lambda _: False,
) -> Subjects:
    """The people in a file: one key a line, or CSV whose first line names the columns.

    `key` are the columns of the project's key, `types` every column that may be named with the types that it has had;
    `held` tells whether rows of some people are there. A file of one value a line has a heading where the first is the
    name of a column. One that is a key as well, or is neither, is refused: who is meant would be a guess.
    """
    columns = {*key, *types}
    lines = [line for _, line in sheet_lines(path, lambda names: len(names) > 1 and columns.issuperset(names))]
    if not lines:
        raise InputError(f"{path} names nobody: it is empty.", allowed="one key a line, or CSV with a heading")
    width = len(lines[0])
    has_heading = width > 1 or lines[0][0] in columns
    named = lines[0] if has_heading else list(key)
    check_once(named, named, path)
    if len(named) != width:
        raise InputError(
            f"{path} has one value a line, and the project's key is {', '.join(key) or 'not set'}.",
            allowed=f"CSV whose first line names the columns: {nearest(lines[0][0], named_columns(types))}",
        )
    if has_heading and width == 1:
        _check_is_no_key(path, lines[0][0], key, held)
    elif not has_heading:
        _check_is_no_heading(path, lines[0][0], key[0], types)
    uneven = next((number for number, line in enumerate(lines, 1) if len(line) != width), 0)
    if uneven:
        raise InputError(f"{path} has {len(lines[uneven - 1])} values in line {uneven}, and {width} in the first.")
    return subjects_of(named, lines[1:] if has_heading else lines)


def _check_is_no_key(path: Path, column: str, key: Sequence[str], held: Callable[[Subjects], bool]) -> None:
    """Refuse the name of a column that is somebody's key as well."""
    if len(key) == 1 and held(subjects_of(key, [[column]])):
        raise InputError(
            f"{path} begins with {column!r}, which is the name of a column and a value of the key {key[0]} as well.",
            allowed="a first line that is one of the two",
            remedy=f"name them one by one: --key {key[0]}=..., or --where {column}=...",
        )


def _check_is_no_heading(path: Path, text: str, key: str, types: Mapping[str, Collection[ColumnType]]) -> None:
    """Refuse a first line that may be meant as the name of a column and is none."""
    known = named_columns(types)
    kinds = types.get(key, ())
    alike = any(_plainly(text) == _plainly(column) != "" for column in known)
    if alike or (kinds and not any(values_of(text, STORED[kind]) for kind in kinds)):
        why = "is nearly the name of a column" if alike else f"is no column, and {key} cannot hold it"
        raise InputError(
            f"{path} begins with {text!r}, which {why}: whether it is a heading or a key is not clear.",
            allowed=f"keys of {key}, one a line, or a column: {nearest(text, known)}",
            remedy=f"let the first line be the name of a column; {key}, where every other line is its value",
        )


def _plainly(name: str) -> str:
    """A name without what is easily written otherwise."""
    return "".join(sign for sign in name.casefold() if sign.isalnum())


def check_columns_exist(subjects: Subjects, known: Sequence[str]) -> None:
    """Refuse a column that nothing has: a slip of the pen would erase nobody and say that all is well."""
    for column in subjects.columns:
        if column not in known:
            raise InputError(
                f"No version and no feature view has a column {column!r}.",
                allowed=nearest(column, sorted(named_columns(known))),
            )
