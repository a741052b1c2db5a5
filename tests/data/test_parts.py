"""Rows that do not fit into memory are parted on disk by their keys."""

import os
from pathlib import Path

import polars as pl
import pytest

from heptad.core.errors import WorkspaceError
from heptad.data.parts import PARTS, Parts, Scratch, gather

ROWS = pl.DataFrame({"g": [number % 97 for number in range(5_000)], "h": ["x"] * 5_000}).with_row_index("n")


def test_each_key_is_in_one_part_in_order(tmp_path: Path) -> None:
    """Nothing is lost or doubled, whatever was still in the buffer; nulls are keys too."""
    parts = Parts(tmp_path, ["g", "h"], buffer=10_000)
    with_null = ROWS.with_columns(pl.when(pl.col("g") > 0).then(pl.col("g")))
    for start in range(0, len(with_null), 700):
        parts.add(with_null[start : start + 700])
    found = [part for number in range(PARTS) if (part := parts.part(number)) is not None]
    assert len(found) > 20
    assert pl.concat(found).sort("n").equals(with_null)
    assert all(part["n"].is_sorted() for part in found)
    assert sum(part["g"].n_unique() for part in found) == 97


def test_rows_that_fit_are_held() -> None:
    """In their order, without touching the disk; without keys they always are."""
    with Scratch() as scratch:
        for keys, memory in ((["g"], 1 << 30), ([], 1)):
            held = gather(ROWS.lazy(), keys, memory, scratch)
            assert isinstance(held, pl.DataFrame)
            assert held.equals(ROWS)
        empty = gather(ROWS.lazy().head(0), ["g"], 1, scratch)
        assert isinstance(empty, pl.DataFrame)
        assert empty.schema == ROWS.schema


def test_rows_that_do_not_fit_are_parted_in_a_folder_that_goes_away() -> None:
    """The folder is there for as long as the block takes, also where it fails."""
    with Scratch() as scratch:
        parts = gather(ROWS.lazy(), ["g"], 1_000, scratch)
        assert isinstance(parts, Parts)
        found = [part for number in range(PARTS) if (part := parts.part(number)) is not None]
        assert pl.concat(found).sort("n").equals(ROWS)
        folders = [scratch.folder(), scratch.folder()]
        assert folders[0] != folders[1]
    assert not any(folder.exists() for folder in folders)
    made: list[Path] = []
    with pytest.raises(ZeroDivisionError):
        _fail_inside(made)
    assert not made[0].exists()


def test_it_is_where_the_workspace_spills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The place for temporary files may be memory itself."""
    monkeypatch.setenv("POLARS_OOC_SPILL_DIR", str(tmp_path / "spill"))
    with Scratch() as scratch:
        assert scratch.folder().is_relative_to(tmp_path / "spill" / str(os.getpid()))


def _fail_inside(made: list[Path]) -> None:
    with Scratch() as scratch:
        made.append(scratch.folder())
        raise ZeroDivisionError


def test_a_disk_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The error says where."""
    parts = Parts(tmp_path / "not there", ["g"], buffer=1)
    with pytest.raises(WorkspaceError, match="not there"):
        parts.add(ROWS)
