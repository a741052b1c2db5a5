"""The sections of heptad.toml that step 1 owns: sources, data, clean, expect, features."""

from typing import Literal

from heptad.core.settings import Duration, OptionalDuration, Settings, Task

ColumnType = Literal["number", "integer", "boolean", "category", "text", "datetime"]


class SourceSettings(Settings, frozen=True, kw_only=True):
    """`[sources.NAME]`: where rows come from."""

    uri: str
    """A path or glob relative to the project, or an address such as `python-package:NAME/FILE`."""
    time: str = ""
    """The column that says when a row happened; rows are collected up to a moment by it."""
    format: Literal["", "csv", "jsonl", "parquet"] = ""
    """Empty: by the file's name and content."""
    separator: str = ""
    """CSV only; empty: detected."""
    quote: str | None = None
    """CSV only; `None`: detected, empty text: quotes are ordinary characters."""
    encoding: str = ""
    """Empty: detected, which is reported."""
    header: bool | None = None
    """CSV only; `None`: detected."""
    nulls: tuple[str, ...] = ("", "NA", "N/A", "NaN", "null", "NULL", "None", "?")
    """Texts that mean missing."""
    dates: str = ""
    """How times are written, as in `%d.%m.%Y %H:%M`; empty: detected, which is reported."""
    columns: list[str] = []
    """Names of the columns, for a file without a header."""


class DataSettings(Settings, frozen=True, kw_only=True):
    """`[data]`: the one table that a model learns from."""

    target: str
    source: str = ""
    """The source the rows come from; may be left out where there is one source or a function."""
    function: str = ""
    """`module:function` of the project: sources (name to lazy frame) in, one lazy frame out."""
    task: Task | None = None
    """Inferred from the target where absent."""
    key: list[str] = []
    time: str = ""
    label_time: str = ""
    """The column that says when a row's label became known; null: never known."""
    label_delay: Duration = "0s"
    """How long after `time` labels are known where no column says it."""
    every: OptionalDuration = ""
    """How often the loop collects a new version, for example `30d`; empty: only when a plan retrains."""
    ignore: list[str] = []
    """Columns that are kept but never become features."""
    types: dict[str, ColumnType] = {}
    """Types that inference would get wrong."""


class CleanRule(Settings, frozen=True, kw_only=True):
    """`[clean.columns.NAME]`: what is repaired in one column before anything is learnt from it, and counted."""

    min: float | None = None
    max: float | None = None
    outside: Literal["null", "cap"] = "null"
    """What becomes of a number outside of `min` and `max`."""
    strip: bool = False
    lower: bool = False
    replace: dict[str, str] = {}


class CleanSettings(Settings, frozen=True, kw_only=True):
    """`[clean]`: every dropped row and changed cell is counted and the row kept in quarantine."""

    duplicates: Literal["drop", "keep"] = "drop"
    """Exact duplicates of a whole row."""
    missing_target: Literal["drop", "keep"] = "drop"
    """Rows whose label can never be known are kept apart from those whose label is not yet known."""
    columns: dict[str, CleanRule] = {}


class ColumnExpectation(Settings, frozen=True, kw_only=True):
    """`[expect.columns.NAME]`: what a person requires of a column; these bind."""

    min: float | None = None
    max: float | None = None
    missing: float | None = None
    """The largest share of missing values, 0 to 1."""
    allowed: list[str] = []
    """A closed set: training refuses other values and so does serving."""
    unique: bool | None = None


class ExpectSettings(Settings, frozen=True, kw_only=True):
    """`[expect]`: what every later version is held to."""

    infer: bool = True
    """Types, keys and uniqueness of the first version bind later ones; its ranges and sets only warn."""
    columns: dict[str, ColumnExpectation] = {}


class FeatureSettings(Settings, frozen=True, kw_only=True):
    """`[features.NAME]`: columns joined as of each row's time, never from its future."""

    source: str
    on: list[str]
    columns: list[str]
    ttl: OptionalDuration = ""
    """The oldest value that still counts; empty: any age. Without a time in the source: a plain lookup."""
    lag: Duration = "0s"
    """How long after its time a value is known."""
