"""Values become the arrays that a model takes: the one place for it, in training and in serving.

Every input of a model is one array of shape `(n, 1)`. Numbers, booleans (0 and 1) and moments (seconds since
1970, UTC) are float64, where NaN means missing; categories and texts are strings, where `MISSING` means a
missing category and an empty text a missing text.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from heptad.core.errors import DataError, RequestError, nearest
from heptad.data import ColumnType
from heptad.training.records import Input, Signature

if TYPE_CHECKING:
    import polars as pl  # a serve worker reads rows, never frames

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Columns: TypeAlias = Mapping[str, Array]
"""Name of each input to its array of shape `(n, 1)`."""

MISSING = "\uffff"
"""Stands for a missing category: no character, so that no text can be meant by it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def check_rows(rows: Sequence[Mapping[str, Any]], signature: Signature) -> tuple[dict[str, Array], list[list[str]]]:
    """The columns of rows that came as JSON, and the warnings of each row.

    Raises `RequestError` (status 422) that names the field: a column that is not there or not known, a value of the
    wrong type, a null where a value is required, a category outside of a closed set. A category that training never
    saw, and a null where training saw none, are warnings. Moments are ISO 8601 texts; without a zone they are UTC.
    """
    return _reader(signature).read(rows)


def columns_of(frame: "pl.DataFrame", signature: Signature) -> dict[str, Array]:
    """The columns of a frame; equal values give the same arrays as `check_rows`.

    Infinite numbers count as missing. Raises `DataError` for a column that is not there or of another type.
    """
    encoded = {}
    for column in signature.inputs:
        encode, fitting = _FRAME[column.type]
        series = _series(frame, column, fitting)
        encoded[column.name] = encode(series, _STRINGS.get(column.type, "")).reshape(-1, 1)
    return encoded


def encode_columns(columns: Mapping[str, Sequence[object] | Array], signature: Signature) -> dict[str, Array]:
    """Every input's array: arrays are taken as they are, other sequences hold JSON values; left out is all missing."""
    reader = _reader(signature)
    if columns.keys() == reader.names and set(map(type, columns.values())) == {np.ndarray}:
        return cast("dict[str, Array]", columns)
    rows = next((len(values) for values in columns.values()), 0)
    encoded = {}
    for column in reader.columns:
        values = columns.get(column.name)
        if isinstance(values, np.ndarray):
            encoded[column.name] = values
        else:
            read = [column.checked(value, []) for value in ([None] * rows if values is None else values)]
            encoded[column.name] = np.array(read, dtype=column.dtype).reshape(-1, 1)
    return encoded


def is_string(kind: ColumnType) -> bool:
    """Whether the model takes values of this type as strings."""
    return kind in _STRINGS


# JSON values -----------------------------------------------------------------------------------------------------


def _number(value: Any) -> float:
    if type(value) is not float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError
        value = float(value)
    if not math.isfinite(value):
        raise ValueError
    return float(value)


def _integer(value: Any) -> float:
    number = _number(value)
    if not number.is_integer():
        raise ValueError
    return number


def _boolean(value: Any) -> float:
    if type(value) is not bool:
        raise TypeError
    return float(value)


