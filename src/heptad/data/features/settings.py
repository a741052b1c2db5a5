"""The section `[features]` of heptad.toml."""

from heptad.core.settings import Duration, OptionalDuration, Settings


class FeatureSettings(Settings, frozen=True, kw_only=True):
    """`[features.NAME]`: columns joined as of each row's time, never from its future."""

    source: str
    """The source that the values come from."""
    on: list[str]
    """Columns that both the table and the source have, by which values find their row."""
    columns: list[str]
    """The columns that are joined."""
    ttl: OptionalDuration = ""
    """The oldest value that still counts; empty: any age. Without a time in the source: a plain lookup."""
    lag: Duration = "0s"
    """How long after its time a value is known."""
