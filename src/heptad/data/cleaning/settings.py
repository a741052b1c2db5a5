"""The section `[clean]` of heptad.toml."""

from typing import Annotated, Literal, TypeAlias

import msgspec

from heptad.core.settings import Part, Positive, Settings, Share

Otherwise: TypeAlias = Literal["keep", "null", "drop", "refuse"]
"""What becomes of a value that a rule cannot use: it stays, it becomes missing, its row is set aside, or no version is
made."""
Request: TypeAlias = Literal["", "apply", "warn", "refuse"]
Factor: TypeAlias = Annotated[float, msgspec.Meta(gt=0, description="a number above 0")]


class CleanRule(Settings, frozen=True, kw_only=True):
    """`[clean.columns.NAME]`: what is repaired in one column before anything is learnt from it, and counted."""

    min: float | None = None
    """The smallest number that can be meant."""
    max: float | None = None
    """The largest number that can be meant."""
    outside: Literal["null", "cap", "drop"] = "null"
    """What becomes of a number outside of `min` and `max`; `drop` sets its row aside."""
    strip: bool = False
    """Whether blanks around texts are removed."""
    trim: bool = False
    """Whether blanks around texts are removed, and each run of blanks inside becomes one."""
    missing: list[str | float] = []
    """Marks that stand for nothing: texts such as `N/A` and `?`, numbers such as 999, in a text also `999.0`."""
    lower: bool = False
    """Whether texts become lower case."""
    case: Literal["", "lower", "upper", "title"] = ""
    """The case that texts are written in."""
    replace: dict[str, str] = {}
    """Text to what it becomes."""
    canonical: dict[str, list[str]] = {}
    """Category to its other spellings."""
    unlisted: Otherwise = "keep"
    """What becomes of a text that `canonical` does not list."""
    regex: str = ""
    """What a whole text must match."""
    becomes: str = ""
    """What a text that matches `regex` becomes, its groups as `${1}` or `${name}`; empty: it stays."""
    unmatched: Otherwise = "null"
    """What becomes of a text that does not match `regex`."""
    numbers: Literal["", "point", "comma"] = ""
    """Texts with currencies, per cent and signs between thousands become numbers; the sign before decimals."""
    units: dict[str, Factor] = {}
    """Unit to its size: `"12 oz"` becomes a number in `unit`."""
    unit: str = ""
    """The unit that numbers are kept in, and that a bare number is in."""
    dates: list[str] = []
    """Formats that texts are read with as times, the first that fits; `%d.%m.%Y` for example."""
    unread: Literal["null", "drop", "refuse"] = "null"
    """What becomes of a text that `numbers`, `units` or `dates` cannot read."""
    told_by: list[str] = []
    """Columns that determine this one: the value that most rows of their group have."""
    least: Part = 0.6
    """The share of a group that must agree for `told_by`."""
    outliers: Literal["", "iqr", "mad", "forest"] = ""
    """How numbers far from the rest are told: quartiles, median deviation, or the groups of an isolation forest."""
    fence: Annotated[float, msgspec.Meta(ge=0, description="a number, 0 or more")] = 0
    """How far is far: in quartile ranges (0: 3), median deviations (0: 5), or widths of what is ordinary (0: 1)."""
    outlying: Literal["keep", "null", "drop", "cap", "log", "mark"] = "keep"
    """What becomes of outliers; `log` squeezes the whole column, `mark` adds `NAME_outlier`, `keep` is a finding."""
    fill: str | float | bool | None = None
    """What a missing value becomes; a statistic, such as the mean, is for training to learn."""
    fill_from: str = ""
    """The column whose value stands in for a missing one."""
    pseudonym: str = ""
    """The key of pseudonyms, as `${NAME}`: values become keyed hashes, the same ones wherever this key is used."""
    mask: Annotated[int, msgspec.Meta(ge=0, le=64, description="a whole number from 0 to 64")] | None = None
    """How many characters at the end of a text are shown; the others become `****`."""
    band: Annotated[float, msgspec.Meta(ge=0, description="a number, 0 or more")] = 0
    """The width of bands: numbers become the lower edge of theirs; 0: they stay."""
    period: Literal["", "day", "month", "quarter", "year"] = ""
    """What times are cut down to, in UTC."""
    prefix: Annotated[int, msgspec.Meta(ge=0, description="a whole number, 0 or more")] = 0
    """How many characters at the start of a text stay; 0: all."""
    request: Request = ""
    """What becomes of a single request: `apply`, `warn` and leave the value, `refuse`; empty: as each rule has it."""


class RowRule(Settings, frozen=True, kw_only=True):
    """`[clean.rows.NAME]`: rows that are none of the table's business, set aside."""

    where: Annotated[str, msgspec.Meta(min_length=1, description="a condition, for example price < 0 or at is None")]
    """The condition that such rows meet, in the language of `[expect]` checks."""
    reason: str = ""
    """Why, in words."""
    request: Request = ""
    """What a request of this kind gets: `apply` and `warn` answer it with a warning, `refuse` does not; empty: warn."""


class SimilarRows(Settings, frozen=True, kw_only=True):
    """`[clean.similar]`: rows whose texts are nearly those of an earlier one, set aside."""

    columns: list[str] = []
    """The columns whose texts are compared, together; empty: none are."""
    block: list[str] = []
    """Only rows that agree in these columns are compared."""
    least: Share = 0.92
    """How alike, from 0 to 1."""
    most: Positive = 2000
    """The most rows of a block; a larger one is an error that asks for a finer `block`."""


class CleanSettings(Settings, frozen=True, kw_only=True):
    """`[clean]`: every dropped row and changed cell is counted and the row kept in quarantine."""

    duplicates: Literal["drop", "keep"] = "drop"
    """Exact duplicates of a whole row."""
    duplicate_by: list[str] = []
    """Columns that only one row may share; empty: no such rule."""
    duplicate_kept: Literal["first", "last"] = "first"
    """Which row stays of those that share `duplicate_by`, in the order of the table."""
    missing_target: Literal["drop", "keep"] = "drop"
    """Rows whose label can never be known are kept apart from those whose label is not yet known."""
    columns: dict[str, CleanRule] = {}
    """Column to its repairs."""
    rows: dict[str, RowRule] = {}
    """Irrelevant rows, each kind by a name."""
    similar: SimilarRows = msgspec.field(default_factory=SimilarRows)
    """Nearly the same rows."""
