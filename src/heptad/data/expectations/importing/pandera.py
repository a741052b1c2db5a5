"""Schemas of Pandera, as `pandera.io` writes them in YAML and JSON."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from heptad.core.errors import DataError
from heptad.data.expectations.importing.translation import (
    Gathering,
    Imported,
    LeftOut,
    NoTwinError,
    Piece,
    pattern_of,
    plain_values,
    range_of,
    type_of,
    wider,
)

Options = Mapping[str, Any]

_OF_A_COLUMN = {"title", "description", "dtype", "nullable", "checks", "unique", "coerce", "required", "regex"}
_COLUMN_KEYS = _OF_A_COLUMN | {"name", "metadata", "default", "parsers", "report_duplicates", "drop_invalid_rows"}
_OF_A_CHECK = {"options", "error", "name", "title", "description", "ignore_na", "raise_warning", "n_failure_cases"}


def read_schema(schema: Mapping[str, Any], left_out: Sequence[LeftOut] = ()) -> Imported:
    """The expectations of a schema; raises `DataError` where it is none.

    `left_out`: what the schema had besides, which could not be written down.
    """
    columns = schema.get("columns")
    if not isinstance(columns, dict) or not all(isinstance(one or {}, dict) for one in columns.values()):
        raise DataError("This is no schema of Pandera.", allowed='a table "columns", as pandera.io.to_yaml writes it')
    gathering = Gathering()
    for one in left_out:
        gathering.leave_out(one.name, one.why)
    held: dict[str, list[str]] = {}
    for name, column in columns.items():
        _column(gathering, str(name), column or {}, held)
    for why, names in held.items():
        gathering.leave_out(f"the type of {', '.join(names)}", why)
    _table(gathering, schema, [str(one) for one in columns])
    return gathering.done()


def _column(gathering: Gathering, name: str, column: Options, held: dict[str, list[str]]) -> None:
    """`held`: what types are held as, where that takes more, to the columns."""
    if column.get("regex"):
        gathering.leave_out(f"the columns {name}", "a pattern of names cannot be said: name each column")
        return
    about = {"about": str(column.get("description") or column.get("title") or "")}
    nullable = bool(column.get("nullable"))
    settings: dict[str, Any] = {} if nullable else {"missing": 0.0}
    pieces: list[Piece] = []
    if column.get("unique") and nullable:
        pieces.append(("", {"unique_with_missing": [name]} | about))
    elif column.get("unique"):
        settings["unique"] = True
    if column.get("dtype"):
        try:
            settings["type"] = type_of(str(column["dtype"]))
            if more := wider(str(column["dtype"])):
                held.setdefault(more, []).append(name)
        except NoTwinError as error:
            gathering.leave_out(f"the type of {name}", error.problem)
    gathering.take(f"the column {name}", [(name, (settings or {"present": True}) | about), *pieces])
    if column.get("required") is False:
        gathering.leave_out(f"required = false of {name}", "a column that something is expected of has to be there")
    for check, argument in _checks(column):
        gathering.take(f"{check} of {name}", _pieces(name, check, argument, about, nullable=nullable))


def _pieces(name: str, check: str, argument: Any, about: Mapping[str, Any], *, nullable: bool) -> Iterator[Piece]:
    options = argument if isinstance(argument, dict) else {"value": argument}
    if _option(options, "groupby"):
        raise NoTwinError("it compares groups of rows")
    how = {**about, "severity": "warning" if _option(options, "raise_warning") else None}
    for settings in _TRANSLATED.get(check, _unknown)(_plain(options)):
        yield name, settings | how
    if nullable and _option(options, "ignore_na") is False:
        # For pandas a missing value is unlike every other, and for Polars it fails all checks: the stricter is held.
        yield name, {"missing": 0.0} | how


def _unknown(options: Options) -> Iterator[dict[str, Any]]:
    del options
    raise NoTwinError('this check is not known; it may be of your own: function = "module:function" says it here')


def _checks(column: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Name and arguments: since 0.24 in the column itself, before in a table or list of its own."""
    written = column.get("checks") or {}
    if isinstance(written, dict):
        yield from written.items()
    else:
        yield from ((_check_name(one), one) for one in _each(written))
    yield from ((name, one) for name, one in column.items() if name not in _COLUMN_KEYS)


def _each(written: Any) -> list[Any]:
    return written if isinstance(written, list) else [written]


def _check_name(check: Any) -> str:
    named = (_option(check, "check_name") or check.get("name")) if isinstance(check, dict) else None
    return str(named or "a check without a name")


def _option(options: Options, name: str) -> Any:
    inner = options.get("options")
    return options.get(name, inner.get(name) if isinstance(inner, dict) else None)


