"""Rows that give only the keys of an entity get the features of its views from the online store."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from heptad.core.errors import InputError, RequestError, UnavailableError
from heptad.serving.messages import Row, Value
from heptad.serving.runtime import Snapshot

if TYPE_CHECKING:
    from heptad.data import FeatureReader, OnlineRow, PublishedFeatures

Features: TypeAlias = "Callable[[], PublishedFeatures]"
"""Opens what answers for features, when it is first asked."""


class Filled(NamedTuple):
    """Rows with the features that were looked up, and what is to be said of some of them, by position."""

    rows: Sequence[Row]
    notes: Mapping[int, list[str]] = MappingProxyType({})


class _View:
    """How one view is looked up for one generation, as long as its definition is in force."""

    def __init__(self, name: str, reader: "FeatureReader", snapshot: Snapshot) -> None:
        self.name, self.reader, self.snapshot = name, reader, snapshot
        self.keys = reader.entities
        named = [(place, _input_of(name, feature, snapshot)) for place, feature in enumerate(reader.names)]
        self.inputs = {place: column for place, column in named if column}
        self.columns = frozenset(self.inputs.values())
        self.only_keys = frozenset(self.keys) - snapshot.columns

    def wants(self, row: Row) -> bool:
        """Whether the row names an entity, and gives none of its features itself."""
        return bool(self.columns) and self.columns.isdisjoint(row) and all(key in row for key in self.keys)


class FeatureLookup:
    """Fills in the features of some views; safe to use from many threads."""

    def __init__(self, views: Sequence[str], features: Features) -> None:
        self._names, self._features = views, features
        self._views: dict[str, _View] = {}

    def fill(self, snapshot: Snapshot, rows: Sequence[Row]) -> Filled:
        """The rows with what was looked up; those that give the features of a view themselves keep them.

        Raises `RequestError` (422) for a key of another type, `UnavailableError` where a row needs a view that is not
        in force, or the store does not answer.
        """
        filled, notes, unknown = list(rows), dict[int, list[str]](), frozenset[str]()
        for name in self._names:
            view = self._view(name, snapshot, filled)
            if view is None:
                continue
            unknown |= view.only_keys
            wanting = [place for place, row in enumerate(filled) if view.wants(row)]
            for place, found in zip(wanting, _read(view, filled, wanting), strict=True):
                filled[place] = filled[place] | _values(view, found)
                said = _said(view, found)
                if said:
                    notes.setdefault(place, []).append(said)
        if unknown:
            filled = [row if unknown.isdisjoint(row) else _without(row, unknown) for row in filled]
        return Filled(filled, notes)

    def describe(self, snapshot: Snapshot) -> list[dict[str, Any]]:
        """For each view that is in force the keys that are enough, and the inputs that they stand for."""
        found = (self._view(name, snapshot, ()) for name in self._names)
        return [{"view": view.name, "keys": view.keys, "inputs": list(view.inputs.values())} for view in found if view]

    def _view(self, name: str, snapshot: Snapshot, rows: Sequence[Row]) -> _View | None:
        """The view as it is in force now; `None` where it is not, and no row needs it."""
        try:
            reader = self._features().reader((name,))
        except RequestError as error:
            if all(snapshot.columns <= row.keys() for row in rows):
                return None
            raise UnavailableError(
                f"The features of {name}, which [deploy] features names, cannot be looked up: {error.problem}",
                allowed="rows that give all inputs themselves",
                remedy="heptad data features apply, then heptad data features materialise",
            ) from error
        known = self._views.get(name)
        if known is None or known.reader is not reader or known.snapshot is not snapshot:
            # Two threads may make it at once; either may stay.
            known = self._views[name] = _View(name, reader, snapshot)
        return known


def _read(view: _View, rows: Sequence[Row], places: Sequence[int]) -> "Sequence[OnlineRow]":
    try:
        if len(places) == 1:
            return [view.reader.read(rows[places[0]])]
        return view.reader.read_many([rows[place] for place in places]) if places else []
    except InputError as error:
        raise RequestError(error.problem, status=422, field=", ".join(view.keys), allowed=error.allowed) from error


def _input_of(view: str, feature: str, snapshot: Snapshot) -> str:
    """What the table called a feature, as far as a model takes it: `VIEW_feature` where the name was taken."""
    return next((name for name in (f"{view}_{feature}", feature) if name in snapshot.columns), "")


def _values(view: _View, found: "OnlineRow") -> dict[str, Value]:
    values = found.values
    return {column: _plain(values[place]) for place, column in view.inputs.items()}


def _plain(value: Any) -> Value:
    """A stored value as a request has it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value.isoformat() if isinstance(value, datetime) else value


def _said(view: _View, found: "OnlineRow") -> str:
    """What a caller should know of the values; keys, which may name people, are not in it."""
    (fresh,) = found.freshness
    if fresh.state == "missing":
        return f"{view.name}: nothing is stored of this {', '.join(view.keys) or 'view'}, so its features are missing"
    if fresh.state == "stale":
        return f"{view.name}: {fresh.age or 0:,.0f} s old, which is more than its ttl, so its features are missing"
    return ""


def _without(row: Row, names: frozenset[str]) -> Row:
    return {name: value for name, value in row.items() if name not in names}
