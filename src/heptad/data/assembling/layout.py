"""Which table a version goes into: that of the version before, unless `[data]` wants its rows laid out otherwise."""

from collections.abc import Sequence
from typing import NamedTuple

from heptad.core.records import Record
from heptad.core.workspace import Workspace
from heptad.data.records import DatasetVersion, Finding
from heptad.data.settings import DataSettings
from heptad.data.versions import versions
from heptad.data.versions.partitioned import open_table
from heptad.data.versions.pruned import is_pruned, with_rows
from heptad.data.versions.remaining import as_it_is
from heptad.data.versions.tables import Table


class Settled(NamedTuple):
    """The table for the next version; whether it is the one of the version before; what there is to say of it."""

    table: Table
    stays: bool
    findings: list[Finding]


class Layout:
    """The layout that a data set is wanted in: `[data] partition` and `cluster`."""

    def __init__(self, workspace: Workspace, name: str, data: DataSettings) -> None:
        self._workspace, self._name = workspace, name
        self._partition, self._cluster = tuple(data.partition), tuple(data.cluster)

    def fits(self, version: DatasetVersion) -> bool:
        """Whether a version, given as it is now, is laid out so."""
        table = self._table(version.table)
        return (table.partition, table.cluster) == (self._partition, self._cluster)

    def settle(self, before: DatasetVersion | None) -> Settled:
        """Where the version after this one, given as it is now, goes."""
        if before is None:
            return Settled(self._table(self._new_name()), stays=False, findings=[])
        if self.fits(before):
            return Settled(self._table(before.table), stays=True, findings=[])
        was = self._table(before.table)
        said = (
            f"the table is now {_in_words(self._partition, self._cluster) or _PLAIN}, "
            f"and was {_in_words(was.partition, was.cluster) or _PLAIN}; all rows of this version were written anew, "
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
        near = "".join(f".near-{versions.folder_name(column)}" for column in self._cluster)
        return f"{versions.folder_name(self._name)}{by}{near}"

    def _table(self, name: str) -> Table:
        return open_table(self._workspace.tables / name, self._partition, self._cluster)


def layout_in_words(workspace: Workspace, version: Record[DatasetVersion]) -> str:
    """How the files of a version hold its rows; empty where they lie in their order, or are gone."""
    if is_pruned(version):
        return ""
    table = open_table(workspace.tables / as_it_is(workspace, version).table)
    return _in_words(table.partition, table.cluster)


_PLAIN = "in order of time and key"


def _in_words(partition: Sequence[str], cluster: Sequence[str]) -> str:
    said = [
        f"{how} by {', '.join(columns)}"
        for how, columns in (("partitioned", partition), ("clustered", cluster))
        if columns
    ]
    return " and ".join(said)
