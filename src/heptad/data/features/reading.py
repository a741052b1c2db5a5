"""Reads the newest features of entities while somebody waits: a plan made once, one look-up a view, no tables."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

import msgspec

from heptad.core.clock import Clock
from heptad.core.errors import InputError, NotFoundError
from heptad.core.records import Record
from heptad.core.settings import duration
from heptad.data.features.online import OnlineStore
from heptad.data.features.packing import (
    MICROSECOND,
    NEVER,
    Value,
    entity_key,
    happened_at,
    micros,
    moment_of,
    namespace,
    times_of,
    values_of,
)
from heptad.data.features.records import FeatureView, TypedName

Entity: TypeAlias = Mapping[str, Any]
State: TypeAlias = Literal["fresh", "stale", "missing"]
"""`stale`: older than the view's ttl, so its values are left out as they are in training; `missing`: never stored."""


class Freshness(msgspec.Struct, frozen=True):
    """How old the values of one view are; times in microseconds since 1970, `None` where there are none."""

    view: str
    state: State
    event: int | None = None
    known: int | None = None
    age: float | None = None
    """Seconds since the event, by the clock of the workspace; for a lookup, since it was stored."""

    @property
    def event_time(self) -> datetime | None:
        return None if self.event is None else moment_of(self.event)


class OnlineRow(msgspec.Struct, frozen=True, eq=False):
    """The features of one entity: names, and values in their order, of the moment at which they were read."""

    names: tuple[str, ...]
    values: Sequence[Value]
    _plans: "Sequence[_Plan]"
    _rows: Sequence[bytes | None]
    _now: int

    def as_dict(self) -> dict[str, Value]:
        return dict(zip(self.names, self.values))  # noqa: B905 - they are of one length, and this is waited for

    @property
    def freshness(self) -> tuple[Freshness, ...]:
        """How fresh the values of each view were when they were read."""
        return tuple(plan.freshness(row, self._now) for plan, row in zip(self._plans, self._rows, strict=True))


class FeatureReader:
    """Reads some features, of one or more views, for entities; safe to use from many threads.

    What is read, and how, is settled when it is made: later definitions need another reader.
    """

    def __init__(
        self, store: OnlineStore, clock: Clock, views: Sequence[tuple[Record[FeatureView], Sequence[str]]]
    ) -> None:
        """Each view with the features to read of it, all of them where none are named. Raises `NotFoundError`."""
        self._get, self._now = store.get, clock.now
        self._plans = [_Plan(view.body, features) for view, features in views]
        names = [(plan.view, name) for plan in self._plans for name in plan.names]
        counts = [name for _, name in names]
        self.names = tuple(f"{view}_{name}" if counts.count(name) > 1 else name for view, name in names)
        self.entities = list(dict.fromkeys(key for plan in self._plans for key in plan.keys))
        """The columns that an entity has to have."""

    def read(self, entity: Entity) -> OnlineRow:
        """The features of one entity; null where a view has none of it, or none that is fresh enough."""
        plans = self._plans
        if len(plans) == 1:
            found = self._get((plans[0].key(entity),))
            now = micros(self._now())
            return OnlineRow(self.names, plans[0].values(found[0], plans[0].oldest(now)), plans, found, now)
        return self._row(self._get([plan.key(entity) for plan in plans]), micros(self._now()))

    def read_many(self, entities: Sequence[Entity]) -> list[OnlineRow]:
        """The features of many entities in order, all of one moment."""
        plans, width = self._plans, len(self._plans)
        found = self._get([plan.key(entity) for entity in entities for plan in plans])
        now = micros(self._now())
        if width == 1:
            names, values, oldest = self.names, plans[0].values, plans[0].oldest(now)
            return [OnlineRow(names, values(row, oldest), plans, (row,), now) for row in found]
        return [self._row(found[start : start + width], now) for start in range(0, len(found), width)]

    def _row(self, found: Sequence[bytes | None], now: int) -> OnlineRow:
        plans = self._plans
        pairs = zip(plans, found, strict=True)
        values = [value for plan, row in pairs for value in plan.values(row, plan.oldest(now))]
        return OnlineRow(self.names, values, plans, found, now)


