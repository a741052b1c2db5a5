"""Conditions are read as people write them, and what does not read is pointed at."""

import pytest

from heptad.core.errors import InputError
from heptad.core.query import All, Compare
from heptad.experiments.conditions import parse_conditions


def test_conditions_are_joined_by_and() -> None:
    """Numbers, truth values, words and quoted texts are told apart."""
    text = "metrics.roc_auc >= 0.8 and params.estimator=lightgbm AND tags.note = 'it is 5' and tags.ok != true"
    assert parse_conditions(text) == All(
        (
            Compare("metrics.roc_auc", ">=", 0.8),
            Compare("params.estimator", "=", "lightgbm"),
            Compare("tags.note", "=", "it is 5"),
            Compare("tags.ok", "!=", value=True),
        )
    )


def test_quotes_make_a_number_a_text() -> None:
    """What stands in quotes is text."""
    assert parse_conditions('params.version = "3"') == All((Compare("params.version", "=", "3"),))
    assert parse_conditions("name like trial%") == All((Compare("name", "like", "trial%"),))


def test_nothing_is_no_condition() -> None:
    """Empty text holds for every run."""
    assert parse_conditions("  ") == All()


@pytest.mark.parametrize(
    ("text", "place"), [("a > 1 or b > 2", "or b > 2"), ("a", "'a'"), ("a > 1 and", "and"), ("= 3", "= 3")]
)
def test_the_place_that_does_not_read_is_named(text: str, place: str) -> None:
    """The message quotes the text from the fault on."""
    with pytest.raises(InputError, match=place):
        parse_conditions(text)
