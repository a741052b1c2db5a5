"""What an expectation is: what it has to be told of the rows, how that is judged, and which rows break it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec
import polars as pl

from heptad.core.errors import InputError
from heptad.data.columns.conditions import is_naive, moment
from heptad.data.expectations.settings import Number, Range, Reference, Value, Weekday, text_of
from heptad.data.profiles.profile import Profile

Kind = Literal["number", "text", "time", "boolean"]
Query = Callable[[pl.LazyFrame], pl.LazyFrame]
COUNT = "\0"
"""Stands in a sentence for how many rows break the expectation."""


class ExpectationError(InputError):
    """An expectation that cannot be held against these columns; all of them are told at once."""


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What expectations look at besides the rows."""

    types: Mapping[str, pl.DataType]
    now: datetime
    """The moment of the version."""
    root: Path = Path()
    """The project's folder, where its functions are."""
    time: str = ""
    """The column that says when each row happened; empty: none does."""
    profile: Profile | None = None
    """Of the version compared with."""
    volumes: Sequence[int] = ()
    """Rows of the versions before whose moments are no later, newest first."""
    table: Callable[[Reference], pl.LazyFrame] | None = None
    """The rows of a source or version."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. Without `sentence` it holds; `COUNT` in it stands for how many rows break it."""

    sentence: str = ""
    looked_at: int | None = None
    """Rows, or values; `None` where the expectation is not about single ones."""
    broken: int = 0
    observed: float | str | None = None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """The answers, by the names that were asked for, and how many rows there are."""

    rows: int
    values: Mapping[str, Any]
    tables: Mapping[str, pl.DataFrame]


class Test(msgspec.Struct, frozen=True, kw_only=True):
    """One expectation made ready: single values and short tables are asked for, then it is judged.

    `broken` gives the rows that break it out of all rows, with their columns; `None` where it is not about rows.
    `about`: the columns that are looked at, to be shown of those rows.
    """

    values: Mapping[str, pl.Expr] = {}
    tables: Mapping[str, Query] = {}
    judge: Callable[[Told], Outcome]
    broken: Query | None = None
    about: Sequence[str] = ()


