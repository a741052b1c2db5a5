"""A table made anew has in every version what stays of it, shares what it shared, and knows nothing of the rest."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.data.versions import tables
from heptad.data.versions.rewriting import rewrite
from heptad.data.versions.tables import Table


def frame(keys: range) -> pl.LazyFrame:
    return pl.LazyFrame({"k": [f"key-{key}" for key in keys], "n": list(keys)}, schema={"k": pl.String, "n": pl.Int64})


def without(rows: pl.LazyFrame, gone: set[int]) -> pl.LazyFrame:
    return rows.filter(~pl.col("n").is_in(list(gone)))


@given(st.sets(st.integers(0, 60)), st.lists(st.integers(1, 60), min_size=1, max_size=4))
def test_every_version_has_what_stays_of_it_in_order(
    tmp_path_factory: pytest.TempPathFactory, gone: set[int], sizes: list[int]
) -> None:
    """Whatever goes: nothing, some rows of some files, all rows of a version."""
    folder = tmp_path_factory.mktemp("tables")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "FILE_BYTES", 200)
        patch.setattr(tables, "AT_ONCE", 4)
        old = Table(folder / "old")
        numbers: list[int] = []
        before: int | None = None
        for size in sorted(sizes):
            kept = old.kept(before, size, size) if before is not None else 0
            before = old.write(frame(range(size)).slice(kept), before, kept)
            numbers.append(before)
        made = rewrite(old, Table(folder / "new"), numbers, lambda rows: without(rows, gone), ["n"])
    for size, number in zip(sorted(sizes), numbers, strict=True):
        left = Table(folder / "new").scan(made[number]).collect()
        assert left.equals(without(frame(range(size)), gone).collect())
    named = b"".join(path.read_bytes() for path in (folder / "new").rglob("*.json"))
    assert not any(f'"key-{one}"'.encode() in named for one in gone)


def test_files_that_lose_no_row_are_not_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They get a second name, and versions go on sharing files."""
    monkeypatch.setattr(tables, "FILE_BYTES", 2000)
    monkeypatch.setattr(tables, "AT_ONCE", 50)
    old = Table(tmp_path / "old")
    first = old.write(frame(range(500)))
    kept = old.kept(first, 500, 600)
    second = old.write(frame(range(kept, 600)), first, kept)
    rewrite(old, Table(tmp_path / "new"), [first, second], lambda rows: without(rows, {499}), ["n"])
    were = {path.stat().st_ino for path in (tmp_path / "old").glob("*.parquet")}
    are = [path.stat().st_ino for path in (tmp_path / "new").glob("*.parquet")]
    assert len(set(are)) == len(are)
    assert len(were & set(are)) == len(were) - 1
