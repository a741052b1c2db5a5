"""What is kept of labelling functions with the version that they labelled."""

import msgspec


class LabellingFunction(msgspec.Struct, frozen=True, kw_only=True):
    """How one function voted on the rows of a version; shares are of all rows."""

    name: str
    coverage: float
    """Rows that it votes on."""
    overlaps: float
    """Rows that it and another one vote on."""
    conflicts: float
    """Rows on which another one votes otherwise."""
    accuracy: float | None
    """Share of its votes that are right, as the label model estimates; `None`: it never votes."""
    measured: float | None = None
    """The same on rows whose label was given."""
    measured_rows: int = 0
