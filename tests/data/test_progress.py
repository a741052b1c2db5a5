"""Work says how far it is to whoever watches: never back, never whole before its end, and to nobody else."""

import gzip
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import UnavailableError
from heptad.data import Estimate, Place, Progress, SourceSettings, note_done, open_source, watching_work
from heptad.data import progress as module
from heptad.data.progress import together, under_way


@given(st.integers(0, 1000), st.lists(st.integers(0, 500), max_size=30))
def test_the_share_only_grows_however_wrong_the_estimate_was(amount: int, parts: list[int]) -> None:
    """It is 1 at the end and only there."""
    heard: list[Progress] = []
    with pytest.MonkeyPatch.context() as patch, watching_work(heard.append):
        patch.setattr(module, "TELL_SECONDS", 0.0)
        with under_way("it", lambda: Estimate(amount, "rows")):
            for part in parts:
                note_done(part, "rows")
    shares = [one.share for one in heard if one.share is not None]
    assert shares == sorted(shares)
    assert [share for share in shares if share >= 1] == [1]
    assert (heard[-1].ended, heard[-1].done) == (True, sum(parts))


def test_work_in_parts_goes_on_where_it_was() -> None:
    """Its estimate is asked for once; what it does in another unit is told without changing the share."""
    asked, heard = list[int](), list[Progress]()

    def estimate() -> Estimate:
        asked.append(1)
        return Estimate(4, "files")

    with watching_work(heard.append):
        with under_way("it", estimate, last=False):
            note_done(1, "files")
        with under_way("it", estimate):
            note_done(1000, "rows")
    assert len(asked) == 1
    assert [one.share for one in heard] == [0, 0.25, 1]
    assert heard[-1].unit == "files"


def test_only_the_outer_work_is_told() -> None:
    """What is done inside counts for it."""
    heard: list[Progress] = []
    with watching_work(heard.append), under_way("outer", lambda: None), under_way("inner", lambda: None):
        note_done(3, "rows")
    assert {one.work for one in heard} == {"outer"}
    assert [one.done for one in heard] == [0, 3, 3]


def test_where_nobody_watches_nothing_is_estimated() -> None:
    """Asking costs a query or a request."""
    with under_way("it", lambda: pytest.fail("it was asked")):
        note_done(1, "rows")


def test_an_estimate_that_cannot_be_had_hinders_nothing() -> None:
    """A database that is away for a moment: the work itself tries again, and says what is wrong."""
    heard: list[Progress] = []

    def estimate() -> Estimate:
        raise UnavailableError("The database is away.")

    with watching_work(heard.append), under_way("it", estimate):
        note_done(3, "rows")
    assert [one.share for one in heard] == [None, None, 1]


def test_work_that_fails_has_not_ended() -> None:
    """And what comes after it is not taken for a part of it."""
    heard: list[Progress] = []
    with watching_work(heard.append):
        with pytest.raises(OSError, match="gone"), under_way("it", lambda: None):
            raise OSError("gone")
        note_done(1, "rows")
    assert [one.ended for one in heard] == [False]


def test_work_of_the_same_name_in_another_whole_is_other_work() -> None:
    """Each collection estimates anew; what it found to be done already, so that nothing was read, has ended too."""
    heard: list[Progress] = []
    with watching_work(heard.append):
        for amount in (4, 8):
            with together(), under_way("it", lambda amount=amount: Estimate(amount, "rows"), last=False):
                note_done(2, "rows")
    assert [one.share for one in heard] == [0, 0.5, 1, 0, 0.25, 1]


def test_a_whole_that_fails_has_not_ended() -> None:
    """And leaves nothing that a later one would go on with."""
    heard: list[Progress] = []
    with watching_work(heard.append):
        with pytest.raises(OSError, match="gone"), together(), under_way("it", lambda: None):
            raise OSError("gone")
        with together(), under_way("it", lambda: None):
            note_done(1, "rows")
    assert [one.ended for one in heard] == [False, False, False, True]


@pytest.mark.parametrize(
    ("name", "unit"),
    [("t.csv", "rows"), ("t.jsonl", "rows"), ("t.csv.gz", "bytes"), ("t.json", "bytes"), ("t.json.gz", "bytes")],
)
def test_files_tell_what_they_estimate(name: str, unit: str, tmp_path: Path) -> None:
    """So that the share is one of the same thing."""
    rows = pl.DataFrame({"n": [1, 2, 3]})
    text = {"csv": rows.write_csv, "jsonl": rows.write_ndjson, "json": rows.write_json}[name.split(".")[1]]().encode()
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    source, heard = open_source(SourceSettings(uri=name), Place(root=tmp_path)), list[Progress]()
    with watching_work(heard.append), under_way("it", source.estimate):
        source.read()
    assert source.estimate() == Estimate(heard[-1].done, heard[-1].unit)
    assert (heard[-1].unit, heard[-1].done > 0) == (unit, True)


def test_every_file_counts_once_packed_or_not(tmp_path: Path) -> None:
    """By its bytes as they are there, whatever is unpacked of them."""
    text = pl.DataFrame({"n": range(1000)}).write_csv().encode()
    (tmp_path / "a.csv").write_bytes(text)
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(text))
    source, heard = open_source(SourceSettings(uri="*.csv*"), Place(root=tmp_path)), list[Progress]()
    with watching_work(heard.append), under_way("it", source.estimate):
        source.read()
    assert heard[-1].done == sum(path.stat().st_size for path in tmp_path.iterdir())
    assert source.estimate() == Estimate(heard[-1].done, "bytes")
