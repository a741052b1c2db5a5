"""Removes an entity from the online store."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from heptad.data.features.online import OnlineStore
from heptad.data.features.packing import entity_key, namespace, tail_space
from heptad.data.features.reading import as_key
from heptad.data.features.records import FeatureView

_decode = msgspec.msgpack.Decoder(list).decode


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
