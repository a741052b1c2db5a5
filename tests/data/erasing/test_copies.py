"""Second copies lose the rows too: quarantine with its past, the cache, tables of processes that died."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
from tests.data.erasing.conftest import WHO, door, people

from heptad.core.workspace import Workspace
from heptad.data import Data
from heptad.data.assembling.quarantine import quarantine_table, write_quarantine
from heptad.data.erasing.copies import clear_copies, count_quarantined, remove_quarantined
from heptad.data.erasing.subjects import Subjects


def test_quarantine_and_what_it_held_before(
    workspace: Workspace, open_data: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """Rows that an earlier collection set aside are in its old files."""
    doubled = pl.concat([people(30), people(30).slice(16, 3)])
    write(doubled)
    door(open_data).collect()
    write(pl.concat([doubled, people(30).slice(3, 1)]))
    door(open_data).collect()
    assert count_quarantined(workspace, WHO) == 1
    for _ in range(2):
        remove_quarantined(workspace, WHO)
    assert count_quarantined(workspace, WHO) == 0
    assert door(open_data).quarantine.rows().collect().height == 3
    everything = b"".join(path.read_bytes() for path in workspace.tables.glob("test-quarantine/**/*") if path.is_file())
    assert b"cust-17" not in everything
    assert count_quarantined(workspace, Subjects(columns=["age"], keys=[["23"]])) == 1


def test_a_data_set_that_never_came_to_a_version_has_a_quarantine_too(workspace: Workspace) -> None:
    """What a collection set aside that then refused; no setting and no record names it."""
    rows = pl.LazyFrame({"rule": ["duplicate"] * 2, "row": ['{"customer":"cust-17"}', '{"customer":"cust-1"}']})
    write_quarantine(workspace, "given up", None, [rows])
    assert count_quarantined(workspace, WHO) == 1
    remove_quarantined(workspace, WHO)
    assert count_quarantined(workspace, WHO) == 0
    assert quarantine_table(workspace, "given up").newest() > 0


def test_caches_and_leftovers_are_deleted(workspace: Workspace) -> None:
    """What is not there is no trouble."""
    clear_copies(workspace)
    (workspace.cache / "sources" / "a").mkdir(parents=True)
    (workspace.cache / "sources" / "a" / "b").write_text("rows")
    left = workspace.folder / "staging" / "1-a"
    left.mkdir(parents=True)
    (left / "lock").touch()
    (left / "0.parquet").write_text("rows")
    clear_copies(workspace)
    assert not workspace.cache.exists()
    assert not left.exists()