class Late(msgspec.Struct, frozen=True, kw_only=True):
    """Stretches of time of one length, counted back from a moment: the last one is number 0."""

    time: pl.Expr
    """When each row happened, in UTC."""
    now: datetime
    length: timedelta
    where: pl.Expr | None
    """Which rows are looked at besides."""

    def began(self, number: int) -> datetime:
        return self.now - (number + 1) * self.length

    def rows(self, number: int) -> pl.Expr:
        """Whether a row is one of a stretch: after its beginning, up to its end."""
        held = (self.time > self.began(number)) & (self.time <= self.began(number - 1))
        return held if self.where is None else held & self.where


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What an expectation is about: a column with its values, or the table (no name), and the rows looked at."""

    name: str = ""
    where: pl.Expr | None = None
    weekdays: Sequence[Weekday] = ()
    """The days that times of the column are on, where `weekdays` is expected beside; empty: it is not."""
    late: Late | None = None
    """Where only rows of the last stretch of time are looked at; `where` says so, too."""
    context: Context

    def column(self, name: str) -> pl.Expr:
        """The values of a column, null in rows that are not looked at."""
        value = pl.col(name)
        return value if self.where is None else pl.when(self.where).then(value)

    @property
    def value(self) -> pl.Expr:
        return self.column(self.name)

    @property
    def type(self) -> pl.DataType:
        return self.context.types[self.name]

    def holds(self, held: pl.Expr) -> pl.Expr:
        """A truth of each row, null in rows that are not looked at."""
        return held if self.where is None else pl.when(self.where).then(held)

    def count(self) -> pl.Expr:
        """How many rows are looked at."""
        return pl.len() if self.where is None else self.where.sum()

    def looked_at(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        return rows if self.where is None else rows.filter(self.where)


class Definition(msgspec.Struct, frozen=True):
    """One expectation of the table of them: its name in heptad.toml, what it needs, how it is made ready."""

    name: str
    family: str
    build: Callable[[Subject, Any], Test]
    takes: tuple[Kind, ...] = ()
    """Kinds of columns it is about; empty: any."""
    by_row: bool = True
    """Whether it holds row by row, so that `mostly` says something."""
    needs_column: bool = True


def kind_of(kind: pl.DataType) -> Kind | None:
    """What expectations call a dtype; `None` for nested ones."""
    if kind.is_numeric():
        return "number"
    if isinstance(kind, pl.String | pl.Categorical | pl.Enum):
        return "text"
    if isinstance(kind, pl.Date | pl.Datetime):
        return "time"
    return "boolean" if kind == pl.Boolean else None


def by_row(subject: Subject, held: pl.Expr, words: str, looked_at: pl.Expr | None = None) -> Test:
    """Each row holds or not, by itself; null: it is not looked at. `words` follow the number of rows that do not."""
    broken = ~held
    return Test(
        values={"looked_at": held.count() if looked_at is None else looked_at, "broken": broken.sum()},
        judge=lambda told: counted(
            told.values["looked_at"], told.values["broken"], f"{before(subject)}{COUNT} {words}"
        ),
        broken=lambda rows: rows.filter(broken),
        about=held.meta.root_names(),
    )


def counted(looked_at: int, broken: int | None, sentence: str) -> Outcome:
    """An outcome of rows that hold or not."""
    return Outcome(looked_at=looked_at, broken=broken or 0, sentence=sentence if broken else "", observed=broken or 0)


def within(broken: int, looked_at: int | None, tolerated: float) -> bool:
    """Whether no more than a share of the rows looked at is broken, the share itself included.

    1 - 0.9 is a little more than a tenth to a machine, and 0.29 a little less than 29 in 100.
    """
    return not looked_at or broken / looked_at <= tolerated + 1e-12


def of_values(subject: Subject, held: Callable[[pl.Expr], pl.Expr], words: str) -> Test:
    """As `by_row`, for a truth of each value that is there: it is null for null and for nothing else."""
    return by_row(subject, held(subject.value), words, subject.value.count())


def between(subject: Subject, value: pl.Expr, wanted: Range, what: str) -> Test:
    """One figure of the column or table lies in a range; one that cannot be had, of no values, breaks nothing."""
    return Test(values={"value": value}, judge=lambda told: in_range(told.values["value"], wanted, subject, what))


def in_range(value: float | None, wanted: Range, subject: Subject, what: str) -> Outcome:
    low = -float("inf") if wanted.min is None else wanted.min
    high = float("inf") if wanted.max is None else wanted.max
    held = value is None or low <= value <= high
    sentence = "" if held else f"{before(subject)}{what} is {value:,.6g}, not {range_text(wanted)}"
    return Outcome(sentence=sentence, observed=None if value is None else float(value))


def with_count(sentence: str, count: int) -> str:
    """The sentence with how many rows break the expectation."""
    if count == 1:
        sentence = sentence.replace(f"{COUNT} rows", f"{COUNT} row", 1).replace(f"{COUNT} values", f"{COUNT} value", 1)
    return sentence.replace(COUNT, f"{count:,}", 1)


def before(subject: Subject) -> str:
    return f"{subject.name}: " if subject.name else ""


def range_text(wanted: Range) -> str:
    if wanted.min is None:
        return f"at most {wanted.max:,g}"
    if wanted.max is None:
        return f"at least {wanted.min:,g}"
    return f"{wanted.min:,g}" if wanted.min == wanted.max else f"{wanted.min:,g} to {wanted.max:,g}"


def number_text(number: Number) -> str:
    """A limit as somebody has stated it, a large whole number with all of its digits."""
    return f"{number}" if isinstance(number, int) else f"{number:g}"


def percent(share: float) -> str:
    """A share that somebody has stated, with the digits it takes: `10.0%`, `0.01%`."""
    shown = f"{share:.1%}"
    return shown if abs(float(shown[:-1]) - 100 * share) < 1e-9 else f"{100 * share:.6g}%"


def listed(values: Sequence[Any], most: int = 8) -> str:
    shown = ", ".join(text_of(value) for value in values[:most])
    return shown + (f" and {len(values) - most} more" if len(values) > most else "")


def as_stored(values: Sequence[Value], kind: pl.DataType, setting: str) -> pl.Series:
    """Values of the settings as a column of this dtype holds them; raises `ExpectationError`."""
    texts = pl.Series([text_of(value) for value in values], dtype=pl.String)
    if kind_of(kind) == "text":
        return texts
    if kind == pl.Boolean:
        read = texts.replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)
    elif kind_of(kind) == "time":
        moments = [moment(text, setting) for text in texts]
        read = pl.Series(moments, dtype=pl.Datetime("us", "UTC"))
        return read.dt.replace_time_zone(None).cast(kind) if is_naive(kind) else read.cast(kind)
    else:
        numbers = texts.cast(pl.Float64, strict=False)
        whole = numbers.set(numbers != numbers.floor(), None).cast(pl.Int64, strict=False)
        # Of a column of whole numbers, 1.0 is one of the values and 1.5 is none that could come.
        read = numbers.cast(kind) if kind.is_float() else texts.cast(kind, strict=False).fill_null(whole.cast(kind))
    wrong = [text for text, value in zip(texts, read, strict=True) if value is None]
    if wrong:
        raise ExpectationError(f"{setting} has {wrong[0]!r}, and the column holds {kind}.", allowed=f"values of {kind}")
    return read


def comparable(value: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """Values that compare with those of `as_stored`."""
    return value.cast(pl.String) if isinstance(kind, pl.Categorical | pl.Enum) else value
