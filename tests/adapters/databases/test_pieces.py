"""Pieces of what was read: committed whole, in order, with the cursor's last value apart."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.adapters.databases import pieces as pieces_module
from heptad.adapters.databases.pieces import Held, Pieces, PieceWriter, forget_pieces, merged, position_of
from heptad.data import Subjects

NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001 - databases have such times


@pytest.fixture
def pieces(tmp_path: Path) -> Pieces:
    found = Pieces(tmp_path / "rows")
    with found.locked():
        pass
    return found


@pytest.mark.parametrize(
    "value", [7, 0.1, "x", Decimal("1.10"), datetime(2026, 1, 1, tzinfo=UTC), NAIVE, date(2026, 1, 1)]
)
def test_a_position_is_read_back_as_it_was(value: Any) -> None:
    """Type and value."""
    position = position_of(value)
    past = Held(pieces=[], position=position).past
    assert (type(past), past) == (type(value), value)
    assert position_of(b"x") is None


def test_types_of_pieces_are_merged() -> None:
    """Numbers hold integers, text holds all, and what has no value yet fits any."""
    assert merged([{"a": "null", "b": "integer"}, {"a": "text", "b": "number"}]) == {"a": "text", "b": "number"}
    assert merged([{"a": "boolean"}, {"a": "integer"}]) == {"a": "text"}


def test_pieces_of_different_types_are_one_table(pieces: Pieces) -> None:
    """Each keeps its own, the table has the wider."""
    made = [pieces.write(pl.DataFrame({"a": values})) for values in ([None], [1], [0.5])]
    held = pieces.commit(Held(pieces=made), None)
    assert pieces.scan(held).collect()["a"].to_list() == [None, 1.0, 0.5]
    assert pieces.load() == held


def test_what_was_not_committed_is_removed(pieces: Pieces, tmp_path: Path) -> None:
    """And what was replaced stays once, for those who are reading it."""
    first = pieces.commit(Held(pieces=[pieces.write(pl.DataFrame({"a": [1]}))]), None)
    scanned = pieces.scan(first)
    pieces.write(pl.DataFrame({"a": [2]}))
    pieces.clear(first)
    assert len(list((tmp_path / "rows").glob("*.parquet"))) == 1
    second = pieces.commit(Held(pieces=[pieces.write(pl.DataFrame({"a": [3]}))]), first)
    assert scanned.collect()["a"].to_list() == [1]
    pieces.commit(Held(pieces=[pieces.write(pl.DataFrame({"a": [4]}))]), second)
    assert len(list((tmp_path / "rows").glob("*.parquet"))) == 2


def test_a_piece_that_is_gone_means_nothing_is_held(pieces: Pieces, tmp_path: Path) -> None:
    """It is only a copy: it is read again."""
    held = pieces.commit(Held(pieces=[pieces.write(pl.DataFrame({"a": [1]}))]), None)
    (tmp_path / "rows" / held.pieces[0].file).unlink()
    assert pieces.load() is None


def test_earlier_states_are_taken_out(pieces: Pieces) -> None:
    """Pieces that hold none stay as they are."""
    made = [pieces.write(pl.DataFrame({"k": keys, "v": keys})) for keys in ([1, 2], [3, 4], [5])]
    left = pieces.without(made, pl.DataFrame({"k": [3, 5]}))
    assert left[0] is made[0]
    assert pieces.scan(Held(pieces=left)).collect()["k"].to_list() == [1, 2, 4]


@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=6), min_size=1, max_size=6), st.sampled_from([1, 80]))
def test_the_tail_is_every_row_at_the_greatest_value(batches: list[list[int]], size: int) -> None:
    """However batches and pieces fall, rows are in order, and the tail alone is read again."""
    values = sorted(one for batch in batches for one in batch)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pieces_module, "PIECE_BYTES", size)
        writer, start = PieceWriter(_Kept(), "k"), 0  # type: ignore[arg-type]
        for batch in batches:
            part = values[start : start + len(batch)]
            start += len(part)
            writer.add(pl.DataFrame({"k": part}), part)
        written = writer.close()
    assert [one for rows, _ in written for one in rows] == values
    tails = [rows for rows, tail in written if tail]
    assert tails == [[one for one in values if one == values[-1]]]
    assert writer.first_of_tail == values[-1]


class _Kept:
    """Writes nothing, and answers what would have been written."""

    def write(self, rows: pl.DataFrame, *, tail: bool = False) -> tuple[list[int], bool]:
        return rows["k"].to_list(), tail


def test_people_leave_everything_that_was_ever_read(tmp_path: Path) -> None:
    """Of any table, and no settings are asked; what a killed reading left goes as a whole, and others' folders stay."""
    anna = Subjects(columns=["who"], keys=[["token-of-anna"]])
    assert forget_pieces(tmp_path, anna) == 0
    for name in ("first", "second"):
        pieces = Pieces(tmp_path / "sources" / name)
        with pieces.locked():
            pieces.commit(Held(pieces=[pieces.write(pl.DataFrame({"who": ["token-of-anna", name]}))]), None)
            pieces.write(pl.DataFrame({"who": ["token-of-anna"]}))
    unfinished = Pieces(tmp_path / "sources" / "unfinished")
    with unfinished.locked():
        unfinished.write(pl.DataFrame({"who": ["token-of-anna"]}))
    (tmp_path / "sources" / "other").mkdir()
    other = Subjects(columns=["person"], keys=[["none"]])
    assert forget_pieces(tmp_path, other, [anna], dry_run=True) == 2
    assert [forget_pieces(tmp_path, anna, dry_run=dry_run) for dry_run in (True, False, False)] == [2, 2, 0]
    files = list(tmp_path.rglob("*.parquet"))
    assert sorted(pl.read_parquet(path)["who"].to_list() for path in files) == [["first"], ["second"]]
