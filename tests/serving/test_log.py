"""Moving the log into its table, exactly once."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from heptad.core.errors import RequestError
from heptad.serving import delta_log
from heptad.serving import log as log_module
from heptad.serving.journal import Journal
from heptad.serving.log import PredictionLog
from heptad.serving.messages import Part

MakePart = Callable[..., Part]
FIRST = datetime(2013, 4, 1, tzinfo=UTC)


def found(log: PredictionLog, identity: str) -> list[dict[str, Any]]:
    """The rows of an id, wherever they are."""
    return log.scan().filter(pl.col("id") == identity).collect().to_dicts()


@pytest.fixture
def journal(shop: Any) -> Journal:
    return shop.journal()


@pytest.fixture
def log(journal: Journal, tmp_path: Path) -> PredictionLog:
    return PredictionLog("tiny", journal.path, tmp_path / "predictions")


def ids_of(log: PredictionLog, *window: datetime) -> list[str]:
    return sorted(log.scan(*window).select("id").collect()["id"])


def micros(moment: datetime) -> int:
    return int(moment.timestamp() * 1e6)


def test_predictions_are_read_before_and_after_they_are_collected(
    log: PredictionLog, journal: Journal, part_of: MakePart
) -> None:
    """The reader sees each once, wherever it is by now."""
    assert ids_of(log) == []
    journal.add([part_of("a", "b")])
    assert ids_of(log) == ["a", "b"]
    assert log.collect() == 2
    journal.add([part_of("c")])
    assert ids_of(log) == ["a", "b", "c"]
    assert log.collect() == 1
    assert log.collect() == 0
    assert ids_of(log) == ["a", "b", "c"]


def test_what_is_collected_is_trimmed_and_still_found(
    log: PredictionLog, journal: Journal, part_of: MakePart, row: dict[str, Any]
) -> None:
    """An entry is found by its id in the journal, then in the table, with the same content."""
    journal.add([part_of("a", "b")])
    before = found(log, "b")
    log.collect()
    assert journal.find("b") == []
    assert found(log, "b") == before
    assert [one["inputs"]["x"] for one in before] == [row["x"]]
    assert found(log, "never asked") == []


def test_a_log_that_nobody_wrote_is_empty(tmp_path: Path) -> None:
    """Without a journal there is nothing to collect, and nothing to read."""
    log = PredictionLog("tiny", tmp_path / "journal.db", tmp_path / "predictions")
    assert log.collect() == 0
    assert log.scan().collect().is_empty()


def test_windows_have_their_start_and_not_their_end(log: PredictionLog, journal: Journal, part_of: MakePart) -> None:
    """A row at the start belongs to the window, one at the end to the next, collected or not."""
    for day in range(4):
        journal.add([part_of(f"day-{day}", at=micros(FIRST + timedelta(days=day)))])
        if day == 1:
            log.collect()
    assert ids_of(log, FIRST + timedelta(days=1), FIRST + timedelta(days=3)) == ["day-1", "day-2"]


def test_big_logs_move_in_pieces(
    log: PredictionLog, journal: Journal, part_of: MakePart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much there is, memory is bounded and every row arrives once."""
    monkeypatch.setattr(log_module, "CHUNK_ROWS", 7)
    monkeypatch.setattr(log_module, "_REQUESTS_AT_ONCE", 3)
    ids = [f"id-{number:03d}" for number in range(50)]
    for start in range(0, 50, 2):
        journal.add([part_of(*ids[start : start + 2])])
    assert log.collect() == 50
    assert ids_of(log) == ids


def test_two_collectors_at_once_move_each_row_once(log: PredictionLog, journal: Journal, part_of: MakePart) -> None:
    """The second waits for the first and finds nothing left."""
    for number in range(20):
        journal.add([part_of(f"id-{number}")])
    moved: list[int] = []
    threads = [threading.Thread(target=lambda: moved.append(log.collect())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(moved) == 20
    assert len(ids_of(log)) == 20


COLLECT = """
import sys; from pathlib import Path
from heptad.serving.log import PredictionLog
PredictionLog("tiny", Path(sys.argv[1]), Path(sys.argv[2])).collect()
"""


@pytest.mark.parametrize("kill", [1, 2, 3])
def test_a_collector_that_is_killed_neither_loses_nor_doubles(
    log: PredictionLog, journal: Journal, part_of: MakePart, tmp_path: Path, kill: int
) -> None:
    """Killed before or after a commit to the table, the next collection leaves every row there once."""
    ids = [f"id-{number:02d}" for number in range(12)]
    for one in ids[:6]:
        journal.add([part_of(one)])
    log.collect()
    for one in ids[6:]:
        journal.add([part_of(one)])
    command = [sys.executable, "-c", COLLECT, str(journal.path), str(tmp_path / "predictions")]
    killed = subprocess.run(command, env=os.environ | {"HEPTAD_FAULT_KILL": str(kill)}, check=False)
    if kill < 3:  # before and after the commit; a third boundary is not passed
        assert killed.returncode == -signal.SIGKILL
    assert ids_of(log) == ids
    log.collect()
    assert ids_of(log) == ids
    assert log._table.read()[0].collect().height == 12  # type: ignore[union-attr]


def test_reading_while_rows_move_sees_each_once(log: PredictionLog, journal: Journal, part_of: MakePart) -> None:
    """A reader between journal and table neither misses nor doubles what is moved meanwhile."""
    stop = threading.Event()
    written: list[str] = []

    def work() -> None:
        number = 0
        while not stop.is_set():
            written.append(f"id-{number:04d}")
            journal.add([part_of(written[-1])])
            number += 1
            if number % 5 == 0:
                log.collect()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(15):
            sure = len(written) - 1
            seen = ids_of(log)
            assert len(seen) == len(set(seen))
            assert set(written[: max(sure, 0)]) <= set(seen)
    finally:
        stop.set()
        thread.join()


def test_nothing_is_let_go_of_before_its_commit_is_on_the_disk(
    log: PredictionLog, journal: Journal, part_of: MakePart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A collector that dies between its commit and the sync leaves that to the next, which trims only then."""
    journal.add([part_of("a")])
    monkeypatch.setattr(delta_log, "sync_commit", died)
    with pytest.raises(RuntimeError):
        log.collect()
    assert journal.trimmed() == 0
    synced: list[tuple[int, int]] = []
    monkeypatch.setattr(delta_log, "sync_commit", lambda _, version: synced.append((version, journal.trimmed())))
    assert log.collect() == 0
    assert synced == [(0, 0)]
    assert journal.trimmed() == 1
    log.collect()
    assert len(synced) == 1


def died(_folder: Path, _version: int) -> None:
    raise RuntimeError


def test_old_answers_are_in_the_log_only(log: PredictionLog, journal: Journal, part_of: MakePart) -> None:
    """What was forgotten is found by its id as before; an id that comes back is refused."""
    journal.add([part_of("old", at=micros(FIRST))])
    journal.add([part_of("new", at=micros(FIRST + timedelta(days=40)))])
    log.collect()
    before = found(log, "old")
    log.forget(FIRST + timedelta(days=10))
    assert found(log, "old") == before
    with pytest.raises(RequestError, match="long ago"):
        journal.add([part_of("old")])
    assert journal.add([part_of("new")])
