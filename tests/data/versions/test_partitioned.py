"""Rows come back in their order from a table in partitions, and one partition is read without the others."""

from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st

from heptad.core.errors import DataError, NotFoundError
from heptad.data.versions import partitioned, tables
from heptad.data.versions.partitioned import POSITION, PartitionedTable, open_table
from heptad.data.versions.rewriting import rewrite
from heptad.data.versions.tables import Table

ODD = ["JFK", "New York/Newark", "ä=b% c", None, "12"]


def frame(groups: list[str | None], first: int = 0) -> pl.LazyFrame:
    count = len(groups)
    return pl.LazyFrame(
        {"n": range(first, first + count), "where": groups, "v": [f"v{one}" for one in range(first, first + count)]},
        schema={"n": pl.Int64, "where": pl.String, "v": pl.String},
    )


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few rows a file."""
    monkeypatch.setattr(tables, "FILE_BYTES", 100)
    monkeypatch.setattr(tables, "AT_ONCE", 5)


def opened(folder: Path, *columns: str) -> PartitionedTable:
    table = open_table(folder, columns)
    assert isinstance(table, PartitionedTable)
    return table


@settings(max_examples=15)
@given(
    st.lists(st.lists(st.sampled_from(ODD), min_size=1, max_size=25), min_size=1, max_size=4),
    st.lists(st.integers(0, 30), min_size=4, max_size=4),
    st.sampled_from([40, 300, 1 << 20]),
)
def test_versions_come_back_in_their_order(
    tmp_path_factory: pytest.TempPathFactory, parts: list[list[str | None]], cuts: list[int], size: int
) -> None:
    """Whatever stays of the one before, and however small files are; all versions stay readable."""
    folder = tmp_path_factory.mktemp("tables") / "t"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "FILE_BYTES", size)
        patch.setattr(tables, "AT_ONCE", 4)
        groups: list[str | None] = []
        made: list[tuple[int, pl.DataFrame]] = []
        base: int | None = None
        for number, (part, cut) in enumerate(zip(parts, cuts, strict=False)):
            same = min(cut, len(groups))
            groups = [*groups[:same], *part]
            rows = pl.concat([made[-1][1].head(same).lazy(), frame(part, 1000 * number)]) if made else frame(part)
            table = opened(folder, "where")
            after = table.kept(base, same, len(groups)) if base is not None else 0
            assert after == (same if base is not None else 0)
            base = table.write(rows.slice(after), base, after)
            made.append((base, rows.collect()))
    for version, rows in made:
        assert opened(folder).scan(version).collect().equals(rows)
        assert opened(folder).scan(version).select(pl.len()).collect().item() == len(rows)


def test_one_partition_is_read_without_the_files_of_others(tmp_path: Path) -> None:
    """A filter by its value looks at no other file; they could be gone."""
    table = opened(tmp_path / "t", "where")
    version = table.write(frame(ODD * 20))
    rows = table.scan(version)
    expected = {value: rows.collect().filter(pl.col("where").eq_missing(pl.lit(value))) for value in ODD}
    for value in ODD:
        hidden = [path for path in (tmp_path / "t").rglob("*.parquet") if path.parent.name != _folder(value)]
        for path in hidden:
            path.rename(path.with_suffix(".hidden"))
        wanted = pl.col("where").is_null() if value is None else pl.col("where") == value
        assert rows.filter(wanted).collect(engine="streaming").equals(expected[value])
        for path in hidden:
            path.with_suffix(".hidden").rename(path)


def _folder(value: str | None) -> str:
    named = {None: partitioned._NULL, "New York/Newark": "New York%2FNewark", "ä=b% c": "%C3%A4%3Db%25 c"}
    return f"where={named.get(value, value)}"


@pytest.mark.parametrize("folder", ["a=b", "with space"])
def test_a_folder_of_any_name_is_read(tmp_path: Path, folder: str) -> None:
    """Polars takes an "=" anywhere for a partition; the rows are the same."""
    table = opened(tmp_path / folder / "t", "where")
    version = table.write(frame(ODD * 3))
    assert table.scan(version).collect().equals(frame(ODD * 3).collect())
    assert table.scan(version).filter(pl.col("where") == "12").collect()["n"].to_list() == [4, 9, 14]


def test_several_columns_and_types(tmp_path: Path) -> None:
    """Whole numbers and booleans keep their types, in the order of the columns."""
    rows = pl.LazyFrame({"day": [3, 1, None, 3], "on": [True, None, False, False], "x": [0.5, 1.5, 2.5, 3.5]})
    table = opened(tmp_path / "t", "on", "day")
    version = table.write(rows)
    assert table.scan(version).collect().equals(rows.collect())
    assert table.scan(version).collect_schema() == rows.collect_schema()
    assert table.scan(version).filter(pl.col("on"), pl.col("day") == 3).collect()["x"].to_list() == [0.5]
    empty = table.write(rows.clear(), version)
    assert table.scan(empty).collect().equals(rows.clear().collect())


@pytest.mark.usefixtures("small")
def test_little_that_is_appended_often_leaves_few_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files at the end of a partition are merged with what comes behind them; others are not touched."""
    monkeypatch.setattr(tables, "FILE_BYTES", 1 << 20)
    table = opened(tmp_path / "t", "where")
    version = table.write(frame(["a", "b"] * 50))
    before = set(table.files(version))
    for number in range(60):
        version = table.write(frame(["a"], 100 + number), version, 100 + number)
    assert len(table.files(version)) < 12
    assert next(one for one in before if "where=b" in one) in table.files(version)
    assert table.scan(version).collect()["n"].to_list() == list(range(160))


