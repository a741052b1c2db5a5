"""Values survive their columns, and what cannot be kept is refused with its name."""

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptad.core.errors import InputError
from heptad.core.sql_values import (
    PREFIX,
    body_of,
    body_text,
    from_columns,
    micros,
    moment,
    name,
    pack_points,
    to_columns,
    unpack_points,
)

STORABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
SCALARS = st.one_of(STORABLE, st.floats(allow_nan=False), st.integers(-(2**1000), 2**1000), st.booleans())


@given(SCALARS)
def test_a_value_survives_its_columns(value: str | float | int | bool) -> None:  # noqa: PYI041 - three types on purpose
    """Type and value come back, and the indexed text is never longer than an index may hold."""
    columns = to_columns("key", value)
    assert from_columns(*columns) == value
    assert type(from_columns(*columns)) is type(value)
    assert columns[1] is None or len(columns[1]) <= PREFIX


def test_nan_survives_without_a_number_that_could_be_compared() -> None:
    """SQLite would keep it as NULL, PostgreSQL as the largest number."""
    columns = to_columns("key", math.nan)
    assert columns[0] is None
    assert math.isnan(from_columns(*columns))  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [10**400, [1], object(), b"bytes"])
def test_a_value_that_cannot_be_kept_is_named(value: object) -> None:
    """The error says which attribute it is, and what would do."""
    with pytest.raises(InputError, match="'depth'") as caught:
        to_columns("depth", value)  # type: ignore[arg-type]
    assert caught.value.allowed


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])))
def test_a_moment_survives_to_the_microsecond(at: datetime) -> None:
    """It comes back in UTC."""
    assert moment(micros(at)) == at
    assert moment(micros(at)).tzinfo is UTC


def test_a_moment_without_a_zone_is_refused() -> None:
    """Whose noon it is cannot be guessed."""
    with pytest.raises(InputError, match="zone"):
        micros(datetime(2026, 1, 1, 12))  # noqa: DTZ001


@pytest.mark.parametrize("value", ["", "x" * 513, "é" * 257, "a\x00b", "a\ud800b"])
def test_a_name_that_no_index_can_hold_is_refused(value: str) -> None:
    """Empty, too long in bytes, or not text at all."""
    with pytest.raises(InputError, match="scope"):
        name(value, "scope")


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(STORABLE, st.recursive(SCALARS.filter(lambda one: one not in {math.inf, -math.inf}), st.lists)))
def test_a_body_survives_its_text(body: dict[str, object]) -> None:
    """Plain data comes back equal and in its order."""
    found = body_of(body_text(body, "r1"))
    assert found == body
    assert list(found) == list(body)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_does_not_have_is_named_by_its_path(number: float) -> None:
    """It would come back as null, and break the reader far away from here."""
    with pytest.raises(InputError, match=r"metrics\[1\].value"):
        body_text({"note": None, "metrics": [{"value": 1.0}, {"value": number}]}, "r1")


@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.floats(allow_nan=False))))
def test_points_survive_packing(points: list[tuple[int, float, float]]) -> None:
    """Steps, values and times come back in their order."""
    columns = tuple(zip(*points, strict=True)) or ((), (), ())
    assert unpack_points(pack_points(*columns)) == columns


def test_points_that_are_no_numbers_are_refused() -> None:
    """So are steps of more than 64 bits."""
    for step in ("one", 2**63):
        with pytest.raises(InputError, match="points"):
            pack_points([step], [1.0], [1.0])  # type: ignore[list-item]
