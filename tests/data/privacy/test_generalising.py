"""What is proposed suffices, loses least, and is what the rows become."""

from datetime import UTC, datetime, timedelta
from itertools import product

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptad.core.errors import InputError, RefusedError
from heptad.data.privacy.anonymity import measure_anonymity
from heptad.data.privacy.generalising import GONE, anonymise, generalise

PEOPLE = pl.LazyFrame(
    {
        "age": [20 + one % 60 for one in range(600)],
        "zip": [f"{53000 + one * 7 % 900}" for one in range(600)],
        "seen": [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=one) for one in range(600)],
        "illness": [["flu", "cold", "gout"][one % 3] for one in range(600)],
    }
)


def test_columns_are_coarsened_until_everybody_hides() -> None:
    """As rules of `[clean]`, applied they give the k and l that were said."""
    found = generalise(PEOPLE, ["age", "zip", "seen"], 10, "illness", 3, suppress=0.02)
    made = anonymise(PEOPLE, found, 10, "illness", 3)
    left = [name for name in ("age", "zip", "seen") if name in made.collect_schema()]
    again = measure_anonymity(made, left, "illness")
    assert (again.k, again.l, again.rows) == (found.k, found.l, found.rows - found.suppressed)
    assert again.k >= 10
    assert again.l == 3
    assert 0 < found.loss < 1
    assert any(step.words() for step in found.steps.values())


def test_what_hides_already_stays_as_it_is() -> None:
    """Nothing is lost."""
    found = generalise(PEOPLE, ["illness"], 5)
    assert (found.loss, found.suppressed, found.tried) == (0.0, 0, 1)
    assert [step.words() for step in found.steps.values()] == [""]


def test_what_cannot_be_reached_is_refused_and_all_may_have_to_go() -> None:
    """More people than there are; and columns left out at last."""
    with pytest.raises(RefusedError, match="601-anonymous"):
        generalise(PEOPLE, ["age", "zip"], 601)
    found = generalise(PEOPLE, ["age"], 600)
    assert [step.words() for step in found.steps.values()] == [GONE]
    assert anonymise(PEOPLE, found, 600).collect().height == 600
    assert "age" not in anonymise(PEOPLE, found, 600).collect_schema()


def test_missing_values_are_no_different_ones() -> None:
    """Neither where a coarsening is looked for, nor in the rows that it leaves; no wish for them leaves a class out."""
    table = pl.LazyFrame(
        {"zip": ["1"] * 3 + ["2"] * 3 + ["3"] * 2, "illness": ["x", None, "x", "x", None, "y", None, None]}
    )
    with pytest.raises(RefusedError, match="3-anonymous with 3 different values of illness"):
        generalise(table, ["zip"], 3, "illness", 3)
    found = generalise(table, ["zip"], 2, "illness", 2, suppress=0.7)
    assert (found.l, found.suppressed, found.tried) == (2, 5, 1)
    assert anonymise(table, found, 2, "illness", 2).collect()["zip"].unique().to_list() == ["2"]
    found = generalise(table, ["zip"], 2, "illness")
    assert (found.l, found.suppressed, found.tried) == (0, 0, 1)
    assert anonymise(table, found, 2, "illness").collect().height == 8


def test_different_values_are_of_a_column() -> None:
    """Without one, the wish would go unheard."""
    with pytest.raises(InputError, match="2 different values are asked for, of no column"):
        generalise(PEOPLE, ["age"], 5, least=2)


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(0, 99), st.sampled_from(["ab", "ac", "bc", "b"])), min_size=4, max_size=30),
    st.integers(2, 4),
)
def test_nothing_that_loses_less_suffices(rows: list[tuple[int, str]], k: int) -> None:
    """Every other node of the lattice with less loss leaves somebody in too small a class."""
    from heptad.data.privacy import generalising

    table = pl.LazyFrame(rows, schema=["n", "t"], orient="row")
    found = generalise(table, ["n", "t"], k)
    ladders = [generalising._ladder(table, column) for column in ("n", "t")]
    counted = generalising._counted(table, ["n", "t"], "")
    for node in product(*(range(len(ladder)) for ladder in ladders)):
        loss = sum(at / (len(ladder) - 1) for at, ladder in zip(node, ladders, strict=True)) / 2
        if loss < found.loss - 1e-9:
            steps = {column: ladder[at] for column, at, ladder in zip(("n", "t"), node, ladders, strict=True)}
            assert generalising._classes(counted, steps)["\0rows"].min() < k
