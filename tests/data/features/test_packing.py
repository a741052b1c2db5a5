"""An entity's features are one row of bytes, which order by time."""

import math
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from heptad.data.features.online import MOST_KEY
from heptad.data.features.packing import (
    NEVER,
    entity_key,
    micros,
    moment_of,
    namespace,
    pack,
    tail_space,
    times_of,
    values_of,
)

TIMES = st.integers(NEVER, 2**63 - 1)
VALUES = st.lists(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.datetimes(timezones=st.just(UTC), min_value=datetime(1000, 1, 1), max_value=datetime(2999, 1, 1))  # noqa: DTZ001
)


@given(TIMES, TIMES, VALUES)
def test_rows_come_back_as_they_were(event: int, known: int, values: list) -> None:
    """Times and values, each in its type."""
    row = pack(event, known, values)
    assert times_of(row) == (event, known)
    assert values_of(row) == values
    assert [type(one) for one in values_of(row)] == [type(one) for one in values]


def test_nan_is_not_null() -> None:
    """The two stay apart."""
    nan, null = values_of(pack(0, 0, [math.nan, None]))
    assert math.isnan(nan)
    assert null is None


@given(st.tuples(TIMES, TIMES), st.tuples(TIMES, TIMES))
def test_rows_order_as_their_times(one: tuple[int, int], other: tuple[int, int]) -> None:
    """By event, then by knowledge, before 1970 too: what is greater as bytes is newer."""
    assert (pack(*one, [])[:16] < pack(*other, [])[:16]) == (one < other)


@given(st.lists(st.text() | st.integers(-(2**63), 2**63 - 1)), st.lists(st.text() | st.integers(-(2**63), 2**63 - 1)))
def test_keys_are_told_apart(one: list, other: list) -> None:
    """Equal keys have one row, others never; however long they are, the store takes them."""
    space = namespace("view", "0" * 64)
    keys = entity_key(space, one), entity_key(space, other)
    assert (keys[0] == keys[1]) == (one == other)
    assert all(key.startswith(space) and len(key) <= MOST_KEY for key in keys)


def test_long_keys_are_kept_as_their_digest() -> None:
    """They differ where the keys do, and fit."""
    space = namespace("view", "0" * 64)
    keys = {entity_key(space, ["x" * 5_000 + end]) for end in ("", "a", "b")}
    assert len(keys) == 3
    assert all(len(key) <= MOST_KEY for key in keys)


def test_views_and_definitions_have_spaces_of_their_own() -> None:
    """No space is the beginning of another, whatever a view is called."""
    spaces = [
        make(name, behaviour)
        for make in (namespace, tail_space)
        for name in ("a", "ab", "a@0", "ä b" * 100)
        for behaviour in ("0" * 64, "1" * 64)
    ]
    assert len(set(spaces)) == len(spaces)
    assert not any(one != other and one.startswith(other) for one in spaces for other in spaces)


def test_moments_and_microseconds() -> None:
    """There and back."""
    moment = datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert micros(moment) == -1
    assert moment_of(-1) == moment
