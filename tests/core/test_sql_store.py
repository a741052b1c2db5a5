"""The SQL store keeps the contract on SQLite and PostgreSQL, and says what is wrong with a place that it cannot use."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from heptad.core.errors import InputError
from heptad.core.events import verify
from heptad.core.query import Query
from heptad.core.sql_store import SqlStore, open_store
from heptad.testing.store_contract import (
    StoreAliasesContract,
    StoreEventsContract,
    StoreRecordsContract,
)
from heptad.testing.store_search_contract import StoreSearchContract


class OnBoth:
    """Runs a part of the contract on both databases."""

    @pytest.fixture
    def store(self, store: SqlStore) -> SqlStore:
        return store


class TestRecords(OnBoth, StoreRecordsContract):
    pass


class TestAliases(OnBoth, StoreAliasesContract):
    pass


class TestSearch(OnBoth, StoreSearchContract):
    pass


class TestEvents(OnBoth, StoreEventsContract):
    pass


@pytest.mark.parametrize("url", ["", "heptad.db", "sqlite://", "mysql://root@localhost/heptad", "sqlite:///:memory:"])
def test_a_url_of_no_known_store_is_refused(url: str) -> None:
    """The error shows what a URL looks like, and no password."""
    with pytest.raises(InputError) as caught:
        open_store(url)
    assert "sqlite:///" in caught.value.allowed


def test_a_password_is_never_shown() -> None:
    """Neither by a URL that is refused."""
    with pytest.raises(InputError) as caught:
        open_store("mysql://root:secret@localhost/heptad")
    assert "secret" not in str(caught.value)


def test_a_store_is_made_where_there_is_none(tmp_path: Path) -> None:
    """Folders that are missing are made too, and the second time it is the same store."""
    url = f"sqlite:///{tmp_path / 'a' / 'b' / 'heptad.db'}"
    assert open_store(url).follow(0) == open_store(url).follow(0) == []


@pytest.mark.parametrize("name", ["what?", "50% done", "per%20cent", "a#b", "a&b=c", "ünï cödé", "a@b:c"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    """The store is made just there, whatever such signs mean in other URLs."""
    open_store(f"sqlite:///{tmp_path / name / 'heptad.db'}").database.close()
    assert [one.name for one in tmp_path.iterdir()] == [name]
    assert (tmp_path / name / "heptad.db").stat().st_size > 0


WRITER = """
import sys, time
from heptad.core.records import Change, NewEvent
from heptad.core.sql_store import open_store
from heptad.testing.store_contract import record
url, seconds, name = sys.argv[1], float(sys.argv[2]), sys.argv[3]
store, count, longest = open_store(url), 0, 0.0
print("ready", flush=True)
sys.stdin.readline()
end = time.monotonic() + seconds
while (began := time.monotonic()) < end:
    written = f"{name}-{count}"
    store.write(Change(records=[record(written)], events=[NewEvent(kind="t.written", subject=written)]))
    count, longest = count + 1, max(longest, time.monotonic() - began)
print(count, longest)
"""
ALONE = """
import sqlite3, sys, time
path, seconds = sys.argv[1], float(sys.argv[2])
bare, count, longest = sqlite3.connect(path, isolation_level=None), 0, 0.0
for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE note (text TEXT)"):
    bare.execute(statement)
print("ready", flush=True)
sys.stdin.readline()
end = time.monotonic() + seconds
while (began := time.monotonic()) < end:
    for statement in ("BEGIN IMMEDIATE", "INSERT INTO note VALUES ('as long as a small record')", "COMMIT"):
        bare.execute(statement)
    count, longest = count + 1, max(longest, time.monotonic() - began)
    time.sleep(0.005)
print(count, longest)
"""
PROCESSES = 8


class Writers:
    """Eight processes that write to one store, and one that writes the same to a file of its own meanwhile.

    `longest` is the longest wait for one write. `limit` is what it may be: half a second, unless the machine was so
    busy that the one alone, for whom nobody stands in the way, waited long too. In a fair queue nobody waits for more
    than one turn of each, and a turn takes no longer than the longest that the one alone needed.
    """

    def __init__(self, url: str, folder: Path, seconds: float) -> None:
        writers = [self._started(WRITER, url, str(seconds), f"p{number}") for number in range(PROCESSES)]
        self._processes = [*writers, self._started(ALONE, str(folder / "alone.db"), str(seconds))]
        for process in self._processes:
            assert process.stdout.readline() == "ready\n", process.stderr.read()
        for process in self._processes:
            process.stdin.write("\n")
            process.stdin.flush()

    def _started(self, code: str, *arguments: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [sys.executable, "-c", code, *arguments], stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )

    def finish(self) -> None:
        """Wait for their end; nobody may have been told of an error."""
        outcomes = [process.communicate() for process in self._processes]
        assert [(process.returncode, told) for process, (_, told) in zip(self._processes, outcomes, strict=True)] == [
            (0, "")
        ] * len(outcomes)
        counts, waits = zip(*(said.split() for said, _ in outcomes), strict=True)
        self.counts = [int(one) for one in counts[:PROCESSES]]
        self.longest = max(map(float, waits[:PROCESSES]))
        self.limit = max(0.5, PROCESSES * float(waits[PROCESSES]))


@pytest.mark.parametrize(
    ("store_url", "seconds"),
    [pytest.param("sqlite", 12, marks=pytest.mark.slow), ("postgresql", 4)],
    indirect=["store_url"],
)
def test_eight_processes_write_to_one_store(store_url: str, seconds: float, tmp_path: Path) -> None:
    """No record is lost, no "database is locked" is told to anybody, and on SQLite nobody waits over half a second.

    How long a server lets its clients wait is its own.
    """
    store = open_store(store_url)
    writers = Writers(store_url, tmp_path, seconds)
    writers.finish()
    found, after = set(), None
    while not found or after is not None:
        page = store.find(Query(kind="run", attributes=()), after, 10_000)
        found |= {one.id for one in page.items}
        after = page.after
    assert found == {f"p{number}-{n}" for number, count in enumerate(writers.counts) for n in range(count)}
    assert verify(store) == len(found) > 20
    assert store_url.startswith("postgresql") or writers.longest <= writers.limit, f"a wait of {writers.longest:.2f} s"
    assert max(writers.counts) < 3 * min(writers.counts), f"turns were not fair: {writers.counts}"
    store.database.close()


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_writer_that_keeps_its_turn_is_noticed(store_url: str, tmp_path: Path) -> None:
    """What the test above measures is told from a busy machine: three seconds of waiting are seen."""
    store = open_store(store_url)

    def stand_still() -> None:
        with store.database.writing():
            time.sleep(3)

    writers = Writers(store_url, tmp_path, 4)
    beside = threading.Thread(target=stand_still)
    beside.start()
    writers.finish()
    beside.join()
    assert writers.longest > writers.limit
    store.database.close()
