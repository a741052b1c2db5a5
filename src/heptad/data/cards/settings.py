"""The section `[card]` of heptad.toml."""

from typing import Literal, TypeAlias

from heptad.core.settings import OptionalDuration, Settings

Sensitivity: TypeAlias = Literal["", "public", "internal", "personal", "special"]


class CardColumn(Settings, frozen=True, kw_only=True):
    """`[card.columns.NAME]`: what a reader has to know of one column."""

    about: str = ""
    """What it says, in words."""
    unit: str = ""
    """The unit of its numbers."""
    sensitivity: Sensitivity = ""
    """`public`, `internal`, `personal` (of a person who can be told), or `special` (health, belief, origin and what
    else the law protects more); of the last two no value is shown. Empty: nobody has said."""


class CardSettings(Settings, frozen=True, kw_only=True):
    """`[card]`: what only people know of the data set; it changes no row, and no version is made for it."""

    owner: str = ""
    """Who answers for the data: a person or a team."""
    purpose: str = ""
    """What it was collected for."""
    unsuitable: list[str] = []
    """What it shall not be used for, each in a sentence."""
    licence: str = ""
    """The terms it may be used under, for example `CC-BY-4.0`."""
    contacts: list[str] = []
    """Where to ask: addresses, channels, pages."""
    retention: OptionalDuration = ""
    """How long rows are kept; the card says which are older. Empty: not limited."""
    columns: dict[str, CardColumn] = {}
    """Column to what is known of it."""
