"""What is kept of corrections: which are in force, and what each act of correcting was about."""

from typing import ClassVar

from heptad.core.records import Body


class Correction(Body, frozen=True, kw_only=True):
    """Cells of a version that a person corrected. The cells are rows of a table of their own, so they can be erased."""

    kind: ClassVar[str] = "correction"
    prefix: ClassVar[str] = "correction"

    name: str
    version: int
    """The version in which the cells were wrong."""
    cells: int
    """Cells that this act corrected."""
    columns: dict[str, int]
    """Column to how many of them are its."""
    reasons: list[str]
    """The different reasons that were given, at most ten."""
    in_force: int
    """Corrections of the data set from now on, those made before included."""
    delta_version: int
    """The version of the table of corrections that holds them."""
