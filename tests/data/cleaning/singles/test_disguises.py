"""What a table hides of a value, a server hides too, and nothing else."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.data.cleaning.singles.conftest import singly, version_of
from tests.data.cleaning.singles.test_cells import NUMBERS, TEXTS, WHOLE, check

from heptad.core.errors import SettingsError
from heptad.data import CleanRule, request_rules


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The secret of pseudonyms."""
    monkeypatch.setenv("PSEUDONYMS", "a key that is long enough")


@pytest.mark.parametrize(
    "rule",
    [
        CleanRule(prefix=2),
        CleanRule(mask=0),
        CleanRule(mask=3),
        CleanRule(strip=True, pseudonym="${PSEUDONYMS}"),
        CleanRule(lower=True, prefix=3, fill="none"),
    ],
    ids=str,
)
@given(values=TEXTS)
def test_texts(rule: CleanRule, values: list[Any]) -> None:
    """Of all signs, of texts shorter than what is shown."""
    check("category", rule, values)


@given(values=NUMBERS, whole=WHOLE, width=st.sampled_from([0.1, 1, 7, 100]))
def test_bands(values: list[Any], whole: list[Any], width: float) -> None:
    """The lower edge, of negative numbers too."""
    check("number", CleanRule(band=width), values)
    check("integer", CleanRule(band=width), whole)


@pytest.mark.parametrize("period", ["day", "month", "quarter", "year"])
@given(values=st.lists(st.none() | st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(str), max_size=8))  # noqa: DTZ001 - they are written
def test_periods(period: Any, values: list[Any]) -> None:
    """The beginning of each, in UTC."""
    check("datetime", CleanRule(period=period), values)


def test_a_moment_is_cut_where_it_came_as_one() -> None:
    """Not only as text."""
    rules = request_rules(version_of({"a": "datetime"}, {"a": CleanRule(period="year")}), ["a"])
    assert rules is not None
    ((made, told),) = singly(rules, [{"a": datetime(2024, 5, 6, tzinfo=UTC)}])
    assert (made, told) == ({"a": datetime(2024, 1, 1, tzinfo=UTC)}, 1)


def test_a_server_without_the_key_of_pseudonyms_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than answer with the value as it is."""
    rules = request_rules(version_of({"a": "category"}, {"a": CleanRule(pseudonym="${PSEUDONYMS}")}), ["a"])
    assert rules is not None
    monkeypatch.delenv("PSEUDONYMS")
    with pytest.raises(SettingsError, match="PSEUDONYMS"):
        singly(rules, [{"a": "x"}])
