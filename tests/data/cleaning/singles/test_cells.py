"""Each rule does to one value what it does to a column."""

import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.data.cleaning.singles.conftest import both, version_of

from heptad.data import CleanRule, Fitted

TEXTS = st.lists(st.none() | st.text(max_size=8) | st.text("aAß\u0131İǅ \t\xa0\u2003\x1c'-.", max_size=8), max_size=12)
PIECES = st.sampled_from(
    [*"0123456789.,' \xa0-+()%eE$€", "USD", "kg", "g", "oz", "1,234", "1.234", "12", " ", "٣", "inf", "nan", "x"]
)
WRITTEN = st.lists(st.none() | st.lists(PIECES, max_size=7).map("".join), max_size=12)
NUMBERS = st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=12)
WHOLE = st.lists(st.none() | st.integers(-(2**40), 2**40), max_size=12)


def check(kind: Any, rule: CleanRule, values: list[Any], fitted: Fitted | None = None) -> None:
    """A server and a table agree on every value."""
    version = version_of({"a": kind}, {"a": rule}, fitted=fitted)
    for value, (ours, theirs) in zip(values, both(version, [{"a": value} for value in values]), strict=True):
        assert ours[1] == theirs[1], (value, ours, theirs)
        if ours[0] is None or theirs[0] is None:
            assert ours[0] is theirs[0], (value, ours, theirs)
            continue
        made, expected = ours[0]["a"], theirs[0]["a"]
        close = isinstance(expected, float) and math.isclose(made or 0.0, expected, rel_tol=1e-12)
        assert close or made == expected, (value, made, expected)


@pytest.mark.parametrize(
    "rule",
    [
        CleanRule(strip=True),
        CleanRule(trim=True),
        CleanRule(missing=["", "a", 7], case="lower"),
        CleanRule(case="upper"),
        CleanRule(case="title"),
        CleanRule(lower=True, replace={"a": "b", "b": "a"}),
        CleanRule(canonical={"A": ["a", "ß"], "-": []}, unlisted="null"),
        CleanRule(canonical={"A": ["a"]}, unlisted="drop"),
        CleanRule(canonical={"A": ["a"]}, unlisted="refuse"),
        CleanRule(canonical={"A": ["a"]}, request="warn"),
        CleanRule(canonical={"A": ["a"]}, unlisted="drop", request="apply"),
        CleanRule(strip=True, request="refuse"),
        CleanRule(regex="a(.*)", becomes="b${1}"),
        CleanRule(regex=r"\p{Lu}+", unmatched="drop"),
        CleanRule(strip=True, fill="none"),
    ],
    ids=str,
)
@given(values=TEXTS)
def test_texts(rule: CleanRule, values: list[Any]) -> None:
    """Blanks, case, spellings and shapes, of all the signs there are."""
    check("category", rule, values)


@pytest.mark.parametrize(
    "rule",
    [
        CleanRule(numbers="point"),
        CleanRule(numbers="comma", unread="drop"),
        CleanRule(numbers="point", unread="refuse", min=0, outside="cap"),
        CleanRule(units={"kg": 1, "g": 0.001, "oz": 0.0283}, unit="g"),
        CleanRule(strip=True, units={"": 2, "kg": 1}, unit="kg", unread="drop", max=5, outside="drop"),
        CleanRule(missing=["x"], numbers="point", fill=3.5, request="warn"),
        CleanRule(missing=["kg", 12, -1234, 0], numbers="point"),
        CleanRule(missing=[12, 1.234, 0.01], numbers="comma", unread="drop"),
    ],
    ids=str,
)
@given(values=WRITTEN)
@example(
    values=["1e999", "1e308", "-1e39", ".5", "5.", "(5", "1,23", "1 234", "$ -5", "- $5", "5%%", "٣", "1٣", "+", "USD"]
)
def test_readings(rule: CleanRule, values: list[Any]) -> None:
    """Numbers with all that is written around them."""
    check("number", rule, values)


@given(values=WRITTEN)
@example(values=["9999999", "9999999.0", "1e7", " 12\u2003", "-0", "-0.0", "0e9", "12.", "+12", "1٢"])
def test_numbers_among_marks(values: list[Any]) -> None:
    """Met by value in texts."""
    check("category", CleanRule(missing=["x", 9999999, 12.0, 1e7, 0]), values)


@given(values=st.lists(st.none() | st.dates().map(str) | st.text("0123456789-. ", max_size=10), max_size=8))
def test_dates(values: list[Any]) -> None:
    """By the first format that fits."""
    check("datetime", CleanRule(dates=["%Y-%m-%d", "%d.%m.%Y"], unread="drop"), values)


FITTED = Fitted(bounds={"a": [(None, -3.0), (0.0, 2.5), (10.0, 99.0)]})


@pytest.mark.parametrize(
    ("rule", "fitted"),
    [
        (CleanRule(min=-5, max=7.5), None),
        (CleanRule(min=-5.5, max=7.5, outside="cap", missing=[3, "x"]), None),
        (CleanRule(max=7.5, outside="drop"), None),
        (CleanRule(max=7.5, outside="drop", request="apply"), None),
        *((CleanRule(outliers="iqr", outlying=how), FITTED) for how in ("keep", "null", "drop", "cap", "log")),
        (CleanRule(outliers="mad", outlying="drop", request="refuse", fill=1), Fitted()),
    ],
    ids=str,
)
@given(values=NUMBERS, whole=WHOLE)
@example(values=[0.0, -0.0, 2.5, 7.5, 10.0, 1e38, 1.1e38, -1e300, 99.0], whole=[0, 3, 7, 8, -5, -6])
def test_numbers(rule: CleanRule, fitted: Fitted | None, values: list[Any], whole: list[Any]) -> None:
    """Ranges and outliers, of numbers and of whole numbers."""
    check("number", rule, values, fitted)
    if rule.outlying != "log":
        check("integer", rule, whole, fitted)