def _moment(value: Any) -> float:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - _EPOCH
    # The product is rounded before it is divided, as Polars does it with whole columns.
    return float((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) / 1e6


def _text(value: Any) -> str:
    if isinstance(value, int):
        return str(value).lower()  # false and true, as in JSON
    if not isinstance(value, str):
        raise TypeError
    if not value.isascii():
        value.encode()  # half of a surrogate pair is no character, and raises
    return value


_NULL = type(None)
_JSON: dict[ColumnType, tuple[Callable[[Any], float | str], set[type], str]] = {
    "number": (_number, {float, int, _NULL}, "a finite number, or null"),
    "integer": (_integer, {int, _NULL}, "a whole number, or null"),
    "boolean": (_boolean, {bool, _NULL}, "true, false, or null"),
    "datetime": (_moment, set(), "a moment in ISO 8601, for example 2013-04-01T06:30:00Z, or null"),
    "category": (_text, {str, _NULL}, "a text, or null"),
    "text": (_text, {str, _NULL}, "a text, or null"),
}
"""Type of a column to the function that reads one JSON value of it, the Python types of which many can be read at
once, and what is allowed in words."""

_WRONG = (TypeError, ValueError, OverflowError)
"""What reading a wrong value raises."""

_STRINGS: dict[ColumnType, str] = {"category": MISSING, "text": ""}
"""Types that the model takes as strings, and how each writes a missing value."""


@dataclass(frozen=True, slots=True)
class _Column:
    """How one input is read: everything that can be known before the first row comes."""

    name: str
    parse: Callable[[Any], float | str]
    plain: set[type]
    allowed: str
    null: float | str
    dtype: type
    required: bool
    closed: bool
    known: frozenset[str] | None
    null_warning: str
    unseen_warning: str

    @classmethod
    def of(cls, column: Input) -> "_Column":
        parse, plain, allowed = _JSON[column.type]
        is_category = column.type == "category" and column.categories is not None
        return cls(
            name=column.name,
            parse=parse,
            plain=plain,
            allowed=allowed.removesuffix(", or null") if column.required else allowed,
            null=_STRINGS.get(column.type, math.nan),
            dtype=object if is_string(column.type) else float,
            required=column.required,
            closed=column.closed,
            known=frozenset(column.categories or ()) if is_category else None,
            null_warning="" if column.nulls_seen else f"{column.name}: missing, which training never saw",
            unseen_warning=f"{column.name}: a value that training never saw",
        )

    def read(self, value: Any, notes: list[str]) -> float | str:
        """The value as the model takes it, with a warning added to `notes`; one of `_WRONG` where it cannot be."""
        if value is None:
            if self.required:
                raise ValueError
            if self.null_warning:
                notes.append(self.null_warning)
            return self.null
        parsed = self.parse(value)
        if self.known is not None and parsed not in self.known:
            if self.closed:
                raise ValueError
            notes.append(self.unseen_warning)
        return parsed

    def read_many(self, values: list[Any], notes: list[list[str]]) -> Array:
        """The values of many rows, at once where none needs a second look, else one by one."""
        together = self._read_together(values)
        if together is not None:
            return together
        return np.array([self.read(value, own) for value, own in zip(values, notes, strict=True)], dtype=self.dtype)

    def _read_together(self, values: list[Any]) -> Array | None:
        kinds = set(map(type, values))
        if not kinds <= self.plain or (_NULL in kinds and (self.required or self.null_warning)):
            return None
        if self.dtype is float:
            numbers = np.array(values, dtype=float)  # None becomes NaN
            return numbers if np.isfinite(numbers).sum() + values.count(None) == len(values) else None
        different = set(values) - {None}
        if self.known is None:
            "".join(different).encode()
        elif not different <= self.known:
            return None
        return np.array([self.null if value is None else value for value in values], dtype=object)

    def checked(self, value: Any, notes: list[str], where: str = "") -> float | str:
        """The same, with a `RequestError` that says what is wrong."""
        try:
            return self.read(value, notes)
        except _WRONG:
            shown = "null" if value is None else ascii(value)
            outside = self.closed and self.known is not None and isinstance(value, str)
            raise RequestError(
                f"{self.name!r}{where} cannot be {shown if len(shown) <= 80 else shown[:77] + '...'}.",
                status=422,
                field=self.name,
                allowed=nearest(str(value), sorted(self.known or ())) if outside else self.allowed,
            ) from None


class _Reader:
    """Reads rows for one signature: first in haste, and where that fails once more to say what is wrong."""

    def __init__(self, signature: Signature) -> None:
        self.signature = signature
        # Numbers come first, so that the warnings of a row stand in one order however many rows are read.
        self.columns = sorted(
            map(_Column.of, signature.inputs), key=lambda one: (one.dtype is object, one.parse is not _number)
        )
        self.names = {one.name for one in self.columns}
        self._numbers = [(one.name, one.read) for one in self.columns if one.parse is _number]
        others = [one for one in self.columns if one.parse is not _number]
        self._others = [
            ([(one.name, one.read) for one in others if one.dtype is dtype], dtype) for dtype in (float, object)
        ]

    def read(self, rows: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Array], list[list[str]]]:
        warnings: list[list[str]] = [[] for _ in rows]
        try:
            encoded = self._one(rows[0], warnings[0]) if len(rows) == 1 else self._many(rows, warnings)
            complete = all(len(row) == len(encoded) for row in rows)
        except (*_WRONG, KeyError):
            complete = False
        if not complete:
            self._refuse(rows)
        return encoded, warnings

    def _one(self, row: Mapping[str, Any], notes: list[str]) -> dict[str, Array]:
        """Few arrays are made for a single row: one for all columns of a type, of which each column is a view."""
        finite = math.isfinite
        numbers = [
            value if type(value := row[name]) is float and finite(value) else read(value, notes)
            for name, read in self._numbers
        ]
        encoded = _views(self._numbers, np.array(numbers, dtype=float))
        for readers, dtype in self._others:
            cells = [read(row[name], notes) for name, read in readers]
            encoded.update(_views(readers, np.array(cells, dtype=dtype)))
        return encoded

    def _many(self, rows: Sequence[Mapping[str, Any]], warnings: list[list[str]]) -> dict[str, Array]:
        return {
            one.name: one.read_many([row[one.name] for row in rows], warnings).reshape(-1, 1) for one in self.columns
        }

    def _refuse(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Raise a `RequestError` for the first wrong value, row by row."""
        for position, row in enumerate(rows):
            where = f" in row {position}" if len(rows) > 1 else ""
            if not isinstance(row, Mapping):
                raise RequestError(
                    f"A row{where} is no object.", status=422, field="rows", allowed='{"column": value, ...}'
                )
            self._check_names(row, where)
            for column in self.columns:
                column.checked(row[column.name], [], where)

    def _check_names(self, row: Mapping[str, Any], where: str) -> None:
        names = [column.name for column in self.columns]
        for name in row:
            if name not in names:
                raise RequestError(
                    f"There is a column {name!r}{where}, which the model does not take.",
                    status=422,
                    field=str(name),
                    allowed=nearest(str(name), names, most=30),
                )
        for name in names:
            if name not in row:
                raise RequestError(
                    f"There is no column {name!r}{where}.",
                    status=422,
                    field=name,
                    remedy="where a value is not known, send null",
                )


def _views(readers: Sequence[tuple[str, object]], whole: Array) -> dict[str, Array]:
    return dict(zip([name for name, _ in readers], whole.reshape(-1, 1, 1), strict=True))


_READERS_KEPT = 16
_readers: dict[int, _Reader] = {}


def _reader(signature: Signature) -> _Reader:
    """The reader of a signature, made once: it is asked for with every request."""
    reader = _readers.get(id(signature))
    if reader is None:
        if len(_readers) >= _READERS_KEPT:
            _readers.clear()
        # The reader holds its signature, so that the id is not given to another while it is kept here.
        reader = _readers[id(signature)] = _Reader(signature)
    return reader


# Frames ----------------------------------------------------------------------------------------------------------


def _series(frame: "pl.DataFrame", column: Input, fitting: tuple[str, ...]) -> "pl.Series":
    if column.name not in frame.columns:
        raise DataError(
            f"The table has no column {column.name!r}, which the model takes.",
            allowed=nearest(column.name, frame.columns),
        )
    series = frame.get_column(column.name)
    if not str(series.dtype).startswith(fitting):
        raise DataError(
            f"Column {column.name!r} is {series.dtype}, and the model takes a {column.type}.",
            remedy="clean the table as it was cleaned for training",
        )
    return series


def _numbers_of(series: "pl.Series", _missing: str) -> Array:
    values = series.cast(float).to_numpy()
    return np.where(np.isfinite(values), values, math.nan)


def _moments_of(series: "pl.Series", _missing: str) -> Array:
    return np.asarray(series.dt.epoch("us").cast(float).to_numpy() / 1e6)


def _strings_of(series: "pl.Series", missing: str) -> Array:
    """Equal values are one object: a column of a million rows and ten categories holds ten texts."""
    texts = series.cast(str).fill_null(missing)
    values = texts.unique()
    places = texts.replace_strict(values, range(len(values)))
    objects: Array = values.to_numpy().astype(object, copy=False)
    return objects[np.asarray(places.to_numpy(), dtype=np.intp)]


_WHOLE = ("Int", "UInt", "Boolean", "Null")
_FRAME: dict[ColumnType, tuple[Callable[["pl.Series", str], Array], tuple[str, ...]]] = {
    "number": (_numbers_of, (*_WHOLE, "Float", "Decimal")),
    "integer": (_numbers_of, (*_WHOLE, "Float", "Decimal")),
    "boolean": (_numbers_of, (*_WHOLE, "Float")),
    "datetime": (_moments_of, ("Date", "Null")),
    "category": (_strings_of, (*_WHOLE, "String", "Categorical", "Enum")),
    "text": (_strings_of, (*_WHOLE, "String", "Categorical", "Enum")),
}
"""Type of a column to the function that encodes a series of it, and how the names of fitting Polars types begin."""
