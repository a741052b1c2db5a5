"""Pushed rows become the features that the batch side would make of them."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.data.features.conftest import MOMENT, at

from heptad.adapters.lmdb import LmdbStore
from heptad.core.clock import ManualClock
from heptad.core.errors import ConflictError, DataError, RefusedError
from heptad.core.leases import acquire
from heptad.core.records import Record
from heptad.core.workspace import Workspace
from heptad.data import FeatureSettings, MadeSettings
from heptad.data.features.definitions import define
from heptad.data.features.materialising import materialise, withdraw_early
from heptad.data.features.packing import micros, times_of
from heptad.data.features.pushing import FeatureWriter
from heptad.data.features.reading import FeatureReader
from heptad.data.features.views import View

SCHEMA = {"g": pl.String, "t": MOMENT, "k": MOMENT, "v": pl.Int64}
MAKE = {
    "total": MadeSettings(call="sum", of="v", window="5h"),
    "before": MadeSettings(call="lag", of="v", rows=2),
    "again": MadeSettings(call="mean", of="before", rows=2),
}


class Pushed:
    """A view with a writer, and the same rows for a batch."""

    def __init__(self, folder: Path, **given_settings: Any) -> None:
        given_settings = {"columns": ["v"], "make": MAKE, "known": "k", "stream": True} | given_settings
        self.view = View("shop", FeatureSettings(source="s", on=["g"], **given_settings), time="t")
        self.body = define(self.view, pl.LazyFrame(schema=SCHEMA))
        self.store = LmdbStore(f"lmdb://{folder}", "test")
        self.writer = FeatureWriter(self.store, self.view, self.body)

    def read(self, store: LmdbStore | None = None) -> list[list[Any]]:
        record = Record(id="x", kind="feature_view", scope="test", at=at(0), actor="me", body=self.body)
        reader = FeatureReader(store or self.store, ManualClock(at(99)), [(record, [])])
        return [list(row.values) for row in reader.read_many([{"g": "a"}, {"g": "b"}])]


def row(group: str, hour: float, late: float, value: int) -> dict[str, Any]:
    return {"g": group, "t": at(hour), "k": at(hour + late), "v": value}


ROWS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 12), st.integers(0, 6), st.integers(-9, 9)), max_size=25
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS, st.integers(1, 5))
def test_pushing_comes_to_what_a_batch_comes_to(
    tmp_path_factory: pytest.TempPathFactory, rows: list, size: int
) -> None:
    """In portions of any size, in the order in which rows become known, late ones and corrections among them."""
    pushed = Pushed(tmp_path_factory.mktemp("pushed"))
    ordered = sorted((row(*one) for one in rows), key=lambda one: one["k"])
    for start in range(0, len(ordered), size):
        pushed.writer.push(ordered[start : start + size])
    batch = LmdbStore(f"lmdb://{tmp_path_factory.mktemp('batch')}", "test")
    source = pl.LazyFrame(ordered, schema=SCHEMA)
    materialise(batch, pushed.view, pushed.body, source, at(99))
    assert pushed.read() == pushed.read(batch)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS, st.integers(1, 5), st.sampled_from(["0h", "3h"]), st.booleans())
def test_nothing_is_served_before_it_is_known(
    tmp_path_factory: pytest.TempPathFactory, rows: list, size: int, lag: str, windows: bool
) -> None:
    """What is kept back is counted, and in once it is known; rows that were served too early before are put right."""
    clock = ManualClock(at(0))
    pushed = Pushed(tmp_path_factory.mktemp("pushed"), lag=lag, make=MAKE if windows else {})
    writer = FeatureWriter(pushed.store, pushed.view, pushed.body, clock=clock)
    ordered = sorted((row(*one) for one in rows), key=lambda one: one["t"])
    for start in range(0, len(ordered), size):
        portion = ordered[start : start + size]
        clock.advance(portion[-1]["t"] - clock.now())
        later = [one for one in portion if one["k"] + timedelta(hours=int(lag[0])) > clock.now()]
        assert writer.push(portion).kept_back == len(later)
        assert all(times_of(value)[1] <= micros(clock.now()) for _, value in pushed.store.scan(b""))
    pushed.writer.push(ordered[-size:])  # as it was before rows were kept back
    batch = LmdbStore(f"lmdb://{tmp_path_factory.mktemp('batch')}", "test")
    source = pl.LazyFrame(ordered, schema=SCHEMA)
    materialise(batch, pushed.view, pushed.body, source, clock.now())
    withdraw_early(pushed.store, pushed.body, clock.now())
    materialise(pushed.store, pushed.view, pushed.body, source, clock.now())
    assert pushed.read() == pushed.read(batch)


def test_a_push_goes_on_from_what_was_materialised(tmp_path: Path) -> None:
    """The rows that windows reach back to are there."""
    pushed = Pushed(tmp_path)
    source = pl.LazyFrame([row("a", 1, 0, 1), row("a", 3, 0, 10)], schema=SCHEMA)
    materialise(pushed.store, pushed.view, pushed.body, source, at(4))
    assert pushed.writer.push([row("a", 5, 0, 100)]).entities == 1
    assert pushed.read()[0] == [100, 111.0, 1, 1.0]


def test_the_position_is_stored_with_the_rows(tmp_path: Path) -> None:
    """Whoever comes after an accident asks for it; a push of nothing may move it."""
    pushed = Pushed(tmp_path)
    assert pushed.writer.position == b""
    pushed.writer.push([row("a", 1, 0, 1)], position=b"offset 1")
    assert pushed.writer.position == b"offset 1"
    pushed.writer.push([], position=b"offset 2")
    assert FeatureWriter(pushed.store, pushed.view, pushed.body).position == b"offset 2"


def test_rows_of_single_expressions_need_no_history(tmp_path: Path) -> None:
    """Of several rows of an entity the newest counts, and an older one pushed later changes nothing."""
    pushed = Pushed(tmp_path, make={"double": MadeSettings(call="multiply", of="v", value=2.0)})
    pushed.writer.push(pl.DataFrame([row("a", 5, 0, 5), row("a", 4, 0, 4), row("b", 1, 0, 1)], schema=SCHEMA))
    pushed.writer.push([row("a", 3, 0, 3)])
    assert pushed.read() == [[5, 10.0], [1, 2.0]]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([{"g": "a", "t": at(1), "v": 1}], "have no key or no time"),
        ([row("a", 1, 0, 1) | {"v": "many"}], "have another shape"),
        (pl.DataFrame({"g": ["a"]}), "have no column 't', 'k', 'v'"),
        (pl.DataFrame([row("a", 1, 0, 1)]).with_columns(v=pl.lit("many")), "have another shape"),
    ],
)
def test_rows_of_another_shape_are_refused_and_nothing_is_stored(tmp_path: Path, rows: Any, problem: str) -> None:
    """The columns that are wanted are named; the position stays."""
    pushed = Pushed(tmp_path)
    with pytest.raises(DataError, match=problem):
        pushed.writer.push(rows, position=b"1")
    assert pushed.writer.position == b""
    assert list(pushed.store.scan(b"")) == []


def test_a_view_that_keeps_no_history_takes_no_rows(tmp_path: Path) -> None:
    """`stream` has to be said before, so that the rows are there."""
    with pytest.raises(RefusedError, match="stream = true"):
        Pushed(tmp_path, stream=False)


def test_a_writer_that_lost_its_lease_writes_nothing(tmp_path: Path, workspace: Workspace) -> None:
    """Somebody else is the writer by now."""
    pushed = Pushed(tmp_path)
    lease = acquire(workspace.store, "scope", "shop", timedelta(minutes=1))
    writer = FeatureWriter(pushed.store, pushed.view, pushed.body, lease)
    writer.push([row("a", 1, 0, 1)])
    lease.release()
    acquire(workspace.store, "scope", "shop", timedelta(minutes=1))
    with pytest.raises(ConflictError):
        writer.push([row("a", 2, 0, 2)])
    assert pushed.read()[0][0] == 1
