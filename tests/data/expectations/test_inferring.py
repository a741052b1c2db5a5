"""Expectations that a version suggests hold of it, read back, and only warn."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import msgspec
import polars as pl

from heptad.data import Data, DataSettings, ExpectSettings, infer_expectations


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
