"""Questions of a collection: the extent of rows, and of other rows in the same pass."""

from datetime import UTC, datetime

import polars as pl

from heptad.data.assembling.questions import Extent, Measuring, Of
from heptad.data.passes import ask, ask_in_turn

DAYS = [datetime(2026, 1, day, tzinfo=UTC) for day in (3, 1, 2)]
ROWS = pl.LazyFrame({"at": DAYS, "late": ["yes", None, "no"]})


def test_the_extent_counts_rows_and_labels() -> None:
    """From the first moment to the last, in whatever order the rows come."""
    (found,) = ask(ROWS, Measuring("late", "at"))
    assert found == Extent(rows=3, labelled=2, first=DAYS[1], last=DAYS[0])


def test_rows_without_a_time_have_no_first_moment() -> None:
    """Nothing is asked of a column that is not there."""
    (found,) = ask(ROWS, Measuring("late", ""))
    assert found == Extent(rows=3, labelled=2, first=None, last=None)


def test_a_question_of_other_rows_shares_the_pass() -> None:
    """Each gets the answer of its own rows."""
    fewer = ROWS.filter(pl.col("late").is_not_null())
    all_rows, labelled = ask(ROWS, Measuring("late", "at"), Of(fewer, Measuring("late", "at")))
    assert (all_rows.rows, labelled.rows) == (3, 2)
    assert labelled.first == DAYS[2]


def test_questions_in_turn_are_answered_alike() -> None:
    """One pass, or a query each: the same answers."""
    questions = (Measuring("late", "at"), Of(ROWS.head(1), Measuring("late", "at")))
    assert ask_in_turn(ROWS, *questions) == ask(ROWS, *questions)
