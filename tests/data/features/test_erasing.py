"""An entity is removed from every definition that kept it."""

from pathlib import Path

import pytest

from heptad.adapters.lmdb import LmdbStore
from heptad.core.errors import InputError
from heptad.data.features.erasing import forget_entity
from heptad.data.features.packing import entity_key, namespace, pack, tail_space
from heptad.data.features.records import FeatureView, TypedName

KEYS = [TypedName("customer", "integer"), TypedName("shop", "text")]


def body_of(*keys: TypedName) -> FeatureView:
    return FeatureView(
        name="v", version=1, entities=list(keys), time="t", inputs=[], features=[], settings={}, behaviour="0" * 64
    )


@pytest.fixture
def store(tmp_path: Path) -> LmdbStore:
    """Rows and tails of two customers in three shops."""
    store = LmdbStore(f"lmdb://{tmp_path}", "test")
    spaces = namespace("v", "0" * 64), tail_space("v", "0" * 64)
    keys = [[customer, shop] for customer in (1, 2) for shop in ("a", "b", "c")]
    store.put([(entity_key(space, key), pack(0, 0, [])) for space in spaces for key in keys])
    return store


def test_the_entity_that_the_keys_name_is_removed(store: LmdbStore) -> None:
    """Its row, and the rows kept for windows; the others stay."""
    assert forget_entity(store, body_of(*KEYS), {"customer": 1, "shop": "a", "more": "x"}) == 2
    assert forget_entity(store, body_of(*KEYS), {"customer": 1, "shop": "a"}) == 0
    assert len(list(store.scan(b""))) == 10


def test_all_entities_that_have_the_keys_are_removed(store: LmdbStore) -> None:
    """Of a view that is read by more than what is given."""
    assert forget_entity(store, body_of(*KEYS), {"customer": "1"}) == 6
    assert forget_entity(store, body_of(*KEYS), {"shop": "b"}) == 2
    assert len(list(store.scan(b""))) == 4


def test_a_view_of_other_keys_keeps_everything(store: LmdbStore) -> None:
    """And a key of another type is a mistake."""
    assert forget_entity(store, body_of(*KEYS), {"plane": 1}) == 0
    with pytest.raises(InputError, match="customer = 'somebody'"):
        forget_entity(store, body_of(*KEYS), {"customer": "somebody"})
