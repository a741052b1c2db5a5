"""The last answers: a command that lists a few of them does not load what whole tables need."""

import heapq
from contextlib import closing

from deltalake import DeltaTable, QueryBuilder

from heptad.core.workspace import Workspace
from heptad.serving.journal import Journal
from heptad.serving.log_rows import TABLE, prediction_at, prediction_of
from heptad.serving.messages import Entries
from heptad.serving.records import Prediction
from heptad.serving.snapshot import serve_folder

MOST = 1000
_NEWEST = "SELECT * FROM log ORDER BY at DESC, id LIMIT 1000"


def newest_predictions(workspace: Workspace, limit: int) -> list[Prediction]:
    """The last predictions of a project, collected or not, newest first; `MOST` of them at most."""
    limit = min(limit, MOST)
    journal_path, folder = serve_folder(workspace).journal, workspace.tables / TABLE
    waiting: list[tuple[int, Entries]] = []
    name = ""
    if journal_path.exists():
        with closing(Journal(journal_path)) as journal:
            name, waiting = journal.name, journal.newest(limit)
    collected, reached = _of_table(str(folder), name)
    # The table is read after the journal: what was moved meanwhile is in both, and left out here.
    rest = _of_journal([entries for seq, entries in waiting if seq > reached], workspace.name, limit)
    return heapq.nsmallest(limit, [*collected[:limit], *rest], key=lambda one: (-one.at.timestamp(), one.id))


def _of_table(folder: str, source: str) -> tuple[list[Prediction], int]:
    """The last that the table has, and up to which entry of the journal it has them."""
    if not DeltaTable.is_deltatable(folder):
        return [], 0
    table = DeltaTable(folder)
    found = QueryBuilder().register("log", table).execute(_NEWEST).read_all()
    columns = {name: found[name].to_pylist() for name in found.column_names}
    rows = (dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True))
    return [prediction_of(row) for row in rows], table.transaction_version(source) or 0


def _of_journal(entries: list[Entries], endpoint: str, limit: int) -> list[Prediction]:
    places = ((-one.at, identity, one, place) for one in entries for place, identity in enumerate(one.ids))
    last = heapq.nsmallest(limit, places, key=lambda found: found[:2])
    return [prediction_at(one, place, endpoint) for _, _, one, place in last]
