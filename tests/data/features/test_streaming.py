"""What lands of a stream is online as a materialisation would have it, however it lands and whoever dies."""

import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.data.features.conftest import MOMENT, at
from tests.data.features.test_pushing import SCHEMA, Pushed, row

from heptad.adapters.lmdb import LmdbStore
from heptad.core.errors import ConflictError, RefusedError
from heptad.data.features import streaming
from heptad.data.features.materialising import materialise, progress_of
from heptad.data.features.packing import moment_of
from heptad.data.features.streaming import SENT, StreamedView, StreamedViews

ROOT = Path(__file__).parents[3]


class Portions:
    """A landed table that is a list of commits."""

    def __init__(self, *commits: list[dict[str, Any]]) -> None:
        self.id = "one"
        self.commits = list(commits)
        self.refused = ""

    def refresh(self) -> int:
        return len(self.commits) - 1

    def counts(self, after: int) -> list[tuple[int, int]]:
        return [(place, len(rows)) for place, rows in enumerate(self.commits) if place > after and rows]

    def rows(self, types: Mapping[str, Any], after: int, until: int) -> pl.LazyFrame:
        if self.refused:
            raise RefusedError(self.refused)
        rows = [one for commit in self.commits[after + 1 : until + 1] for one in commit]
        return pl.LazyFrame(rows, schema=SCHEMA).with_columns(pl.lit(at(0), MOMENT).alias(SENT)).select(*types, SENT)


def streamed(pushed: Pushed, portions: Portions) -> StreamedView:
    return StreamedView(pushed.store, pushed.view, pushed.body, portions)


def batch(pushed: Pushed, portions: Portions, folder: Path, until: datetime) -> LmdbStore:
    store = LmdbStore(f"lmdb://{folder}", "test")
    rows = [one for commit in portions.commits for one in commit]
    materialise(store, pushed.view, pushed.body, pl.LazyFrame(rows, schema=SCHEMA), until)
    return store


COMMITS = st.lists(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 12), st.integers(0, 6), st.integers(-9, 9)), max_size=6),
    max_size=6,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(COMMITS, st.lists(st.integers(0, 20), max_size=8), st.sampled_from([2, 100_000]))
def test_bringing_comes_to_what_a_materialisation_comes_to(
    tmp_path_factory: pytest.TempPathFactory, commits: list, moments: list[int], at_once: int
) -> None:
    """Rows land in any order, and are known late, or later than they land; it is looked at any moments."""
    pushed, portions = Pushed(tmp_path_factory.mktemp("brought")), Portions()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(streaming, "ROWS_AT_ONCE", at_once)
        for place in range(max(len(commits), len(moments))):
            portions.commits += [[row(*one) for one in some] for some in commits[place : place + 1]]
            for moment in sorted(moments)[place : place + 1]:
                # Another process each time: nothing is remembered but in the store.
                streamed(pushed, portions).bring(at(moment))
                expected = batch(pushed, portions, tmp_path_factory.mktemp("then"), at(moment))
                assert pushed.read() == pushed.read(expected)
        streamed(pushed, portions).bring(at(99))
        assert pushed.read() == pushed.read(batch(pushed, portions, tmp_path_factory.mktemp("batch"), at(99)))


def test_rows_count_once_and_wait_until_they_are_known(tmp_path: Path) -> None:
    """Looking again changes nothing; time alone brings what had landed before it was known."""
    pushed, portions = Pushed(tmp_path), Portions([row("a", 1, 0, 1)], [], [row("a", 2, 4, 10), row("b", 3, 0, 5)])
    view = streamed(pushed, portions)
    first = view.bring(at(3))
    assert (first.rows, first.entities, len(first.delays)) == (2, 2, 2)
    assert view.bring(at(4)).rows == 0
    assert pushed.read()[0][:2] == [1, 1.0]
    assert view.bring(at(6)).rows == 1
    assert pushed.read()[0][:2] == [10, 11.0]
    assert view.bring(at(7)).rows == 0
    until = progress_of(pushed.store, pushed.body).until
    assert until is not None
    assert moment_of(until) == at(7)


