"""Expectations that a version suggests hold of it, read back, and only warn."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import msgspec
import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.data.expectations.conftest import context_of

from heptad.data import Data, DataSettings, ExpectSettings, infer_expectations
from heptad.data.expectations.checks import Expectations
from heptad.data.expectations.inferring import expected_of
from heptad.data.passes import ask
from heptad.data.profiles.profile import ColumnProfile
from heptad.data.records import Column


def test_a_version_holds_to_what_it_suggests(open_data: Callable[..., Data], write: Callable[..., Path]) -> None:
    """Ranges, sets, missing values, types and drift, each with what was seen; a shifted table breaks them."""
    rows = pl.DataFrame(
        {
            "k": range(200),
            "x": [n % 7 if n % 5 else None for n in range(200)],
            "c": ["a", "b"] * 100,
            "y": ["u", "v", "u", "u"] * 50,
        }
    )
    write(rows)
    data = open_data(DataSettings(target="y", key=["k"]))
    version = data.collect()
    text = infer_expectations(version.body, data.profile(version))
    assert "# feature, integer; 40 of 200 missing; mean " in text
    assert "# feature, category; 0 of 200 missing; 2 values, most often" in text
    expect = msgspec.convert(tomllib.loads(text)["expect"], ExpectSettings)
    assert {one.severity for _, one in expect.of_columns()} == {"warning"}
    held = dict(expect.of_columns())
    assert (held["x"].min, held["x"].max, held["x"].missing, held["x"].drift) == (0, 6, 0.22, 0.27)
    assert held["c"].allowed == ["a", "b"]

    again = open_data(DataSettings(target="y", key=["k"]), expect=expect)
    checked = again.expectations.version(version)
    assert [one.sentence for one in checked.findings if not one.passed] == []

    write(rows.with_columns(pl.col("x") + 5, k=pl.col("k") + 1000, c=pl.lit("z")), "later.csv")
    later = again.expectations.file(Path(write("", "x").parent / "later.csv"))
    assert later.passed
    broken = {(one.column, one.expectation) for one in later.findings if not one.passed}
    assert broken == {("x", "max"), ("x", "drift"), ("c", "allowed"), ("c", "drift")}


LARGE = st.integers(2**62, 2**62 + 999)
NUMBERS = st.one_of(st.none(), LARGE, LARGE.map(int.__neg__), st.integers(-3, 3))
TEXTS = st.sampled_from([None, "a", "b", "c"])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(NUMBERS, st.one_of(st.none(), st.floats(allow_nan=False)), TEXTS), min_size=8, max_size=30))
def test_any_version_holds_to_what_it_suggests(
    open_data: Callable[..., Data], write: Callable[..., Path], rows: list[tuple[int | None, float | None, str | None]]
) -> None:
    """Whatever its columns hold; of those before nothing is known."""
    columns = {"i": pl.Int64, "x": pl.Float64, "c": pl.String}
    frame = pl.DataFrame(rows, schema=columns, orient="row").with_row_index("k")
    frame = frame.with_columns(y=pl.col("k") % 2, a=pl.col("k") % 5)
    write(frame)
    sample = 2 * len(rows)  # a data set of its own for each table, all of it
    data = open_data(DataSettings(target="y", key=["k"], types={"i": "integer", "x": "number", "c": "category"}))
    version = data.collect(sample=sample)
    expect = msgspec.convert(
        tomllib.loads(infer_expectations(version.body, data.profile(version)))["expect"], ExpectSettings
    )
    context = context_of(data.scan(version).collect())
    context = msgspec.structs.replace(context, profile=data.profile(version))
    (found,) = ask(data.scan(version), Expectations(context, ["k"], expect, None))
    assert [one.sentence for one in found if not one.passed] == []


@given(st.integers(0, 10**7).flatmap(lambda rows: st.tuples(st.integers(0, rows), st.just(rows))))
def test_what_is_missing_now_may_be_missing(counts: tuple[int, int]) -> None:
    """Be it one row of millions."""
    missing, rows = counts
    found = ColumnProfile(name="x", type="number", rows=rows, missing=missing)
    most = expected_of(Column(name="x", type="number", role="feature"), found).missing
    assert most is not None
    assert missing <= most * rows
    assert (most == 0) == (missing == 0)
