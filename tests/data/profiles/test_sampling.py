"""A sample tells bins and quantiles, and which values need to be looked at."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.data import Column, merge, profile_frame
from heptad.data.profiles import profile as module
from heptad.data.profiles.sampling import EVERY, FEW, edges_of, hash_of, sample_columns

ROWS = 150_000
COLUMNS = [
    Column(name="real", type="number"),
    Column(name="code", type="number"),
    Column(name="id", type="integer"),
    Column(name="kind", type="category"),
    Column(name="word", type="text"),
    Column(name="sparse", type="number"),
    Column(name="on", type="boolean"),
    Column(name="gone", type="number"),
]


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    rng = np.random.default_rng(2)
    return pl.DataFrame(
        {
            "real": rng.normal(size=ROWS),
            "code": rng.integers(0, 3_000, ROWS).astype(float),
            "id": np.arange(ROWS),
            "kind": [f"k{one}" for one in rng.integers(0, 40_000, ROWS)],
            "word": [f"word {one}" for one in rng.integers(0, 70, ROWS)],
            "sparse": pl.Series(rng.normal(5, 1, ROWS)).set(pl.Series(rng.random(ROWS) < 0.9), None),
            "on": rng.random(ROWS) < 0.5,
        }
    )


def test_few_values_are_looked_at_whole_and_many_in_part(table: pl.DataFrame) -> None:
    """Numbers that hardly repeat are not; whether a column is looked at is told by its sample."""
    below = sample_columns(table, COLUMNS, {}).below
    assert below["code"] == below["word"] == EVERY
    assert 0 < below["id"] < EVERY
    assert 0 < below["kind"] < EVERY
    assert "real" not in below
    assert "on" not in below
    few = sample_columns(table.head(FEW), COLUMNS, {}).below
    assert {few[name] for name in ("real", "id", "kind")} == {EVERY}


def test_different_values_and_quantiles_of_a_table(table: pl.DataFrame) -> None:
    """Within what the sketches say, of columns with missing values too."""
    profile = profile_frame(table, COLUMNS)
    for name in ("code", "id", "kind", "word"):
        column = profile.column(name)
        assert column is not None
        assert column.distinct == pytest.approx(table[name].n_unique(), rel=0.1), name
    known = {one.name: one for one in profile.columns}
    real, sparse, on, gone = (known[name] for name in ("real", "sparse", "on", "gone"))
    assert (real.distinct, on.distinct, gone.distinct, gone.quantile(0.5)) == (None, 2, None, None)
    for share in (0.05, 0.5, 0.95):
        for column, values in ((real, table["real"]), (sparse, table["sparse"].drop_nulls())):
            found = column.quantile(share)
            assert found is not None
            assert (values <= found).mean() == pytest.approx(share, abs=0.02)


def test_parts_put_together_tell_what_the_whole_tells(table: pl.DataFrame) -> None:
    """Different values exactly, quantiles nearly."""
    reference = profile_frame(table, COLUMNS)
    parts = [profile_frame(table[start : start + ROWS // 3], COLUMNS, reference) for start in range(0, ROWS, ROWS // 3)]
    made = merge(merge(parts[0], parts[1]), parts[2])
    for one, whole in zip(made.columns, profile_frame(table, COLUMNS, reference).columns, strict=True):
        assert (one.counts, one.missing) == (whole.counts, whole.missing)
        if whole.registers:
            assert one.registers == whole.registers, one.name
        if one.name == "real":
            assert (table["real"] <= (one.quantile(0.25) or 0)).mean() == pytest.approx(0.25, abs=0.03)


def test_a_table_is_the_same_in_memory_and_in_files(table: pl.DataFrame, tmp_path: Path, monkeypatch) -> None:
    """Held where it is small, else read twice."""
    table.write_parquet(tmp_path / "rows.parquet")
    held = profile_frame(pl.scan_parquet(tmp_path / "rows.parquet"), COLUMNS)
    monkeypatch.setattr(module, "HELD", 0)
    read = profile_frame(pl.scan_parquet(tmp_path / "rows.parquet"), COLUMNS)
    assert [one.registers for one in held.columns] == [one.registers for one in read.columns]
    assert [one.counts for one in held.columns] == [one.counts for one in read.columns]


def test_equal_numbers_hash_alike_in_any_type() -> None:
    """So that profiles of tables whose types differ go together; nothing has no hash."""
    column = Column(name="x", type="number")
    frames = [pl.DataFrame({"x": [1, None]}), pl.DataFrame({"x": [1.0, None]})]
    first, second = (one.select(hash_of(column, one.schema))["x"].to_list() for one in frames)
    assert first == second
    assert first[1] is None


def test_a_heavy_value_has_a_bin_of_its_own() -> None:
    """Else half of the rows would be in a bin with others."""
    edges = edges_of(np.sort(np.concatenate([np.zeros(60), np.arange(1, 41)])))
    assert 0.0 in edges
    assert edges[0] < 0
    assert edges_of(np.array([])) == []


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=50))
def test_whole_numbers_are_told_apart_however_large(numbers: list[int]) -> None:
    """And those that a float holds are hashed as it is."""
    frame = pl.DataFrame({"x": numbers}, schema={"x": pl.Int64})
    column = Column(name="x", type="integer")
    hashes = frame.select(hash_of(column, frame.schema))["x"]
    assert hashes.n_unique() == len(set(numbers))
    floats = frame.cast(pl.Float64)
    of_floats = floats.select(hash_of(column, floats.schema))["x"]
    assert [a == b for a, b, one in zip(hashes, of_floats, numbers, strict=True) if abs(one) <= 2**53] == [
        True for one in numbers if abs(one) <= 2**53
    ]


def test_large_ids_are_counted(table: pl.DataFrame) -> None:
    """Of millions a part is looked at, as of other ids."""
    ids = table.select(id=pl.col("id") + 1_700_000_000_000_000_000)
    column = Column(name="id", type="integer")
    assert 0 < sample_columns(ids, [column], {}).below["id"] < EVERY
    for height in (3_000, ROWS):
        (found,) = profile_frame(ids.head(height), [column]).columns
        assert found.distinct == pytest.approx(height, rel=0.1)
