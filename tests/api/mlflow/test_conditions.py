"""Comparisons as conditions."""

import pytest

from heptad.api.mlflow.conditions import TEXTUAL, moment, numeric, textual
from heptad.api.mlflow.errors import ProtocolError
from heptad.api.mlflow.search_grammar import Clause
from heptad.core.query import All, Compare, Not


def test_numbers_compare_with_numbers() -> None:
    """A record without the key meets not even `!=`."""
    assert numeric(Clause("", "start_time", ">", 2000.0), "started", 1000.0) == Compare("started", ">", 2.0)
    assert numeric(Clause("metrics", "a", "!=", 1.0), "metrics.a") == All(
        (Compare("metrics.a", "exists", True), Not(Compare("metrics.a", "=", 1.0)))
    )


@pytest.mark.parametrize(
    "clause",
    [Clause("metrics", "a", "LIKE", "x"), Clause("metrics", "a", "=", "x"), Clause("metrics", "a", "IN", ("x",))],
)
def test_text_is_no_number(clause: Clause) -> None:
    """Refused with the key as it was written."""
    with pytest.raises(ProtocolError, match=r"metrics\.a"):
        numeric(clause, "metrics.a")


def test_text_compares_with_text() -> None:
    """Comparators that a key does not take are refused."""
    assert textual(Clause("tags", "a", "ILIKE", "X%"), "tags.a") == Compare("tags.a", "ilike", "X%")
    for clause in (Clause("tags", "a", "=", 1.0), Clause("tags", "a", ">", "x")):
        with pytest.raises(ProtocolError):
            textual(clause, "tags.a", TEXTUAL)


def test_a_time_that_is_none_is_refused() -> None:
    """Beyond the calendar."""
    with pytest.raises(ProtocolError, match="no time"):
        moment(Clause("", "creation_time", "=", 1e30))
