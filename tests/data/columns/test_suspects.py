"""Columns that teach nothing are left out with a reason; those that know the target are named."""

from datetime import UTC, datetime

import numpy as np
import polars as pl

from heptad.data.columns.suspects import leaks, left_out, summands

RNG = np.random.default_rng(5)
ROWS = 300
NOISE = pl.DataFrame({"a": RNG.normal(size=ROWS), "b": RNG.integers(0, 50, ROWS), "c": RNG.choice(list("xyz"), ROWS)})


def found(**columns: object) -> dict[str, str]:
    """The same of a table in memory and of one that is read in parts."""
    frame = NOISE.with_columns(**{name: pl.Series(values) for name, values in columns.items()})  # type: ignore[call-overload]
    result = left_out(frame, frame.columns, ())
    assert left_out(frame.lazy(), frame.columns, ()) == result
    return result


def test_columns_that_teach_nothing_are_left_out_with_the_reason() -> None:
    """Empty, nearly empty, constant, and the same as another."""
    result = found(
        empty=[None] * ROWS,
        constant=["x"] * ROWS,
        when=[datetime(2026, 1, 2, tzinfo=UTC)] * ROWS,
        copy=NOISE["c"],
        other=NOISE["c"].replace({"x": "w"}),
    )
    assert result == {
        "empty": "empty in every row",
        "constant": "'x' in every row",
        "when": "2026-01-02 00:00:00+00:00 in every row",
        "copy": "the same as 'c' in every row",
    }
    sparse = pl.DataFrame({"sparse": [1] + [None] * 2000, "dense": range(2001)})
    assert left_out(sparse, sparse.columns, ()) == {"sparse": "empty in all but 1 of 2,001 rows"}


def test_ids_are_told_by_how_they_count_and_what_they_are_called() -> None:
    """Names that never repeat, row numbers, and different whole numbers that are called an id."""
    different = RNG.permutation(ROWS * 7)[:ROWS]
    result = found(
        code=[f"user-{x}" for x in range(ROWS)],
        line=range(100, 100 + ROWS),
        customer_id=different,
        customerID=different + 1,
        weight=different + 2,
        amount=RNG.normal(size=ROWS),
        remark=[f"a whole sentence with number {x}" for x in range(ROWS)],
        group_id=RNG.integers(0, 40, ROWS),
        backwards=pl.Series([None, *range(ROWS - 1, 0, -1)]),
        shuffled=RNG.permutation(ROWS),
    )
    assert set(result) == {"code", "line", "customer_id", "customerID", "backwards"}
    assert result["code"] == "an id: 300 different values in 300 rows"


def test_what_the_settings_keep_is_kept() -> None:
    """A column whose type a person named is left alone, and so are few rows, which prove nothing."""
    frame = NOISE.with_columns(code=pl.Series([f"user-{x}" for x in range(ROWS)]))
    assert left_out(frame, frame.columns, ["code"]) == {}
    assert left_out(frame.head(10), frame.columns, ()) == {}


def test_ids_are_learnt_from_where_there_is_nothing_else() -> None:
    """A table of nothing but a counter and a target is about that counter."""
    frame = pl.DataFrame({"x": range(100), "y": range(100)})
    assert left_out(frame, ["x"], ()) == {}


def test_parts_of_the_target_are_suspects() -> None:
    """Numbers whose sum is the target are named together; others are not."""
    frame = NOISE.with_columns(part=pl.Series(RNG.integers(0, 90, ROWS)), rest=pl.Series(RNG.integers(0, 50, ROWS)))
    frame = frame.with_columns(y=pl.col("part") + pl.col("rest"))
    result = summands(frame, ["a", "b", "part", "rest"], "y")
    assert summands(frame.lazy(), ["a", "b", "part", "rest"], "y") == result
    assert set(result) == {"part", "rest"}
    assert "weighted sum of 'part', 'rest'" in result["part"]


def test_a_column_that_follows_the_target_is_a_suspect() -> None:
    """Whatever its scale, a number that rises and falls with the target is named."""
    frame = NOISE.with_columns(y=pl.Series(RNG.normal(size=ROWS)))
    frame = frame.with_columns(same=pl.col("y").exp())
    assert set(leaks(frame, ["a", "b", "same"], "y", "regression")) == {"same"}


def test_a_column_that_tells_the_class_is_a_suspect() -> None:
    """A category or a number that alone gives the class; honest features are not named."""
    label = RNG.choice(["no", "yes"], ROWS)
    frame = NOISE.with_columns(
        y=pl.Series(label),
        code=pl.Series(np.where(label == "yes", "A", "B")),
        amount=pl.Series(RNG.normal(size=ROWS) + np.where(label == "yes", 50.0, 0.0)),
        hint=pl.Series(RNG.normal(size=ROWS) + np.where(label == "yes", 1.0, 0.0)),
        key=pl.Series([f"k{x}" for x in range(ROWS)]),
    )
    result = leaks(frame, ["a", "b", "c", "code", "amount", "hint", "key"], "y", "classification")
    assert set(result) == {"code", "amount"}
    assert leaks(frame.lazy(), ["a", "b", "c", "code", "amount", "hint", "key"], "y", "classification") == result
    assert result["code"].startswith("it alone tells the target in 100.0% of the rows; guessing in 5")


def test_few_rows_give_no_suspects() -> None:
    """In a handful of rows anything may fit by chance."""
    frame = pl.DataFrame({"a": range(10), "y": range(10)})
    assert leaks(frame, ["a"], "y", "regression") == {}
