"""Rows set aside are kept, each by one rule."""

import json

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from heptad.data.cleaning.aside import ASIDE, CAME, SettingAside, rows_aside, without_marks
from heptad.data.passes import ask


@given(st.lists(st.tuples(st.booleans(), st.none() | st.booleans()), max_size=30))
def test_rows_in_are_rows_kept_and_rows_aside(flags: list) -> None:
    """Whatever the rules want, each row is kept or set aside once, by the first rule that wants it."""
    frame = pl.DataFrame(
        [(place, one, other) for place, (one, other) in enumerate(flags)],
        schema={"n": pl.Int64, "one": pl.Boolean, "other": pl.Boolean},
        orient="row",
    )
    aside = SettingAside({"first": pl.col("one"), "second": pl.col("other")})
    marked = aside.rows(frame.lazy())
    (repairs,) = ask(marked, aside)
    kept = without_marks(marked.filter(pl.col(ASIDE).is_null())).collect()
    gone = rows_aside(marked).collect()
    assert kept.columns == frame.columns
    assert sorted(kept["n"].to_list() + [json.loads(row)["n"] for row in gone["row"]]) == frame["n"].to_list()
    counts = {repair.rule: repair.rows for repair in repairs}
    assert counts.get("first", 0) == sum(one for one, _ in flags)
    assert counts.get("second", 0) == sum(bool(other) and not one for one, other in flags)
    assert counts == dict(gone["rule"].value_counts().iter_rows())


def test_a_row_set_aside_shows_the_text_that_could_not_be_read() -> None:
    """Of a column that is read as numbers, what stood there."""
    rows = pl.LazyFrame(
        {"size": [None], ASIDE: ["units size"], f"{CAME}size": ["12 xx"]}, schema_overrides={"size": pl.Float64}
    )
    assert json.loads(rows_aside(rows).collect()["row"][0]) == {"size": "12 xx"}
