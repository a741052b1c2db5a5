"""Removes an entity from the online store."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from heptad.core.errors import InputError
from heptad.data.features.online import OnlineStore
from heptad.data.features.packing import entity_key, namespace, tail_space
from heptad.data.features.reading import as_key
from heptad.data.features.records import FeatureView
from heptad.data.features.registry import Registry

_decode = msgspec.msgpack.Decoder(list).decode


class OnlineEntities:
    """The entities of all definitions that ever were, in every online store of a workspace."""

    def __init__(self, stores: Callable[[], Iterable[tuple[OnlineStore, Registry]]]) -> None:
        self._stores = stores

    def columns(self) -> set[tuple[str, ...]]:
        """By which columns a definition names its entities, of each."""
        found = (body for _, registry in self._stores() for body in registry.definitions())
        return {tuple(one.name for one in body.entities) for body in found}

    def forget(self, keys: Mapping[str, Any], *, beside: Collection[str] = (), dry_run: bool = False) -> int:
        """Remove the entities with these keys; see `Features.forget`. Definitions with a column of `beside` stay."""
        act = count_entity if dry_run else forget_entity
        rows, asked, refused = 0, 0, list[InputError]()
        for store, registry in self._stores():
            for body in registry.definitions():
                if any(one.name in beside for one in body.entities):
                    continue
                asked += 1
                try:
                    rows += act(store, body, keys)
                except InputError as error:
                    refused.append(error)
        if refused and len(refused) == asked:
            raise refused[0]
        return rows


def forget_entity(store: OnlineStore, body: FeatureView, keys: Mapping[str, Any]) -> int:
    """Remove what one definition keeps of the entities that have these keys; answers how many rows that were.

    A view of fewer columns than `keys` has loses the one entity that they name; a view of more columns loses each
    that has them, which takes a look at all of its keys. One that shares no column with `keys` keeps everything.
    """
    return store.delete(_keys_of(store, body, keys))


def count_entity(store: OnlineStore, body: FeatureView, keys: Mapping[str, Any]) -> int:
    """How many rows `forget_entity` would remove."""
    found = list(_keys_of(store, body, keys))
    return sum(value is not None for value in store.get(found)) if found else 0


def _keys_of(store: OnlineStore, body: FeatureView, keys: Mapping[str, Any]) -> list[bytes]:
    given = {one.name: as_key(keys[one.name], one, body.name) for one in body.entities if one.name in keys}
    if not given:
        return []
    spaces = namespace(body.name, body.behaviour), tail_space(body.name, body.behaviour)
    if len(given) == len(body.entities):
        key = list(given.values())
        return [entity_key(space, key) for space in spaces]
    places = {place: given[one.name] for place, one in enumerate(body.entities) if one.name in given}
    return [key for space in spaces for key in _matching(store, space, places)]


def _matching(store: OnlineStore, space: bytes, places: Mapping[int, Any]) -> Iterator[bytes]:
    for key, _ in store.scan(space):
        packed = key[len(space) :]
        if packed[:1] == b"\xc1":
            continue  # a very long key is kept as its digest only
        values = _decode(packed)
        if all(values[place] == value for place, value in places.items()):
            yield key
