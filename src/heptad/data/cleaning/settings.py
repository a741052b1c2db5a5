"""The section `[clean]` of heptad.toml."""

from typing import Literal

from heptad.core.settings import Settings


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
