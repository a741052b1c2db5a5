"""Ways from a wrong value to the right one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.data.cleaning.suggesting.programs import Program, explained, learn


@given(st.text(max_size=12), st.text(max_size=12))
def test_whatever_is_learnt_from_a_pair_explains_it(wrong: str, right: str) -> None:
    """Every program gives the right value for the wrong one."""
    for program in learn(wrong, right):
        assert program(wrong) == right


@pytest.mark.parametrize(
    ("wrong", "right", "new", "expected"),
    [
        ("12.0 oz", "12", "16.0 ounce", "16"),
        ("0.07%", "0.07", "0.055%", "0.055"),
        ("1 hr. 42 min.", "102 min", "2 hr. 5 min.", "125 min"),
        ("85/1/31", "1/31/85", "93/5/19", "5/19/93"),
        ("12/02/2011 5:20 p.m.", "5:20 p.m.", "12/02/2011 6:55 a.m.", "6:55 a.m."),
        ("155", "155 min", "90", "90 min"),
        ("a, b", "a,b", "c, d, e", "c,d,e"),
        ("4970", "04970", "123", "00123"),
        ("SHIPPED", "shipped", "OPEN", "open"),
        ("9 March 2001", "2001-03-09", "17 May 1999", "1999-05-17"),
        ("Smith, John", "John Smith", "Doe, Jane", "Jane Doe"),
        ("68232", "68,232", "1234567", "1,234,567"),
        ("7,5", "7.5", "10,25", "10.25"),
        ("HARRISON-*", "HARRISON", "SALEM-*", "SALEM"),
        ("N/A", "", "N/A", ""),
    ],
)
def test_what_is_learnt_from_one_pair_works_on_others(wrong: str, right: str, new: str, expected: str) -> None:
    """One of the programs, and the commonest answer among the first few."""
    answers = [program(new) for program in learn(wrong, right)]
    assert expected in answers


def test_pairs_tell_good_programs_from_bad() -> None:
    """Taking a suffix away explains one pair, taking the number out explains both."""
    pairs = [("12.0 oz", "12"), ("16.0 ounce", "16")]
    tally = explained([Program("number"), Program("without_behind", (".0 oz",)), Program("lower")], pairs)
    assert tally == {Program("number"): (2, 0), Program("without_behind", (".0 oz",)): (1, 0), Program("lower"): (0, 2)}


def test_nothing_is_learnt_from_nothing() -> None:
    """An empty cell says nothing of how it came about; an unchanged one neither."""
    assert list(learn("", "x")) == list(learn("x", "x")) == []
