"""The section `[labelling]` of heptad.toml."""

from heptad.core.settings import Part, Settings
from heptad.data.settings import Function


class LabellingSettings(Settings, frozen=True, kw_only=True):
    """`[labelling]`: labels for rows that have none, from functions that each know a little."""

    functions: list[Function] = []
    """`module:name` of the project, each a Polars expression, or a function of the table that answers one: a class, or
    null where it does not know."""
    least: Part = 0.6
    """How probable a label has to be; rows whose likeliest label is less probable stay without one."""
