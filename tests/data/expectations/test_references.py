"""Expectations against the profile of a version, and against other tables."""

import polars as pl
import pytest
from tests.data.expectations.conftest import asked, context_of, one_of

from heptad.core.errors import SettingsError
from heptad.data import Column, profile_frame
from heptad.data.expectations.definitions import Context

BEFORE = pl.DataFrame({"x": [float(n % 50) for n in range(1000)], "c": ["a", "b"] * 500})
PROFILE = profile_frame(BEFORE, [Column(name="x", type="number"), Column(name="c", type="category")])


def after(frame: pl.DataFrame) -> Context:
    return context_of(frame, profile=PROFILE)


def test_rows_of_the_same_kind_have_not_drifted() -> None:
    """And moved ones have, in numbers and in categories, with the distance told."""
    assert one_of(BEFORE, context=after(BEFORE), drift=0.0).observed == 0.0
    moved = BEFORE.with_columns(pl.col("x") + 20, c=pl.lit("a"))
    for column in ("x", "c"):
        found = one_of(moved, column, after(moved), drift=0.2)
        assert isinstance(found.observed, float)
        assert found.observed > 0.2
        assert "(PSI) from that of the version compared with, more than 0.2" in found.sentence


def test_means_and_missing_values_are_compared() -> None:
    """In deviations of the version before, and in shares."""
    moved = BEFORE.with_columns(pl.col("x") + 30, c=pl.when(pl.col("x") > 39).then("c"))
    assert "2.08 deviations from the 24.5 before" in one_of(moved, context=after(moved), mean_shift=1).sentence
    found = one_of(moved, "c", after(moved), missing_rise=0.5)
    assert found.sentence == "c: 80.0% is missing, and 0.0% was before"


def test_without_a_version_before_nothing_is_broken() -> None:
    """Nor of a column that it did not profile."""
    frame = BEFORE.with_columns(new=pl.lit(1.0))
    assert one_of(frame, drift=0.0).passed
    assert one_of(frame, "new", after(frame), mean_shift=0.0, severity="error").passed


def test_what_cannot_be_compared_is_a_mistake() -> None:
    """New values of what is not counted, and a share of rows against all of them."""
    with pytest.raises(SettingsError, match="unseen is of values that are counted"):
        one_of(BEFORE, context=after(BEFORE), unseen=0.1)
    with pytest.raises(SettingsError, match="drift cannot be of some rows"):
        one_of(BEFORE, context=after(BEFORE), drift=0.1, where="x > 1")


def test_values_are_looked_up_in_another_table() -> None:
    """Numbers of other widths are the same numbers; a missing value refers to nothing."""
    frame = pl.DataFrame({"x": [1, 2, 7, None]})
    other = pl.LazyFrame({"id": [1.0, 2.0, None]})
    context = context_of(frame, table=lambda _: other)
    (found,), rows = asked(frame, context, columns={"x": {"references": {"source": "s", "column": "id"}}})
    assert (found.failing_rows, found.looked_at, rows()) == (1, 3, [1])
    assert found.sentence == "x: 1 value that s.id does not have"
    with pytest.raises(SettingsError, match="names the column 'ids', and there is no such column"):
        one_of(frame, context=context, references={"source": "s", "column": "ids"})
    with pytest.raises(SettingsError, match="columns of one kind"):
        one_of(
            frame,
            context=context_of(frame, table=lambda _: pl.LazyFrame({"id": ["1"]})),
            references={"source": "s", "column": "id"},
        )
    with pytest.raises(SettingsError, match="there is none here"):
        one_of(frame, references={"source": "s", "column": "id"})
