"""The section `[expect]` of heptad.toml: what every later version is held to."""

from typing import Annotated, Literal, TypeAlias

import msgspec

from heptad.core.settings import Amount, Count, Settings, Share, Span
from heptad.data.settings import ColumnType, Function

Severity = Literal["error", "warning", "info"]
Value: TypeAlias = str | int | float | bool
Number: TypeAlias = Annotated[int | float, msgspec.Meta(description="a number")]
"""A limit as it is written: one without a point is a whole number, and exact however large it is."""
Step: TypeAlias = Annotated[
    Annotated[int, msgspec.Meta(gt=0)] | Annotated[float, msgspec.Meta(gt=0)],
    msgspec.Meta(description="a number above 0"),
]
Names: TypeAlias = Annotated[list[str], msgspec.Meta(min_length=1)]
Pair: TypeAlias = Annotated[list[str], msgspec.Meta(min_length=2)]
Values: TypeAlias = Annotated[list[Value], msgspec.Meta(min_length=1)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Format = Literal["email", "url", "uuid", "ipv4", "ipv6", "date", "datetime", "slug", "hex"]
Readable = Literal["integer", "number", "boolean", "date", "datetime", "json"]
Order = Literal["increasing", "strictly increasing", "decreasing", "strictly decreasing"]


class Range(Settings, frozen=True, kw_only=True, omit_defaults=True):
    """From `min` to `max`, both included; one of them may be left out."""

    min: float | None = None
    max: float | None = None


class Hours(Range, frozen=True, kw_only=True, omit_defaults=True):
    """From `min` to `max`, both included, and over midnight where `min` is above `max`."""


class Reference(Settings, frozen=True, kw_only=True, omit_defaults=True):
    """A column of another table: of a source of the project, or of a version of the project's own table."""

    column: str
    source: str = ""
    version: Count = 0


class Dependency(Settings, frozen=True, kw_only=True):
    """Rows that are alike in `by` are alike in `of`."""

    by: Names
    of: Names


class Correlation(Settings, frozen=True, kw_only=True, omit_defaults=True):
    """The linear correlation (Pearson) of two columns, from -1 to 1."""

    of: Pair
    min: float | None = None
    max: float | None = None


class Combinations(Settings, frozen=True, kw_only=True):
    """The combinations of values that columns may have, each a list in the order of the columns."""

    of: Pair
    allowed: Annotated[list[list[Value]], msgspec.Meta(min_length=1)]


class Coverage(Settings, frozen=True, kw_only=True, omit_defaults=True):
    """The groups of a population, and how far from it a table may be."""

    shares: Annotated[dict[str, Share], msgspec.Meta(min_length=1)]
    """Group to its share of the population; what they lack to 1 are groups that are not named."""
    tolerance: Share = 0.05
    """The largest share of rows that may have to be in other groups; less than chance explains breaks nothing."""


class RowsOf(Settings, frozen=True, kw_only=True, omit_defaults=True):
    """How many rows there are for each row of a source."""

    source: str
    min: float | None = None
    max: float | None = None


class HowHeld(Settings, frozen=True, kw_only=True, omit_defaults=True):
    """How whatever stands beside it is held."""

    severity: Severity = "error"
    """`error` refuses the version, `warning` and `info` only say so."""
    mostly: Share = 1.0
    """The smallest share of the rows looked at that has to hold."""
    where: str = ""
    """Which rows are looked at, as an expression such as `carrier == "UA" and distance > 0`; empty: all."""
    within: Span | None = None
    """Only rows of so long before the moment of the version are looked at, by `[data] time`: what came of late."""
    about: str = ""
    """Why this is expected, for whoever reads that it is broken."""


class ColumnExpectation(HowHeld, frozen=True, kw_only=True, omit_defaults=True):
    """`[expect.columns.NAME]`: what one column is held to; or several such tables in a list, held in different ways.

    Missing values break none of them but `missing`.
    """

    min: Number | None = None
    """No value is below."""
    max: Number | None = None
    """No value is above."""
    above: Number | None = None
    """Every value is above."""
    below: Number | None = None
    """Every value is below."""
    missing: Share | None = None
    """The largest share of missing values, 0 to 1."""
    empty: bool | None = None
    """Every value is missing."""
    type: ColumnType | None = None
    """The column's type."""
    present: bool | None = None
    """There is such a column, or with `false` there is none."""
    allowed: list[Value] = []
    """A closed set: training refuses other values and so does serving."""
    forbidden: list[Value] = []
    """No value is one of these."""
    matches: str = ""
    """Every text has a match of the regular expression, in any place unless it says ^ and $."""
    matches_any: list[str] = []
    """Every text has a match of one of the regular expressions."""
    matches_none: list[str] = []
    """No text has a match of any of the regular expressions."""
    starts_with: str = ""
    """Every text begins so."""
    ends_with: str = ""
    """Every text ends so."""
    contains: str = ""
    """Every text contains this."""
    length: Range | None = None
    """Characters of every text."""
    format: Format | None = None
    """Every text is written so."""
    reads_as: Readable | None = None
    """Every text can be read so."""
    date_format: str = ""
    """Every text is a date or time in this format, such as `%Y-%m-%d`."""
    trimmed: bool | None = None
    """No text begins or ends with blanks, or is empty."""
    letters: Literal["lower", "upper"] | None = None
    """Every text has only small, or only capital letters."""
    whole: bool | None = None
    """Every number is whole."""
    finite: bool | None = None
    """No number is NaN or infinite."""
    multiple_of: Step | None = None
    """Every number is a multiple of this one."""
    deviations: Annotated[float, msgspec.Meta(gt=0, description="a number above 0")] | None = None
    """No number is further from the mean, in standard deviations of the column."""
    order: Order | None = None
    """How each value follows the one in the row before."""
    unique: bool | None = None
    """Whether no value may come twice."""
    count: Range | None = None
    """How many values there are; missing ones are none."""
    distinct: Range | None = None
    """How many different values there are."""
    distinct_share: Range | None = None
    """Different values as a share of the values, 0 to 1."""
    includes: list[Value] = []
    """Each of these comes."""
    values: list[Value] = []
    """Exactly these come: each of them, and nothing else."""
    most_common: list[Value] = []
    """The most frequent value is one of these; of several that are as frequent, one is enough."""
    most_common_alone: list[Value] = []
    """One value is more frequent than each of the others, and is one of these."""
    coverage: Coverage | None = None
    """The groups of a population come in the shares that it has, as far as neither chance nor `tolerance` explains."""
    mean: Range | None = None
    """The mean."""
    median: Range | None = None
    """The median; between two values their mean."""
    quantiles: dict[str, Range] = {}
    """Share of the values (such as "0.9") to where that quantile lies; between two values in proportion."""
    deviation: Range | None = None
    """The standard deviation (of a sample, with n - 1)."""
    total: Range | None = None
    """The sum."""
    smallest: Range | None = None
    """The smallest value."""
    largest: Range | None = None
    """The largest value."""
    not_before: str = ""
    """No time is earlier; a date or time in ISO 8601, in UTC where it names no zone."""
    not_after: str = ""
    """No time is later."""
    not_future: bool | None = None
    """No time is later than the moment of the version."""
    fresh: Span | None = None
    """The newest time, but for those of the future, is at most so long before the moment of the version."""
    weekdays: list[Weekday] = []
    """Every time is on one of these days, in UTC."""
    hours: Hours | None = None
    """The hour of every time, 0 to 23, in UTC; `{ min = 22, max = 2 }` goes over midnight."""
    every: Span | None = None
    """There is a time in each stretch of this length, from the first to the last; `1d` are days of the calendar, with
    `weekdays` beside it those alone."""
    drift: Amount | None = None
    """The largest distance (PSI) from the version compared with; 0.1 is slight and 0.2 clear."""
    mean_shift: Amount | None = None
    """How far the mean may be from that of the version compared with, in its standard deviations."""
    missing_rise: Share | None = None
    """By how much the share of missing values may be above that of the version compared with."""
    unseen: Share | None = None
    """The largest share of values that the version compared with does not have among its 100 most frequent."""
    references: Reference | None = None
    """Every value is in a column of another table."""


class TableExpectation(HowHeld, frozen=True, kw_only=True, omit_defaults=True):
    """`[[expect.table]]`: what whole rows, or the table, are held to."""

    check: str = ""
    """True for every row, an expression such as `landed >= departed and (fare > 0 or free)`."""
    function: Function = ""
    """True for every row: `module:function` of the project; its parameters name columns, it answers an expression."""
    ordered: list[str] = []
    """Columns whose values do not fall from left to right in any row."""
    equal: list[str] = []
    """Columns that hold the same value in every row."""
    different: list[str] = []
    """Columns that hold different values in every row."""
    combinations: Combinations | None = None
    """Combinations of values that may come."""
    together: list[str] = []
    """Columns that are all there or all missing, in every row."""
    any_present: list[str] = []
    """Columns of which at least one is there, in every row."""
    unique: list[str] = []
    """Columns that no two rows share their values in; rows with a missing one share nothing."""
    unique_with_missing: list[str] = []
    """Columns that no two rows share their values in, where missing values are alike."""
    determines: Dependency | None = None
    """Columns that follow from others."""
    correlation: Correlation | None = None
    """How two columns of numbers go together."""
    rows: Range | None = None
    """How many rows there are."""
    volume: Range | None = None
    """Rows as a multiple of the median of the five versions before, of which those that were refused do not count; with
    `within`, of the five stretches of that length before."""
    rows_of: RowsOf | None = None
    """Rows as a multiple of the rows of a source."""
    columns: list[str] = []
    """Exactly these columns are there, in any order."""
    columns_in_order: list[str] = []
    """Exactly these columns are there, in this order."""
    column_count: Range | None = None
    """How many columns there are."""


class ExpectSettings(Settings, frozen=True, kw_only=True):
    """`[expect]`: what every later version is held to."""

    infer: bool = True
    """Types, keys and uniqueness of the first version bind later ones; its ranges and sets only warn."""
    reference: Count = 0
    """The number of the version that drift is compared with; 0: the one before."""
    columns: dict[str, ColumnExpectation | list[ColumnExpectation]] = {}
    """Column to what is required of it."""
    table: list[TableExpectation] = []
    """What is required of whole rows, and of the table."""

    def of_columns(self) -> list[tuple[str, ColumnExpectation]]:
        """Column and what is expected of it, in order; a column may come several times."""
        return [
            (name, one) for name, part in self.columns.items() for one in (part if isinstance(part, list) else [part])
        ]

    def versions(self) -> set[int]:
        """The numbers of the versions of the project's table that rows are compared with."""
        tables = [one.references.version for _, one in self.of_columns() if one.references]
        return {self.reference, *tables} - {0}

    def allowed(self, name: str) -> list[str]:
        """The values that a column may have, as text; empty where nothing binds it."""
        binding = self.binding().get(name)
        return [text_of(one) for one in binding.allowed] if binding else []

    def binding(self) -> dict[str, ColumnExpectation]:
        """Column to what holds of every row of it, or the version is refused."""
        found: dict[str, ColumnExpectation] = {}
        for name, one in self.of_columns():
            if one.severity == "error" and one.mostly == 1 and not one.where and one.within is None:
                before = found.get(name, one)
                found[name] = msgspec.structs.replace(
                    one,
                    allowed=one.allowed or before.allowed,
                    missing=before.missing if one.missing is None else one.missing,
                    unique=before.unique if one.unique is None else one.unique,
                )
        return found


def text_of(value: Value) -> str:
    """A value as a column of text would hold it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
