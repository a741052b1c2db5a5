"""What became known is brought into the online store: once, in portions, wherever it was interrupted."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.data.features.conftest import MOMENT, at

from heptad.adapters.lmdb import LmdbStore
from heptad.core.clock import ManualClock
from heptad.core.errors import DataError
from heptad.core.records import Record
from heptad.data import FeatureSettings, MadeSettings
from heptad.data.features import materialising
from heptad.data.features.definitions import define
from heptad.data.features.materialising import Materialised, materialise, progress_of, withdraw_early
from heptad.data.features.packing import micros, moment_of
from heptad.data.features.pushing import FeatureWriter
from heptad.data.features.reading import FeatureReader
from heptad.data.features.views import View

SCHEMA = {"g": pl.String, "t": MOMENT, "k": MOMENT, "v": pl.Int64}
Row = tuple[str, float, float, int]


def rows_of(rows: list[Row]) -> pl.LazyFrame:
    return pl.LazyFrame([(g, at(t), at(k), v) for g, t, k, v in rows], schema=SCHEMA, orient="row")


class Online:
    """One view over rows that a test gives, in a store of its own."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        given = {"columns": ["v"], "known": "k"} | settings
        time = "" if given.pop("lookup", False) else "t"
        self.view = View("shop", FeatureSettings(source="s", on=["g"], **given), time=time)
        self.store = LmdbStore(f"lmdb://{folder}", "test")
        self.body = define(self.view, rows_of([]))

    def bring(self, rows: list[Row], hour: float, **more: Any) -> Materialised:
        return materialise(self.store, self.view, self.body, rows_of(rows), at(hour), **more)

    def read(self, *entities: str, hour: float = 0) -> list[list[Any]]:
        record = Record(id="x", kind="feature_view", scope="test", at=at(0), actor="me", body=self.body)
        reader = FeatureReader(self.store, ManualClock(at(hour)), [(record, [])])
        return [list(row.values) for row in reader.read_many([{"g": one} for one in entities])]


def test_the_newest_of_what_was_known_is_stored(tmp_path: Path) -> None:
    """Nothing that was known later, and of events the latest, however late others came in."""
    online = Online(tmp_path)
    rows: list[Row] = [("a", 1, 1, 10), ("a", 3, 3, 30), ("a", 2, 4, 20), ("b", 1, 9, 99), ("c", 1, 2, 5)]
    done = online.bring(rows, 5)
    assert (done.entities, done.since, done.until) == (2, None, at(5))
    assert online.read("a", "b", "c") == [[30], [None], [5]]


def test_the_next_time_brings_what_is_new(tmp_path: Path) -> None:
    """Only entities of which something became known since are written; the end of the last time is no gap."""
    online = Online(tmp_path)
    rows: list[Row] = [("a", 1, 1, 10), ("b", 1, 5, 20), ("b", 2, 5.0000001, 30), ("c", 6, 8, 40)]
    assert online.bring(rows, 5).entities == 2
    done = online.bring(rows, 8)
    assert (done.entities, done.since, done.until) == (2, at(5), at(8))
    assert online.read("a", "b", "c") == [[10], [30], [40]]
    assert online.bring(rows, 8).entities == 0
    assert online.bring(rows, 3).until == at(8)
    assert moment_of(progress_of(online.store, online.body).until or 0) == at(8)


def test_rows_that_were_online_too_early_are_withdrawn(tmp_path: Path) -> None:
    """By now, not by the moment that is asked for; whoever dies then leaves a view that is made afresh."""
    online = Online(tmp_path, stream=True, make={"total": MadeSettings(call="sum", of="v", window="9h")})
    rows: list[Row] = [("a", 1, 1, 10), ("a", 2, 7, 20), ("b", 1, 1, 5)]
    online.bring(rows, 3)
    writer = FeatureWriter(online.store, online.view, online.body)
    writer.push(rows_of(rows[1:2]).collect())
    writer.push(rows_of([("b", 4, 4, 6)]).collect())
    assert online.read("a", "b") == [[20, 30.0], [6, 11.0]]
    assert withdraw_early(online.store, online.body, at(4)) == 1
    assert online.read("a", "b") == [[None, None], [6, 11.0]]
    assert online.bring(rows, 3).since is None
    assert online.read("a", "b") == [[10, 10.0], [6, 11.0]]
    assert withdraw_early(online.store, online.body, at(4)) == 0
    assert online.bring(rows, 8).since == at(3)
    assert online.read("a", "b") == [[20, 30.0], [6, 11.0]]


