"""A whole row is cleaned as the table was: stages, other columns, kinds of rows, and what a request says."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.data.cleaning.singles.conftest import both, singly, version_of

from heptad.core.errors import RequestError
from heptad.data import CleanRule, Fitted, RowCleaner, request_rules
from heptad.data.cleaning.settings import RowRule

TYPES = {"size": "number", "city": "category", "zip": "category", "n": "integer", "m": "number", "note": "text"}
FITTED = Fitted(
    votes={"city": {"1": "Bonn", "2\x1f7": "Kiel"}, "n": {"Bonn\x1f2.5": "4"}}, bounds={"m": [(None, 10.0)]}
)
RULES = {
    "size": CleanRule(units={"kg": 1, "g": 0.001}, unit="kg"),
    "city": CleanRule(strip=True, told_by=["zip"], fill="nowhere"),
    "n": CleanRule(told_by=["city", "size"], fill_from="m"),
    "m": CleanRule(min=-5, outliers="iqr", outlying="mark", fill_from="size"),
    "note": CleanRule(fill_from="n"),
}
KINDS = {
    "tests": RowRule(where='city == "Kiel" and not m > 3', reason="made by a test", request="refuse"),
    "odd": RowRule(where="abs(m) > 4 or m_outlier"),
}
ROWS = st.fixed_dictionaries(
    {
        "size": st.none() | st.sampled_from(["500 g", "2.5", "2.5 kg", "heavy"]),
        "city": st.none() | st.sampled_from([" Bonn", "Kiel", "Rom"]),
        "zip": st.none() | st.sampled_from(["1", "2", "3"]),
        "n": st.none() | st.integers(-3, 9),
        "m": st.none() | st.sampled_from([-9.0, 2.0, 4.5, 11.0]),
        "note": st.none() | st.sampled_from(["a", ""]),
    }
)


@given(st.lists(ROWS, min_size=1, max_size=20))
def test_rows_are_cleaned_as_in_a_table(rows: list[dict[str, Any]]) -> None:
    """Later stages see what the earlier ones made of other columns."""
    version = version_of({**TYPES, "m_outlier": "boolean"}, RULES, KINDS, FITTED)
    for ours, theirs in both(version, rows):
        assert ours == theirs


@given(st.lists(ROWS, min_size=1, max_size=8), st.sampled_from(["", "apply", "warn", "refuse"]))
def test_a_request_has_its_own_say(rows: list[dict[str, Any]], request: Any) -> None:
    """As the table's rules have it."""
    rules = {
        "m": CleanRule(max=4, outside="drop", request=request),
        "city": CleanRule(strip=True, canonical={"Bonn": []}, unlisted="refuse", request=request),
        "n": CleanRule(outliers="iqr", outlying="cap", request=request),
    }
    version = version_of(TYPES, rules, fitted=Fitted(bounds={"n": [(0.0, 5.0)]}))
    sent = [{**row, "size": None} for row in rows]
    for ours, theirs in both(version, sent):
        assert ours == theirs


def cleaner(columns: dict[str, CleanRule], inputs: list[str], **more: Any) -> RowCleaner:
    rules = request_rules(version_of(TYPES, columns, **more), inputs)
    assert rules is not None
    return RowCleaner(rules)


def test_what_is_told_names_rule_and_column_and_no_value() -> None:
    """So that equal warnings count as one."""
    notes: list[str] = []
    made = cleaner({"size": CleanRule(units={"kg": 1, "g": 0.001}, unit="kg")}, ["size"]).clean({"size": "7 g"}, notes)
    assert made == {"size": 0.007}
    assert notes == ["size: repaired by the rule units"]


def test_a_refused_row_names_its_column() -> None:
    """With the status that says the value is at fault, and the place of the row where there are several."""
    refusing = cleaner({"city": CleanRule(canonical={"Bonn": []}, unlisted="refuse")}, ["city"])
    with pytest.raises(RequestError, match="'city' in row 1 cannot be 'Rom': the rule 'canonical'") as error:
        refusing.clean_all([{"city": "Bonn"}, {"city": "Rom"}])
    assert (error.value.status, error.value.field) == (422, "city")
    rows = {"tests": RowRule(where='city == "Kiel"', reason="made by a test", request="refuse")}
    with pytest.raises(RequestError, match="made by a test"):
        cleaner({}, ["city"], rows=rows).clean({"city": "Kiel"}, [])


def test_columns_that_only_rules_look_at_are_left_out() -> None:
    """They may be sent, and need not."""
    telling = cleaner({"city": CleanRule(told_by=["zip"])}, ["city", "n"], fitted=FITTED)
    assert telling.clean({"city": None, "n": 1, "zip": "1"}, []) == {"city": "Bonn", "n": 1}
    assert telling.clean({"city": None, "n": 1}, []) == {"city": None, "n": 1}


@pytest.mark.parametrize("value", [True, 5, ["x"], {"a": 1}, "x"])
def test_values_of_a_wrong_type_are_left_to_the_signature(value: Any) -> None:
    """It names what is allowed."""
    strict = cleaner({"m": CleanRule(min=0, missing=[7])}, ["m"])
    assert strict.clean({"m": value}, []) == {"m": value}


def test_a_mark_is_made_of_the_column_that_it_is_about() -> None:
    """Also where the model takes the mark alone."""
    version = version_of({"m": "number", "m_outlier": "boolean"}, {"m": RULES["m"]}, fitted=FITTED)
    rules = request_rules(version, ["m_outlier"])
    assert rules is not None
    ((made, _),) = singly(rules, [{"m": 99.0}])
    assert made == {"m_outlier": True}