@settings(max_examples=15)
@given(gone=st.sets(st.integers(0, 60)), sizes=st.lists(st.integers(1, 60), min_size=1, max_size=4))
def test_rows_are_taken_out_of_every_version(
    tmp_path_factory: pytest.TempPathFactory, gone: set[int], sizes: list[int]
) -> None:
    """As an erasure does: the rest is in its order, and the next version is written over it."""
    folder = tmp_path_factory.mktemp("tables")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "FILE_BYTES", 200)
        patch.setattr(tables, "AT_ONCE", 4)
        old, made = opened(folder / "old", "where"), []
        base: int | None = None
        for size in sorted(sizes):
            rows = frame((ODD * 12)[:size])
            after = old.kept(base, made[-1][1], size) if base is not None else 0
            base = old.write(rows.slice(after), base, after)
            made.append((base, size))
        new = opened(folder / "new", "where")
        keep = lambda rows: rows.filter(~pl.col("n").is_in(list(gone)))  # noqa: E731
        numbers = rewrite(old, new, [one for one, _ in made], keep, ["n"])
        for version, size in made:
            left = open_table(folder / "new").scan(numbers[version]).collect()
            assert left.equals(keep(frame((ODD * 12)[:size])).collect())
        last = numbers[made[-1][0]]
        count = len(new.scan(last).collect())
        after = new.kept(last, count, count + 3)
        assert after in {0, count}
        whole = pl.concat([new.scan(last).collect().lazy(), frame(["a", "b", "a"], 100)])
        later = new.write(whole.slice(after), last, after)
        assert new.scan(later).collect().equals(whole.collect())


def test_other_programs_read_it_and_may_write(tmp_path: Path) -> None:
    """Delta knows the partitions; rows of another writer come in the order that is asked for."""
    table = opened(tmp_path / "t", "where")
    version = table.write(frame(ODD * 4))
    read = pl.scan_delta(str(tmp_path / "t"), version=version).sort("n").collect()
    assert read.select("n", "where", "v").equals(frame(ODD * 4).collect())
    assert DeltaTable(tmp_path / "t").metadata().partition_columns == ["where"]
    more = frame(["JFK"], 20).collect().with_columns(pl.lit(None, pl.Int64).alias(POSITION))
    write_deltalake(tmp_path / "t", more, mode="append")
    newest = table.newest()
    assert table.scan(newest, ["n"]).collect()["n"].to_list() == list(range(21))
    assert table.scan(version).collect()["n"].to_list() == list(range(20))


def test_columns_that_make_no_partitions_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing ones, fractions, times, too many values, empty and long texts; nothing is left behind."""
    monkeypatch.setattr(partitioned, "MOST", 3)
    rows = frame(["a", "b"]).with_columns(f=0.5, at=pl.lit(0).cast(pl.Datetime("us", "UTC")))
    with pytest.raises(NotFoundError, match="There is no column 'wher'"):
        opened(tmp_path / "t", "wher").write(rows)
    with pytest.raises(DataError, match="'f' is a column of numbers with fractions"):
        opened(tmp_path / "t", "f").write(rows)
    with pytest.raises(DataError, match="'at' is a column of times"):
        opened(tmp_path / "t", "at").write(rows)
    with pytest.raises(DataError, match="more than 3 different values"):
        opened(tmp_path / "t", "where").write(frame(list("abcd")))
    for bad in ("", "x" * 101):
        with pytest.raises(DataError, match="'where' holds"):
            opened(tmp_path / "t", "where").write(frame(["a", bad]))
    assert not list((tmp_path / "t").rglob("*.parquet"))


def test_a_table_is_opened_as_it_is(tmp_path: Path) -> None:
    """What is wanted counts only where there is none yet."""
    Table(tmp_path / "plain").write(frame(["a"]))
    assert not isinstance(open_table(tmp_path / "plain", ["where"]), PartitionedTable)
    opened(tmp_path / "parts", "where").write(frame(["a"]))
    assert opened(tmp_path / "parts").partition == ("where",)
    assert not isinstance(open_table(tmp_path / "none"), PartitionedTable)