def test_a_row_added_to_the_past_is_found_afresh(tmp_path: Path) -> None:
    """Increments trust known times; looking at everything again does not."""
    online = Online(tmp_path)
    online.bring([("a", 1, 1, 10)], 5)
    rows: list[Row] = [("a", 1, 1, 10), ("a", 2, 2, 20), ("b", 1, 1, 30)]
    assert online.bring(rows, 6).entities == 0
    assert online.bring(rows, 6, afresh=True).entities == 2
    assert online.read("a", "b") == [[20], [30]]


def test_windows_are_computed_over_all_that_was_known(tmp_path: Path) -> None:
    """An increment reads the history of the entities that changed; a late row changes the newest state."""
    make = {"total": MadeSettings(call="sum", of="v", window="10h"), "before": MadeSettings(call="lag", of="v")}
    online = Online(tmp_path, columns=[], make=make)
    rows: list[Row] = [("a", 1, 1, 1), ("a", 5, 5, 10), ("b", 1, 1, 7), ("a", 3, 9, 100), ("a", 14, 14, 1000)]
    online.bring(rows, 6)
    assert online.read("a", "b") == [[11.0, 1], [7.0, None]]
    assert online.bring(rows, 10).entities == 1
    assert online.read("a", "b") == [[111.0, 100], [7.0, None]]
    online.bring(rows, 20)
    assert online.read("a", "b") == [[1010.0, 10], [7.0, None]]


def test_a_view_without_keys_is_one_row(tmp_path: Path) -> None:
    """All rows are one history."""
    view = View("all", FeatureSettings(source="s", on=[], make={"n": MadeSettings(call="count")}), time="t")
    store = LmdbStore(f"lmdb://{tmp_path}", "test")
    rows = rows_of([("a", 1, 1, 1), ("b", 2, 2, 2)])
    assert materialise(store, view, define(view, rows), rows, at(5)).entities == 1


def test_a_lookup_is_stored_whole_and_loses_what_its_source_loses(tmp_path: Path) -> None:
    """Its rows have no time; a source with the same digest is not read again; an entity twice is refused."""
    online = Online(tmp_path, known="", lookup=True)
    first: list[Row] = [("a", 1, 1, 10), ("b", 1, 1, 20)]
    assert online.bring(first, 5, digest="1").entities == 2
    assert online.bring([], 6, digest="1").entities == 0
    assert online.read("a", "b") == [[10], [20]]
    done = online.bring([("a", 1, 1, 11), ("c", 1, 1, 30)], 5, digest="2")
    assert (done.entities, done.removed) == (2, 1)
    assert online.read("a", "b", "c") == [[11], [None], [30]]
    with pytest.raises(DataError, match="not unique"):
        online.bring([("a", 1, 1, 1), ("a", 1, 1, 2)], 7, digest="3")
    assert online.read("a", "b", "c") == [[11], [None], [30]]


ROOT = Path(__file__).parents[3]


@pytest.mark.slow
def test_killed_anywhere_and_done_again_it_comes_to_the_same(tmp_path: Path) -> None:
    """At every boundary in turn, with all history in memory or parted on disk, materialised or pushed.

    The store ends with the very rows of an undisturbed run.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.data.features.killing", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert len(found) == 4
    for name, outcome in found.items():
        assert outcome["different"] == [], name
        assert outcome["killed"] >= 8, name
        assert outcome["entities"] == (24 if "stream" in name else 12), name


class StoppedError(Exception):
    """Raised in the middle of a run, as a lost connection would be."""


def test_an_interrupted_run_finishes_what_it_began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its moment stays that of its beginning; rows that are in are not written again; the rest is the next one's."""
    monkeypatch.setattr(materialising, "ROWS_A_COMMIT", 2)
    rows: list[Row] = [(group, 1, 1, 10) for group in "abcde"] + [("a", 9, 9, 99)]
    online = Online(tmp_path)
    puts = 0
    real = online.store.put

    def put(*given: Any) -> None:
        nonlocal puts
        puts += 1
        if puts == 3:
            raise StoppedError
        real(*given)

    monkeypatch.setattr(online.store, "put", put)
    with pytest.raises(StoppedError):
        online.bring(rows, 5)
    progress = progress_of(online.store, online.body)
    assert (progress.until, progress.target) == (None, micros(at(5)))
    done = online.bring(rows, 20)
    assert (done.entities, done.until) == (1, at(5))
    assert online.read("a", "e") == [[10], [10]]
    done = online.bring(rows, 20)
    assert (done.entities, done.since, done.until) == (1, at(5), at(20))
    assert online.read("a", "e") == [[99], [10]]


def test_what_is_newer_in_the_store_stays(tmp_path: Path) -> None:
    """A source that lags behind what was pushed does not undo it."""
    online = Online(tmp_path)
    online.bring([("a", 5, 5, 50)], 6)
    online.bring([("a", 3, 3, 30)], 6, afresh=True)
    assert online.read("a") == [[50]]
