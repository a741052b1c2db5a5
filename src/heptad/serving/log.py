"""The prediction log: entries move from the local journal to a Delta table, and are read from both as one."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from heptad.core.files import locked
from heptad.serving.column_names import distinct_names
from heptad.serving.delta_log import DeltaLog
from heptad.serving.durability import WriteAheadLog
from heptad.serving.journal import Journal
from heptad.serving.log_frames import frame_of, with_inputs
from heptad.serving.log_rows import EPOCH
from heptad.serving.messages import Entries

CHUNK_ROWS = 50_000
"""Rows of one commit to the table."""
_REQUESTS_AT_ONCE = 200
_MICROSECOND = timedelta(microseconds=1)


class PredictionLog:
    """One endpoint's log. `journal` need not exist yet; the table is made by the first collection."""

    def __init__(self, endpoint: str, journal: Path, table: Path) -> None:
        self._endpoint = endpoint
        self._journal = journal
        self._table = DeltaLog(table)

    def collect(self) -> int:
        """Move what the journal holds into the table; answers the number of rows moved.

        Each row once, whatever dies in between: the commit that adds rows also says up to which entry of the journal
        they reach, and the journal lets go of them only when they are on the disk.
        """
        if not self._journal.exists():
            return 0
        moved = 0
        with locked(self._journal.with_name("collect.lock")), closing(Journal(self._journal)) as journal:
            # The table must not know of entries that a power cut takes back: their numbers would be given again.
            with closing(WriteAheadLog(self._journal)) as written:
                written.sync()
            _, reached = self._table.read(journal.name)
            if reached > journal.trimmed():
                self._table.sync()  # whoever moved these died before they were let go of, and perhaps before a sync
            for last, entries in _chunks(journal, reached):
                rows = frame_of(entries, self._endpoint)
                self._table.append(rows, journal.name, last)
                moved += rows.height
                reached = last
            journal.trim(reached)
        return moved

    def forget(self, before: datetime) -> None:
        """Let the journal let go of the answers given before a moment; the table keeps them."""
        if self._journal.exists():
            with closing(Journal(self._journal)) as journal:
                journal.forget((before - EPOCH) // _MICROSECOND)

    def scan(self, start: datetime | None = None, end: datetime | None = None) -> pl.LazyFrame:
        """Predictions of `[start, end)`, collected or not, in no particular order; inputs in one struct column."""
        log = self._read()
        if start is not None:
            log = log.filter(pl.col("at") >= start)
        if end is not None:
            log = log.filter(pl.col("at") < end)
        return with_inputs(log)

    def _read(self) -> pl.LazyFrame:
        """The table and what the journal has beside it."""
        waiting: list[tuple[int, Entries]] = []
        name = ""
        if self._journal.exists():
            with closing(Journal(self._journal)) as journal:
                name = journal.name
                _, reached = self._table.read(name)
                waiting = list(_entries_after(journal, reached))
        # The table is read after the journal: what was moved meanwhile is in both, and left out here.
        collected, reached = self._table.read(name)
        rest = frame_of([one for seq, one in waiting if seq > reached], self._endpoint)
        if collected is None:
            return rest.lazy()
        rest = rest.rename(distinct_names(rest.columns, collected.collect_schema().names()))
        return pl.concat([collected, rest.lazy()], how="diagonal_relaxed")


def _entries_after(journal: Journal, reached: int) -> Iterator[tuple[int, Entries]]:
    while found := journal.after(reached, _REQUESTS_AT_ONCE):
        yield from found
        reached = found[-1][0]


def _chunks(journal: Journal, reached: int) -> Iterator[tuple[int, list[Entries]]]:
    """What lies behind `reached`, in pieces of about `CHUNK_ROWS` rows, each with the number of its last entry."""
    entries: list[Entries] = []
    rows = 0
    for seq, one in _entries_after(journal, reached):
        entries.append(one)
        rows += len(one.ids)
        reached = seq
        if rows >= CHUNK_ROWS:
            yield reached, entries
            entries, rows = [], 0
    if entries:
        yield reached, entries
