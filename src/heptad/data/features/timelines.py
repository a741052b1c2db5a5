"""Finds what was known of each group at each moment: a sorted index, built once and searched by many rows."""

import numpy as np
import numpy.typing as npt
import polars as pl

Integers = npt.NDArray[np.int64]

_WHOLE_UNITS = (86_400_000_000, 3_600_000_000, 60_000_000, 1_000_000, 1_000, 1)
"""Microseconds of the units that times may all be whole numbers of."""
_ROOM = 2**62
"""Below this, group and time fit into one integer that sorts like the two."""
_DENSE = 4
"""Whole numbers that spread over at most so many times their count are used as they are."""
_CODE = "\0code"


class Timeline:
    """Rows of groups, found by the group and a moment: the newest one known by then.

    Idea: group and time become one integer, which is sorted once; a binary search finds the last one that is not
    greater, O((n + m) log n) for n rows and m questions, without a hash table a group. `known`, `event` and moments
    are times in microseconds, without nulls in the index.

    With `event`, a row that tells of an earlier event than one that was known already is passed over: the newest
    event among those known counts, however late others came in. Of rows equal in all of these the last one counts.
    """

    def __init__(self, keys: pl.DataFrame, known: pl.Series, event: pl.Series | None = None) -> None:
        self._groups = _Groups(keys, len(known))
        codes = self._groups.codes
        self._scale = _Scale(_integers(known), self._groups.count)
        points = codes * self._scale.span + self._scale.places(_integers(known))
        if event is None:
            order = _sorting(points)
        else:
            events = _integers(event)
            by_event = _sorting(events)
            order = by_event[_sorting(points[by_event])]
            order = order[_not_overtaken(codes[order], events[order], self._groups.count)]
        self._order = order
        self._points = points[order]

    def __len__(self) -> int:
        return len(self._points)

    def find(self, keys: pl.DataFrame, moments: pl.Series) -> Integers:
        """For each row of `keys` the position of the row that was known at its moment, -1 where none was.

        Without columns in `keys` there is one group. Nulls, in keys or moments, find nothing.
        """
        if not len(self):
            return np.full(len(moments), -1, dtype=np.int64)
        codes = self._groups.codes_of(keys, len(moments))
        least = codes * self._scale.span
        places = _search(self._points, least + self._scale.places(_integers(moments)))
        found = (codes >= 0) & (places >= 0) & moments.is_not_null().to_numpy()
        np.maximum(places, 0, out=places)
        found &= self._points[places] >= least
        return np.where(found, self._order[places], -1)


class _Scale:
    """Times as small whole numbers that compare as they do.

    They are counted in the largest unit that divides them, or by rank where that leaves no room for the group.
    """

    def __init__(self, moments: Integers, groups: int) -> None:
        self._ranks: Integers | None = None
        self._first, self._last = (int(moments.min()), int(moments.max())) if len(moments) else (0, 0)
        self._unit = next(unit for unit in _WHOLE_UNITS if not (moments % unit).any())
        self.span = (self._last - self._first) // self._unit + 2
        if groups * self.span >= _ROOM:
            self._ranks = np.unique(moments)
            self.span = len(self._ranks) + 1

    def places(self, moments: Integers) -> Integers:
        """From -1, before all of them, to `span` - 2."""
        if self._ranks is not None:
            ranked: Integers = np.searchsorted(self._ranks, moments, side="right") - 1
            return ranked
        # Those that the scale was made of are whole units, so rounding others down changes no comparison.
        return (np.clip(moments, self._first - self._unit, self._last) - self._first) // self._unit


class _Groups:
    """Groups of equal keys as numbers from 0."""

    def __init__(self, keys: pl.DataFrame, rows: int) -> None:
        self._names = keys.columns
        self._low = 0
        self._table: pl.DataFrame | None = None
        if not self._names:
            self.count, self.codes = 1, np.zeros(rows, dtype=np.int64)
            return
        first = keys.to_series()
        if len(self._names) == 1 and first.dtype == pl.Int64 and len(first):
            numbers = first.to_numpy()
            self._low, high = int(numbers.min()), int(numbers.max())
            self.count = high - self._low + 1
            if self.count <= _DENSE * len(numbers) + 1024:
                self.codes = numbers - self._low
                return
        self._table = keys.unique().with_row_index(_CODE)
        self.count = max(1, len(self._table))
        self.codes = self._joined(self._table, keys)

    def codes_of(self, keys: pl.DataFrame, rows: int) -> Integers:
        """The numbers of other keys; -1 for those that are not here."""
        if not self._names:
            return np.zeros(rows, dtype=np.int64)
        if self._table is not None:
            return self._joined(self._table, keys)
        numbers = keys.to_series().fill_null(self._low - 1).to_numpy()
        return np.where((numbers >= self._low) & (numbers < self._low + self.count), numbers - self._low, -1)

    def _joined(self, table: pl.DataFrame, keys: pl.DataFrame) -> Integers:
        found = keys.join(table, on=self._names, how="left", maintain_order="left")
        return found[_CODE].cast(pl.Int64).fill_null(-1).to_numpy()


def gathered(values: pl.DataFrame, positions: Integers) -> pl.DataFrame:
    """The rows at these positions, nulls for -1."""
    places = pl.Series(positions)
    return values.select(pl.all().gather(places.set(places < 0, None)))


def _integers(moments: pl.Series) -> Integers:
    return moments.to_physical().fill_null(0).to_numpy()


def _sorting(values: Integers) -> Integers:
    """The stable order of values; what is sorted already costs a look."""
    if (values[1:] >= values[:-1]).all():
        return np.arange(len(values))
    return np.argsort(values, kind="stable")


def _search(points: Integers, asked: Integers) -> Integers:
    """The position of the last point that is not greater, asked in order: a third of the time of asking at random."""
    order = np.argsort(asked)
    places = np.empty(len(asked), dtype=np.int64)
    places[order] = np.searchsorted(points, asked[order], side="right") - 1
    return places


def _not_overtaken(codes: Integers, events: Integers, groups: int) -> npt.NDArray[np.bool_]:
    """Which rows, in order of group and knowledge, tell of no earlier event than a row of their group before them."""
    scale = _Scale(events, groups)
    places = codes * scale.span + scale.places(events)
    return np.maximum.accumulate(places) == places if len(places) else np.zeros(0, dtype=np.bool_)