def _first(options: Options, *names: str) -> Any:
    """The argument under the name that this version of Pandera writes it with."""
    return next((options[one] for one in names if one in options), None)


def _plain(options: Options) -> dict[str, Any]:
    """The arguments alone, times as text."""
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in options.items()
        if name not in _OF_A_CHECK
    }


def _limit(number: str, time: str) -> Callable[[Options], Iterator[dict[str, Any]]]:
    def translate(options: Options) -> Iterator[dict[str, Any]]:
        value = _first(options, "value", "min_value", "max_value")
        if isinstance(value, str):
            if not time:
                raise NoTwinError("limits in time are included here")
            yield {time: value}
        else:
            yield {number: range_of(value, None)["min"]}

    return translate


def _in_range(options: Options) -> Iterator[dict[str, Any]]:
    low, high = options["min_value"], options["max_value"]
    open_low, open_high = options.get("include_min") is False, options.get("include_max") is False
    yield from _limit("above" if open_low else "min", "" if open_low else "not_before")({"value": low})
    yield from _limit("below" if open_high else "max", "" if open_high else "not_after")({"value": high})


def _length(options: Options) -> Iterator[dict[str, Any]]:
    exact = options.get("exact_value", options.get("value"))
    if exact is not None:
        yield {"length": range_of(exact, exact)}
    else:
        yield {"length": range_of(options.get("min_value"), options.get("max_value"))}


def _only(setting: str, *arguments: str) -> Callable[[Options], Iterator[dict[str, Any]]]:
    def translate(options: Options) -> Iterator[dict[str, Any]]:
        value = _first(options, *arguments, "value")
        yield {setting: plain_values(value if isinstance(value, list) else [value])}

    return translate


def _text(setting: str, *arguments: str, form: str = "{}") -> Callable[[Options], Iterator[dict[str, Any]]]:
    def translate(options: Options) -> Iterator[dict[str, Any]]:
        value = _first(options, *arguments, "value")
        if not isinstance(value, str):
            raise NoTwinError("its argument is no text")
        text = form.replace("{}", value)
        yield {setting: pattern_of(text) if setting == "matches" else text}

    return translate


_TRANSLATED: dict[str, Callable[[Options], Iterator[dict[str, Any]]]] = {
    "equal_to": _only("allowed"),
    "not_equal_to": _only("forbidden"),
    "greater_than": _limit("above", ""),
    "greater_than_or_equal_to": _limit("min", "not_before"),
    "less_than": _limit("below", ""),
    "less_than_or_equal_to": _limit("max", "not_after"),
    "in_range": _in_range,
    "isin": _only("allowed", "allowed_values"),
    "notin": _only("forbidden", "forbidden_values"),
    "str_matches": _text("matches", "pattern", form="^(?:{})"),
    "str_contains": _text("matches", "pattern"),
    "str_startswith": _text("starts_with", "string"),
    "str_endswith": _text("ends_with", "string"),
    "str_length": _length,
    "unique_values_eq": _only("values", "values"),
}


def _unique(names: list[str], filled: list[str]) -> Iterator[Piece]:
    yield "", {"unique" if all(one in filled for one in names) else "unique_with_missing": names}


def _table(gathering: Gathering, schema: Mapping[str, Any], columns: list[str]) -> None:
    patterns = any((one or {}).get("regex") for one in schema["columns"].values())
    closed = schema.get("strict") is True and not patterns
    if closed:
        gathering.take("strict", [("", {"columns_in_order" if schema.get("ordered") else "columns": columns})])
    elif schema.get("strict") is True:
        gathering.leave_out("strict", "the names of some of the columns are patterns")
    elif schema.get("strict"):
        gathering.leave_out(
            f"strict = {schema['strict']}", "expectations change nothing; leave columns out in [data] function"
        )
    if schema.get("ordered") and not closed:
        gathering.leave_out("ordered", "an order is only said of all columns: columns_in_order")
    unique = _each(schema.get("unique") or [])
    filled = [str(name) for name, one in schema["columns"].items() if not (one or {}).get("nullable")]
    for names in unique if unique and isinstance(unique[0], list) else [unique] if unique else []:
        gathering.take("unique", _unique(names, filled))
    if schema.get("coerce") or any((one or {}).get("coerce") for one in schema["columns"].values()):
        gathering.leave_out("coerce", "expectations change nothing; types are set in [data] types")
    for place, one in enumerate(_each(schema.get("index") or [])):
        name = one.get("name") if isinstance(one, dict) else None
        gathering.leave_out(f"the index {name or place}", "an index is a column here, or [data] key")
    whole = schema.get("checks") or {}
    for name in whole if isinstance(whole, dict) else map(_check_name, _each(whole)):
        gathering.leave_out(
            f"{name} of the whole frame", 'a function of the project says it: function = "module:function"'
        )
