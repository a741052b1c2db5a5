"""The second copies that step 1 makes of rows: quarantine, the cache of sources, tables that were worked on."""

import shutil
from collections.abc import Iterator
from functools import partial

import polars as pl

from heptad.core.faults import boundary
from heptad.core.files import writing
from heptad.core.workspace import Workspace
from heptad.data.assembling.assembly import STAGING
from heptad.data.assembling.quarantine import QUARANTINE
from heptad.data.assembling.staging import clear_left_over
from heptad.data.erasing.finding import matching
from heptad.data.erasing.subjects import Subjects
from heptad.data.versions.purging import forget_past
from heptad.data.versions.tables import Table


def count_quarantined(workspace: Workspace, subjects: Subjects) -> int:
    """How many rows that a collection set aside are theirs."""
    return sum(
        table.scan(table.newest()).select(_theirs(subjects).sum()).collect(engine="streaming").item()
        for table in _quarantines(workspace)
    )


def remove_quarantined(workspace: Workspace, subjects: Subjects) -> None:
    """Take their rows out of quarantine, and out of what earlier collections had set aside."""
    for table in _quarantines(workspace):
        rows = table.scan(table.newest())
        if rows.select(_theirs(subjects).any()).collect(engine="streaming").item():
            # Held, since as a filter of a file it would be asked of the file's limits too, which are no rows.
            table.write(rows.collect(engine="streaming").filter(~_theirs(subjects)).lazy())
        forget_past(table.path(""))


def clear_copies(workspace: Workspace) -> None:
    """Delete what can be fetched or computed again: whose rows are in it need not be looked for."""
    boundary("erasing.before_cache")
    if workspace.cache.is_dir():
        with writing(workspace.cache):
            shutil.rmtree(workspace.cache, ignore_errors=False, onerror=_unless_gone)
    staging = workspace.folder / STAGING
    if staging.is_dir():
        clear_left_over(staging)
    boundary("erasing.after_cache")


def _quarantines(workspace: Workspace) -> Iterator[Table]:
    """Those of all data sets, also of one that never came to a version; they are known by their columns."""
    for folder in sorted(workspace.tables.glob("*-quarantine")):
        table = Table(folder)
        if table.exists() and table.scan(table.newest()).collect_schema().names() == QUARANTINE.names():
            yield table


def _theirs(subjects: Subjects) -> pl.Expr:
    match = partial(matching, subjects)
    return pl.col("row").map_batches(match, return_dtype=pl.Boolean, is_elementwise=True)


def _unless_gone(act: object, path: str, error: tuple[type[BaseException], BaseException, object]) -> None:
    """Others may remove files of a cache too."""
    del act, path
    if not isinstance(error[1], FileNotFoundError):
        raise error[1]