class _Plan:
    """How one view's features are found and unpacked."""

    def __init__(self, body: FeatureView, features: Sequence[str]) -> None:
        stored = [feature.name for feature in body.features]
        for name in features:
            if name not in stored:
                raise NotFoundError(f"feature of the view {body.name}", name, stored)
        self.view = body.name
        self.keys = [key.name for key in body.entities]
        self.names = list(features) or stored
        self._entities = body.entities
        self._kinds = [_KINDS[key.type] if _KINDS[key.type] in _AS_IT_IS else None for key in body.entities]
        self._space = namespace(body.name, body.behaviour)
        ttl = str(body.settings.get("ttl", ""))
        self._ttl = duration(ttl) // MICROSECOND if ttl else None
        self._only = self.keys[0] if len(self.keys) == 1 else ""
        self._nothing: tuple[Value, ...] = (None,) * len(self.names)
        self._places = [stored.index(name) for name in self.names] if self.names != stored else None

    def key(self, entity: Entity) -> bytes:
        """The key of the entity's row; raises `InputError` for an entity without a key, or of another type."""
        if self._only in entity:
            value = entity[self._only]
            if type(value) is self._kinds[0]:
                return entity_key(self._space, (value,))
        try:
            given = [entity[name] for name in self.keys]
        except KeyError as error:
            raise InputError(
                f"The entity has no {error.args[0]!r}, by which the view {self.view} is read.",
                allowed=", ".join(self.keys),
            ) from error
        if [type(one) for one in given] != self._kinds:
            given = [as_key(one, key, self.view) for one, key in zip(given, self._entities, strict=True)]
        return entity_key(self._space, given)

    def oldest(self, now: int) -> bytes:
        """What rows that are fresh enough at `now`, microseconds since 1970, are not lower than."""
        return b"" if self._ttl is None else happened_at(now - self._ttl)

    def values(self, row: bytes | None, oldest: bytes) -> Sequence[Value]:
        """The values of a stored row; nulls where there is none, or one lower than `oldest`."""
        if row is None or row < oldest:
            return self._nothing
        values = values_of(row)
        return values if self._places is None else [values[place] for place in self._places]

    def freshness(self, row: bytes | None, now: int) -> Freshness:
        """How fresh a stored row is at `now`, microseconds since 1970."""
        if row is None:
            return Freshness(self.view, "missing")
        event, known = times_of(row)
        if event == NEVER:
            return Freshness(self.view, "fresh", None, known, (now - known) / 1e6)
        state: State = "stale" if self._ttl is not None and event < now - self._ttl else "fresh"
        return Freshness(self.view, state, event, known, (now - event) / 1e6)


_KINDS: dict[str, type] = {
    "integer": int,
    "number": float,
    "boolean": bool,
    "category": str,
    "text": str,
    "datetime": datetime,
}
_AS_IT_IS = {kind for kind in _KINDS.values() if kind is not datetime}
"""What keys of the right kind are taken without a look; a time may be of another zone, or of none."""


def as_key(value: Any, key: TypedName, view: str) -> Any:
    """A key as it is stored, out of what a request may hold: numbers as text, text as numbers, times in ISO 8601."""
    kind = _KINDS[key.type]
    try:
        if value is None or type(value) is kind:
            return _utc(value) if isinstance(value, datetime) else value
        if kind is str and isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        if kind is float and isinstance(value, int | str) and not isinstance(value, bool):
            return float(value)
        if kind is int and (isinstance(value, str) or (isinstance(value, float) and value.is_integer())):
            return int(value)
        if kind is datetime and isinstance(value, str):
            return _utc(datetime.fromisoformat(value))
    except ValueError:
        pass
    raise InputError(
        f"{key.name} = {value!r} names no entity of the view {view}.", allowed=f"a value of the type {key.type}"
    )


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(moment)
    return moment.astimezone(UTC)


def open_reader(
    store: OnlineStore, clock: Clock, in_force: Mapping[str, Record[FeatureView]], references: Sequence[str]
) -> FeatureReader:
    """Reads features of views in force: `VIEW`, or `VIEW:FEATURE`; none: all views. Raises `NotFoundError`."""
    wanted: dict[str, list[str]] = {}
    for reference in references or in_force:
        view, features = split_reference(reference, list(in_force))
        before = wanted.get(view)
        wanted[view] = [] if not features or before == [] else [*(before or []), *features]
    if not wanted:
        raise NotFoundError("feature view", "in force", remedy="heptad data features apply")
    return FeatureReader(store, clock, [(in_force[view], features) for view, features in wanted.items()])


def split_reference(text: str, known: Sequence[str]) -> tuple[str, list[str]]:
    """View and features of `VIEW` or `VIEW:FEATURE`; raises `NotFoundError` where the view is not among `known`."""
    view, _, feature = text.partition(":")
    if view not in known:
        raise NotFoundError("feature view in force", view, known, remedy="" if known else "heptad data features apply")
    return view, [feature] if feature else []
