"""Which table a version goes into: that of the version before, unless `[data] partition` wants another layout."""

from typing import NamedTuple

from heptad.core.workspace import Workspace
from heptad.data.records import DatasetVersion, Finding
from heptad.data.versions import versions
from heptad.data.versions.partitioned import open_table
from heptad.data.versions.pruned import with_rows
from heptad.data.versions.remaining import as_it_is
from heptad.data.versions.tables import Table


class Settled(NamedTuple):
    """The table for the next version; whether it is the one of the version before; what there is to say of it."""

    table: Table
    stays: bool
    findings: list[Finding]


class Layout:
    """The layout that a data set is wanted in."""

    def __init__(self, workspace: Workspace, name: str, partition: list[str]) -> None:
        self._workspace, self._name, self._partition = workspace, name, tuple(partition)

    def fits(self, version: DatasetVersion) -> bool:
        """Whether a version, given as it is now, is laid out so."""
        return self._table(version.table).partition == self._partition

    def settle(self, before: DatasetVersion | None) -> Settled:
        """Where the version after this one, given as it is now, goes."""
        if before is None:
            return Settled(self._table(self._new_name()), stays=False, findings=[])
        if self.fits(before):
            return Settled(self._table(before.table), stays=True, findings=[])
        was, now = self._table(before.table).partition, self._partition
        said = (
            f"the table is now {_in_words(now)}, and was {_in_words(was)}; all rows of this version were written anew, "
            "and versions before it stay as they are"
        )
        found = Finding(expectation="layout", severity="info", passed=False, sentence=said)
        return Settled(self._table(self._earlier() or self._new_name()), stays=False, findings=[found])

    def _earlier(self) -> str:
        """The table of an earlier version with this layout; empty where there is none."""
        bodies = (as_it_is(self._workspace, one) for one in with_rows(versions.log(self._workspace, self._name)))
        return next((body.table for body in bodies if self.fits(body)), "")

    def _new_name(self) -> str:
        by = "".join(f".by-{versions.folder_name(column)}" for column in self._partition)
        return f"{versions.folder_name(self._name)}{by}"

    def _table(self, name: str) -> Table:
        return open_table(self._workspace.tables / name, self._partition)


def _in_words(partition: tuple[str, ...]) -> str:
    return f"partitioned by {', '.join(partition)}" if partition else "not partitioned"