def test_rows_that_can_never_be_known_are_passed_over(tmp_path: Path) -> None:
    """As a materialisation passes over them: one without an entity, one without a time."""
    nobody, never = row("a", 1, 0, 1) | {"g": None}, row("a", 1, 0, 1) | {"t": None}
    pushed = Pushed(tmp_path)
    assert streamed(pushed, Portions([nobody, never, row("b", 1, 0, 2)])).bring(at(9)).rows == 1
    assert pushed.read() == [[None] * 4, [2, 2.0, None, None]]


def test_what_came_from_elsewhere_is_not_counted_twice(tmp_path: Path) -> None:
    """A store that was materialised, or brought from a table which is gone, is emptied and made anew."""
    pushed, portions = Pushed(tmp_path), Portions([row("a", 1, 0, 1)], [row("a", 2, 0, 10)])
    source = pl.LazyFrame([row("a", 1, 0, 1), row("b", 1, 0, 7)], schema=SCHEMA)
    materialise(pushed.store, pushed.view, pushed.body, source, at(5))
    view = streamed(pushed, portions)
    assert view.rows_brought() is None
    view.bring(at(5))
    assert pushed.read() == [[10, 11.0, None, None], [None] * 4]
    portions.id, portions.commits = "another", [[row("b", 1, 0, 3)]]
    assert view.rows_brought() is None
    view.bring(at(5))
    assert [one[0] for one in pushed.read()] == [None, 3]
    assert view.bring(at(6), afresh=True).rows == 1
    brought = view.rows_brought()
    assert brought is not None
    assert brought.collect().height == 1


def test_nothing_is_brought_of_a_stream_that_never_landed(tmp_path: Path) -> None:
    """And nothing is said to be there."""
    pushed = Pushed(tmp_path)
    view = streamed(pushed, Portions())
    assert view.bring(at(1)).rows == 0
    assert view.position is None


def test_a_view_that_cannot_be_brought_along_does_not_hold_up_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says why, and catches up when it can; one that somebody else writes now is left to him."""
    monkeypatch.setattr(streaming, "LOOK_SECONDS", 0.0)
    good, bad = Pushed(tmp_path / "good"), Pushed(tmp_path / "bad")
    rows = [row("a", 1, 0, 1)]
    fine, broken = Portions(rows), Portions(rows)
    broken.refused = "Another type."
    views = {"good": streamed(good, fine), "bad": streamed(bad, broken)}

    def held(name: str) -> Any:
        if name == "taken":
            raise ConflictError("It is taken.")
        return nullcontext()

    all_views = StreamedViews(lambda: views, held, lambda: at(9))
    assert [(one.rows, one.problem) for one in all_views.bring()] == [(1, ""), (0, "Another type.")]
    broken.refused = ""
    views["taken"] = views["good"]
    assert [(one.rows, one.problem) for one in all_views.bring()] == [(0, ""), (1, ""), (0, "")]

    monkeypatch.setattr(fine, "refresh", lambda: 1 / 0)
    assert [one.problem.partition(";")[0] for one in all_views.bring()] == ["ZeroDivisionError", "", ""]

    def gone() -> dict[str, StreamedView]:
        raise RefusedError("The code changed.")

    assert [one.problem for one in StreamedViews(gone, held, lambda: at(9)).bring()] == ["The code changed."]


@pytest.mark.slow
def test_killed_anywhere_it_catches_up_to_what_a_materialisation_makes(tmp_path: Path) -> None:
    """At every boundary in turn of landing and bringing: the very rows, and those that windows look back to."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.data.features.landing_killed", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["different"] == []
    assert found["killed"] >= 15
    assert found["entities"] == 10


def test_rows_without_a_time_are_left_out_and_told(tmp_path: Path) -> None:
    """They hold nobody up."""
    pushed = Pushed(tmp_path)
    rows = [row("a", 1, 0, 5), {**row("a", 2, 0, 6), "t": None}]
    brought = streamed(pushed, Portions(rows)).bring(at(9))
    assert (brought.rows, brought.left_out) == (1, 1)
