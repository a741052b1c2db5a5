"""Messages that are not as those before: each column is accepted, coerced or refused, as the settings say."""

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.data import OnChange
from heptad.data.sources.settings import OfChange
from heptad.data.streams.decoding import JsonDecoder
from heptad.data.streams.policies import ChangePolicy

FIRST = {"id": 1, "price": 1.5, "open": True, "name": "x", "place": {"country": "FR"}}


def decoded(policy: OnChange | OfChange | None, *messages: Any) -> tuple[pl.DataFrame, list[str]]:
    """The rows behind those that made the columns, and why others are none."""
    decoder = JsonDecoder({}, ChangePolicy(policy))
    decoder.decode([json.dumps(FIRST).encode()])
    found = decoder.decode([json.dumps(one).encode() for one in messages])
    return found.rows, list(found.rejected.values())


@pytest.mark.parametrize("inner", [{"zip": 1}, {"at": {"zip": 1}}])
def test_a_new_field_is_kept_left_out_or_refused(inner: dict[str, Any]) -> None:
    """On the top and within objects; unless somebody says otherwise it is kept."""
    message = FIRST | {"tax": 0.2, "place": {"country": "DE"} | inner}
    for policy in (None, OnChange(added="accept")):
        rows, refused = decoded(policy, message)
        assert ("tax" in rows.columns, refused) == (True, [])
        assert len(rows.columns) == 7
    rows, refused = decoded(OnChange(added="coerce"), message)
    assert (rows.columns, refused) == (["id", "price", "open", "name", "place.country"], [])
    assert rows.row(0) == (1, 1.5, True, "x", "DE")
    rows, refused = decoded(OnChange(added="refuse"), message, FIRST)
    assert rows.height == 1
    assert refused[0] in {f"field {one} is new, which on_change refuses" for one in ("place.zip", "place.at")}
    rows, refused = decoded(OnChange(added="refuse", columns={"tax": "accept"}), message, FIRST | {"tax": 1.0})
    assert rows["tax"].to_list() == [1.0]
    assert "place" in refused[0]
    rows, _ = decoded(OnChange(added="accept", columns={"tax": "coerce"}), message)
    assert "tax" not in rows.columns
    assert rows.width == 6


def test_a_field_that_is_gone_is_missing_or_refused() -> None:
    """A null is a value that is missing, and no field that is gone."""
    less = {"id": 2, "name": None, "open": False, "place": FIRST["place"]}
    rows, refused = decoded(None, less)
    assert (rows["price"].to_list(), refused) == ([None], [])
    assert decoded(OnChange(dropped="coerce"), less)[0].height == 1
    refusing = OnChange(dropped="refuse")
    _, refused = decoded(refusing, less, less | {"price": None, "place": {}}, less | {"price": None})
    assert len(refused) == 2
    assert refused[0] == "field price is missing, which on_change refuses"
    assert refused[1] == "field place.country is missing, which on_change refuses"
    only = OnChange(dropped="accept", columns={"price": "refuse"})
    rows, refused = decoded(only, less, less | {"price": None})
    assert (rows.height, len(refused)) == (1, 1)


def test_a_field_of_another_type_is_taken_over_read_as_before_or_refused() -> None:
    """Reading as before loses no value: what it would lose is refused."""
    odd = [
        {"id": "7", "price": "2.5e3", "open": "FALSE", "name": 5},
        {"id": 7.0, "price": 3, "name": True},
        {"id": 7.5},
        {"id": "7.5"},
        {"id": True},
        {"price": "many"},
        {"open": 1},
        {"id": "9" * 30},
        {"name": ["x"]},
    ]
    rows, refused = decoded(OnChange(retyped="coerce", dropped="accept"), *odd)
    assert rows.select("id", "price", "open", "name").rows() == [
        (7, 2500.0, False, "5"),
        (7, 3.0, None, "true"),
    ]
    assert len(refused) == 7
    assert refused[0].startswith("field id: expected an integer")
    rows, refused = decoded(OnChange(retyped="refuse", dropped="accept"), {"id": 7.5}, {"name": 5}, {"id": 3})
    assert (rows["id"].to_list(), len(refused)) == ([3], 2)
    rows, refused = decoded(OnChange(retyped="accept", dropped="accept"), {"id": 7.5}, {"open": "maybe"}, {"price": []})
    assert rows.schema["id"] == pl.Float64
    assert rows["open"].to_list() == [None, "maybe"]
    assert refused == ["field price: expected an integer or a number, got a list"]
    rows, _ = decoded(OnChange(retyped="accept", dropped="accept"), {"id": "a7"}, {"id": 8}, {"id": 1.5})
    assert rows["id"].to_list() == ["a7", "8", "1.5"]
    rows, refused = decoded(None, {"id": 7.5}, {"name": 5})
    assert (rows["id"].to_list(), len(refused)) == ([7.5], 1)


VALUES = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from([1.5, 2.0, "x", "7", "true", [1], {"c": 1}])
MESSAGES = st.lists(st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3), min_size=1, max_size=8)
DONE: Any = st.sampled_from(["accept", "coerce", "refuse"])
POLICIES = st.none() | st.builds(
    OnChange, added=DONE, dropped=DONE, retyped=DONE, columns=st.dictionaries(st.sampled_from("abc"), DONE, max_size=2)
)


@given(POLICIES, MESSAGES, MESSAGES, st.integers(1, 5))
def test_with_the_columns_of_a_batch_its_messages_are_decided_again_as_they_were(
    policy: Any, before: list[Any], messages: list[Any], size: int
) -> None:
    """However they are cut, so that an accident between two commits loses nothing and lands nothing twice."""
    first, payloads = ([json.dumps(one).encode() for one in some] for some in (before, messages))
    decoder = JsonDecoder({}, ChangePolicy(policy))
    decoder.decode(first)
    whole = decoder.decode(payloads)
    rejected, rows = set(), []
    for start in range(0, len(payloads), size):
        again = JsonDecoder(decoder.fields, ChangePolicy(policy))
        found = again.decode(payloads[start : start + size])
        assert again.fields == decoder.fields
        rejected |= {start + place for place in found.rejected}
        rows += found.rows.rows()
    assert rejected == set(whole.rejected)
    assert rows == whole.rows.rows()
