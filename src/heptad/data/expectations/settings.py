"""The section `[expect]` of heptad.toml."""

from heptad.core.settings import Settings, Share


class ColumnExpectation(Settings, frozen=True, kw_only=True):
    """`[expect.columns.NAME]`: what a person requires of a column; these bind."""

    min: float | None = None
    """No value is below."""
    max: float | None = None
    """No value is above."""
    missing: Share | None = None
    """The largest share of missing values, 0 to 1."""
    allowed: list[str] = []
    """A closed set: training refuses other values and so does serving."""
    unique: bool | None = None
    """Whether no value may come twice."""


class ExpectSettings(Settings, frozen=True, kw_only=True):
    """`[expect]`: what every later version is held to."""

    infer: bool = True
    """Types, keys and uniqueness of the first version bind later ones; its ranges and sets only warn."""
    columns: dict[str, ColumnExpectation] = {}
    """Column to what is required of it."""
