"""The section `[clean]` of heptad.toml."""

from typing import Literal

from heptad.core.settings import Settings


class CleanRule(Settings, frozen=True, kw_only=True):
    """`[clean.columns.NAME]`: what is repaired in one column before anything is learnt from it, and counted."""

    min: float | None = None
    """The smallest number that can be meant."""
    max: float | None = None
    """The largest number that can be meant."""
    outside: Literal["null", "cap"] = "null"
    """What becomes of a number outside of `min` and `max`."""
    strip: bool = False
    """Whether blanks around texts are removed."""
    lower: bool = False
    """Whether texts become lower case."""
    replace: dict[str, str] = {}
    """Text to what it becomes."""


class CleanSettings(Settings, frozen=True, kw_only=True):
    """`[clean]`: every dropped row and changed cell is counted and the row kept in quarantine."""

    duplicates: Literal["drop", "keep"] = "drop"
    """Exact duplicates of a whole row."""
    missing_target: Literal["drop", "keep"] = "drop"
    """Rows whose label can never be known are kept apart from those whose label is not yet known."""
    columns: dict[str, CleanRule] = {}
    """Column to its repairs."""
