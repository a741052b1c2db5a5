"""How far each column of a window has moved from the rows that a model learnt from, in numbers and in words."""

from collections.abc import Callable
from datetime import UTC, datetime

from heptad.data import ColumnProfile, Profile, distance, largest_shift
from heptad.monitoring.records import ColumnDrift


def drift(reference: Profile, window: Profile, limit: float, minimum_rows: int, origin: str) -> list[ColumnDrift]:
    """The drift of every column that both profiles have, farthest first; `origin` names the reference in sentences.

    The distance is the population stability index less what chance alone adds: with n and m rows of one
    distribution over b bins the index is about (b - 1)(1/n + 1/m) and not 0 (B. Yurdakul, "Statistical Properties of
    Population Stability Index", 2018), which is 0.05 for ten bins and windows of 200 rows. So a small window does not
    drift for being small. Windows below `minimum_rows` are measured and never called drifted.
    """
    known = {column.name: column for column in reference.columns}
    found = [
        column_drift(known[column.name], column, limit, minimum_rows, origin)
        for column in window.columns
        if column.name in known and column.rows
    ]
    return sorted(found, key=lambda each: (-each.distance, each.column))


def column_drift(
    reference: ColumnProfile, column: ColumnProfile, limit: float, minimum_rows: int, origin: str, subject: str = ""
) -> ColumnDrift:
    """The drift of one column, `subject` in words; its sentence lacks an end, which is the time since when."""
    moved = max(distance(reference, column) - chance(reference, column), 0.0)
    what = subject or f"`{column.name}`"
    return ColumnDrift(
        column=column.name,
        distance=moved,
        drifted=moved >= limit and column.rows >= minimum_rows,
        sentence=f"{what} moved by PSI {moved:.2f} from {origin} ({in_words(reference, column)})",
    )


def chance(reference: ColumnProfile, column: ColumnProfile) -> float:
    """The index that two samples of these sizes and one distribution have on average, over the bins they fill."""
    if not reference.rows or not column.rows:
        return 0.0
    counts = zip([*reference.counts, reference.missing], [*column.counts, column.missing], strict=True)
    bins = sum(before + now > 0 for before, now in counts)
    return (bins - 1) * (1 / reference.rows + 1 / column.rows)


def in_words(reference: ColumnProfile, column: ColumnProfile) -> str:
    """What changed most: missing values, the share of a value, or the mean."""
    label, then, now = largest_shift(reference, column)
    if label == "missing":
        return f"missing in {then:.1%} of rows then, {now:.1%} now"
    if column.type in {"category", "boolean"} or reference.mean is None or column.mean is None:
        return f"{label} in {then:.1%} of rows then, {now:.1%} now"
    show = _SHOWN.get(column.type, "{:.4g}".format)
    return f"mean {show(reference.mean)} then, {show(column.mean)} now"


_SHOWN: dict[str, Callable[[float], str]] = {
    "datetime": lambda seconds: f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}",
    "text": lambda length: f"{length:.0f} characters",
}
"""How the mean of a type is written; other numbers get four digits."""
