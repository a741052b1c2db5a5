"""What expectations compare rows with: the versions before, and other tables of the project."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
import polars as pl

from heptad.core.errors import InputError, NotFoundError
from heptad.core.records import Record
from heptad.core.workspace import Workspace
from heptad.data.assembling.assembly import Assembly
from heptad.data.assembling.storing import canonical_order
from heptad.data.expectations.definitions import Context, ExpectationError
from heptad.data.expectations.settings import ExpectSettings, Reference
from heptad.data.profiles.profile import Profile
from heptad.data.records import DatasetVersion
from heptad.data.versions import versions
from heptad.data.versions.partitioned import open_table
from heptad.data.versions.pruned import with_rows
from heptad.data.versions.remaining import as_it_is


def profile_of(workspace: Workspace, body: DatasetVersion) -> Profile:
    """The profile of a version, given as it is now."""
    return msgspec.json.decode(workspace.blobs.get(body.profile), type=Profile)


def rows_of(workspace: Workspace, body: DatasetVersion) -> pl.LazyFrame:
    """The rows of a version, given as it is now, in their order."""
    table = open_table(workspace.tables / body.table)
    return table.scan(body.delta_version, canonical_order(body.schema))


class History:
    """The versions and the sources of one project, as far as expectations look at them."""

    def __init__(self, workspace: Workspace, assembly: Assembly, settings: ExpectSettings, time: str) -> None:
        self._workspace = workspace
        self._time = time
        self._assembly = assembly
        self._settings = settings

    def context(
        self,
        name: str,
        types: Mapping[str, pl.DataType],
        until: datetime | None,
        before: Record[DatasetVersion] | None = None,
    ) -> Context:
        """What rows with these types are compared with; `before`: they are this version, and its past counts."""
        earlier, now = self.earlier(name, before), until or self._workspace.clock.now()
        reference = self.reference(name, earlier)
        return Context(
            types=types,
            now=now,
            root=self._workspace.root,
            time=self._time,
            profile=profile_of(self._workspace, reference) if reference else None,
            volumes=[one.rows for one in earlier if one.until <= now],
            table=lambda wanted: self._table(name, wanted, until),
        )

    def earlier(self, name: str, before: Record[DatasetVersion] | None = None) -> list[DatasetVersion]:
        """The versions before this one whose rows are there, newest first; all of them where it is none."""
        found = [as_it_is(self._workspace, one) for one in with_rows(versions.log(self._workspace, name))]
        return found if before is None else [one for one in found if one.version < before.body.version]

    def reference(self, name: str, earlier: list[DatasetVersion]) -> DatasetVersion | None:
        """The version that distributions are compared with."""
        if not self._settings.reference or not earlier:
            return earlier[0] if earlier else None
        return as_it_is(self._workspace, versions.find_version(self._workspace, name, self._settings.reference))

    def _table(self, name: str, wanted: Reference, until: datetime | None) -> pl.LazyFrame:
        if bool(wanted.source) == bool(wanted.version):
            raise ExpectationError(
                f"the other table is source = {wanted.source!r} and version = {wanted.version}.",
                allowed="one of the two: source, a name of [sources.NAME], or version, a number",
            )
        try:
            if wanted.source:
                return self._assembly.source(wanted.source, until)
            other = versions.find_version(self._workspace, name, wanted.version)
            return rows_of(self._workspace, as_it_is(self._workspace, other))
        except NotFoundError as error:
            raise ExpectationError(error.problem, allowed=error.allowed or "collect one: heptad run") from error
        except InputError as error:
            raise ExpectationError(error.problem, allowed=error.allowed) from error
