"""A server hides of one value what the table hides of a column, and tells nothing of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.data.cleaning.singles.conftest import both, version_of

from heptad.data import CleanRule

KEY = "a key of more than sixteen characters"
TEXTS = st.lists(st.none() | st.text(max_size=9), max_size=8)
NUMBERS = st.lists(st.none() | st.floats(-1e9, 1e9), max_size=8)
MOMENTS = st.lists(
    st.none() | st.datetimes().map(lambda moment: moment.replace(year=1970 + moment.year % 100).isoformat() + "Z"),
    max_size=8,
)


def check(kind: Any, rule: CleanRule, values: list[Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PSEUDONYMS", KEY)
        for ours, theirs in both(version_of({"a": kind}, {"a": rule}), [{"a": value} for value in values]):
            assert ours[0]["a"] == theirs[0]["a"]
            assert not ours[1]
            assert not theirs[1]


@pytest.mark.parametrize(
    "rule", [CleanRule(mask=2), CleanRule(mask=0), CleanRule(prefix=3), CleanRule(pseudonym="${PSEUDONYMS}")], ids=str
)
@given(values=TEXTS)
def test_texts(rule: CleanRule, values: list[Any]) -> None:
    """Of all the signs there are."""
    check("category", rule, values)


@given(values=NUMBERS)
def test_numbers(values: list[Any]) -> None:
    """Below zero too."""
    check("number", CleanRule(band=0.3), values)


@pytest.mark.parametrize("period", ["day", "month", "quarter", "year"])
@given(values=MOMENTS)
def test_times(period: Any, values: list[Any]) -> None:
    """In UTC."""
    check("datetime", CleanRule(period=period), values)
