"""The sections `[features]` and `[online]` of heptad.toml."""

from typing import Annotated, Literal, TypeAlias

import msgspec

from heptad.core.settings import Amount, Count, Duration, OptionalDuration, Settings, Share

Folds: TypeAlias = Annotated[int, msgspec.Meta(ge=2, description="a whole number, 2 or more")]


class MadeSettings(Settings, frozen=True, kw_only=True):
    """`[features.NAME.make.FEATURE]`: a feature computed from columns of the source, the same way on both sides."""

    call: str
    """The name of a function, or `module:function` of the project: polars expressions in, one expression out."""
    of: str | list[str] = []
    """The columns that the function is given: of the source, or made before this one."""
    window: OptionalDuration = ""
    """How far back from a row's own time a window reaches; for `decayed`, the half-life."""
    rows: Count = 0
    """Instead of `window`: the last so many rows. For `lag`, `difference`, `change`, `since`: how many rows back."""
    unit: Literal["s", "m", "h", "d"] = "s"
    """What durations are counted in."""
    zone: str = ""
    """The time zone of parts of a time; empty: UTC."""
    part: Literal["", "hour", "weekday", "day_of_year", "minute_of_day"] = ""
    """For `sine` and `cosine`."""
    buckets: Count = 0
    """For `hash`: numbers from 0 to below this."""
    edges: list[float] = []
    """For `bin`: rising limits; below the first is 0."""
    low: float | None = None
    """For `clip`: what is below becomes this."""
    high: float | None = None
    """For `clip`: what is above becomes this."""
    value: float | bool | str | None = None
    """What `fill` puts where a value is missing, and what others compare with."""
    digits: Count = 0
    """For `round`: digits behind the point."""
    quantile: Share = 0.5
    """For `quantile`: 0.5 is the median."""
    pattern: str = ""
    """For `contains` and `extract`: a regular expression."""
    target: str = ""
    """For `target_mean`: the column with the outcome."""
    known: str = ""
    """For `target_mean`: the column that says when the outcome became known; empty: with the row."""
    folds: Folds = 5
    """For `target_mean`: a row is told of entities in other folds than its own only."""
    smoothing: Amount = 20.0
    """For `target_mean`: how many rows the mean over all categories counts for."""
    history: bool = False
    """For a function of the project: whether it looks at earlier rows of the same entity."""


class FeatureSettings(Settings, frozen=True, kw_only=True):
    """`[features.NAME]`: columns joined as of each row's time, never from its future."""

    source: str
    """The name of one of `[sources]`."""
    on: list[str]
    """The columns that name an entity, in the source and in the table."""
    columns: list[str] = []
    """Columns of the source that are features as they are."""
    make: dict[str, MadeSettings] = {}
    """Features that are computed, in this order, each from columns and from those before it."""
    time: str = ""
    """The column that says when something happened; empty: `[sources.NAME] time`. Neither: a plain lookup."""
    known: str = ""
    """The column that says when a row became available, so that a back-fill is not taken for knowledge of
    the past; empty: at its time."""
    lag: Duration = "0s"
    """How long after that a row is known."""
    ttl: OptionalDuration = ""
    """The oldest value that still counts; empty: any age."""
    owner: str = ""
    """Whom to ask."""
    description: str = ""
    """What the features mean."""
    stream: bool = False
    """Rows may also be pushed; the online store then keeps the rows that windows reach back to."""


class OnlineSettings(Settings, frozen=True, kw_only=True):
    """`[online]`: where the newest features of each entity are read from while serving."""

    url: str = ""
    """`redis://host:port/number`; empty: LMDB inside the workspace."""
