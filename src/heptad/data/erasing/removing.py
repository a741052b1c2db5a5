"""Removes people's rows from every version of a data set: a new table takes the place of the old in one transaction.

Interrupted before that transaction, the old table is whole and in force; after it the new one is. Done again, it
finishes what is left: the old folder, the record, the profile.
"""

import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec
import polars as pl

from heptad.core.faults import boundary
from heptad.core.files import sync_folder
from heptad.core.identity import current_actor
from heptad.core.records import Attribute, Change, Id, NewEvent, Record, Scalar
from heptad.core.workspace import Workspace
from heptad.data.assembling.storing import canonical_order
from heptad.data.erasing.finding import FoundRows, every_version
from heptad.data.erasing.redacting import redacted, rewrite_records
from heptad.data.erasing.subjects import Subjects
from heptad.data.expectations.history import profile_of, rows_of
from heptad.data.profiles.profile import Profile, profile_frame
from heptad.data.records import DatasetVersion
from heptad.data.versions.digests import block_digests, combined
from heptad.data.versions.partitioned import open_table
from heptad.data.versions.pruned import is_pruned, with_rows
from heptad.data.versions.remaining import ERASED_AT, ERASED_ROWS, GENERATION, REMAINING, Remaining, as_it_is
from heptad.data.versions.rewriting import rewrite

ERASURE = "erasure"
"""Attribute of a version: the erasure that changed it last."""

Version = Record[DatasetVersion]


def remove_rows(workspace: Workspace, subjects: Subjects, found: FoundRows, erasure: Id, at: datetime) -> None:
    """Take the rows that were found out of all versions, and out of their records and profiles."""
    for versions in touched(workspace, found):
        if any(one.attributes.get(ERASURE) != erasure for one in versions if one.id in found.versions):
            _replace_table(workspace, subjects, found, erasure, at, sorted(versions, key=_number))
    for versions in touched(workspace, found):
        _clear_tables(workspace, {as_it_is(workspace, one).table for one in versions})
        _redact(workspace, versions, found)
    _redact_pruned(workspace, found)


def touched(workspace: Workspace, found: FoundRows) -> list[list[Version]]:
    """All versions with rows of each data set that has some of the rows."""
    by_name: dict[str, list[Version]] = defaultdict(list)
    for version in with_rows(every_version(workspace)):
        by_name[version.body.name].append(version)
    return [versions for versions in by_name.values() if any(one.id in found.versions for one in versions)]


def _number(version: Version) -> int:
    return version.body.version


def _replace_table(
    workspace: Workspace, subjects: Subjects, found: FoundRows, erasure: Id, at: datetime, versions: Sequence[Version]
) -> None:
    bodies = {one.id: as_it_is(workspace, one) for one in versions}
    keep = partial(_without, subjects)
    numbers: dict[tuple[str, int], tuple[str, int]] = {}
    for table in sorted({body.table for body in bodies.values()}):
        new = _next_name(table)
        _remove_folder(workspace.tables / new)
        own = [body for body in bodies.values() if body.table == table]
        order = canonical_order(own[-1].schema)
        old_numbers = [body.delta_version for body in own]
        old = open_table(workspace.tables / table)
        made = rewrite(old, open_table(workspace.tables / new, old.partition, old.cluster), old_numbers, keep, order)
        numbers |= {(table, old): (new, number) for old, number in made.items()}
    changes: list[Attribute] = []
    before: tuple[Profile, Profile] | None = None
    for one in versions:
        body = bodies[one.id]
        table, delta_version = numbers[body.table, body.delta_version]
        left, before = _remaining(
            workspace, msgspec.structs.replace(body, table=table, delta_version=delta_version), before
        )
        changes.append(Attribute(one.id, REMAINING, workspace.blobs.put(msgspec.json.encode(left))))
        if one.id in found.versions:
            gone = one.body.rows - left.rows
            values: dict[str, Scalar] = {ERASED_ROWS: gone, ERASED_AT: at.isoformat(), ERASURE: erasure}
            changes += [Attribute(one.id, key, value) for key, value in values.items()]
    workspace.store.write(
        Change(
            attributes=changes,
            events=[_event(one, found.versions[one.id]) for one in versions if one.id in found.versions],
            key=f"erase:{erasure}:{versions[0].body.name}",
            at=workspace.clock.now(),
            actor=current_actor(),
        )
    )


def _event(version: Version, rows: int) -> NewEvent:
    said = {"name": version.body.name, "version": version.body.version, "rows": rows}
    return NewEvent(kind="data.rows_erased", subject=version.id, body=said)


def _without(subjects: Subjects, rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.filter(~subjects.condition(rows.collect_schema()))


def _remaining(
    workspace: Workspace, body: DatasetVersion, before: tuple[Profile, Profile] | None
) -> tuple[Remaining, tuple[Profile, Profile]]:
    """What is true of a version in its new table, and its profile as it was and is now; `before`: the last one's."""
    rows, was = rows_of(workspace, body), profile_of(workspace, body)
    target = body.schema.target
    counts = rows.select(rows=pl.len(), labelled=pl.col(target).count()).collect(engine="streaming").row(0, named=True)
    named = {column.name: column for column in body.schema.columns}
    profiled = [named[column.name] for column in was.columns if column.name in named]
    profile = (
        profile_frame(rows, profiled, _bins_in_common(was, before)) if counts["rows"] else Profile(rows=0, columns=[])
    )
    blocks = block_digests(rows)
    left = Remaining(
        table=body.table,
        delta_version=body.delta_version,
        rows=counts["rows"],
        labelled=counts["labelled"],
        digest=combined(blocks, counts["rows"]),
        blocks=blocks,
        profile=workspace.blobs.put(msgspec.json.encode(profile)),
    )
    return left, (was, profile)


def _bins_in_common(was: Profile, before: tuple[Profile, Profile] | None) -> Profile | None:
    """The new bins of the columns whose old ones came from the version before, so that both still compare."""
    if before is None:
        return None
    old = {column.name: column for column in before[0].columns}
    shared = {
        column.name
        for column in was.columns
        if column.name in old and (column.edges, column.values) == (old[column.name].edges, old[column.name].values)
    }
    return Profile(rows=before[1].rows, columns=[column for column in before[1].columns if column.name in shared])


def _next_name(table: str) -> str:
    name, _, number = table.partition(GENERATION)
    return f"{name}{GENERATION}{int(number or 0) + 1}"


def _clear_tables(workspace: Workspace, in_force: set[str]) -> None:
    """Delete the folders that these tables took the place of."""
    for table in {name.partition(GENERATION)[0] for name in in_force}:
        for folder in (workspace.tables / table, *workspace.tables.glob(f"{table}{GENERATION}*")):
            if folder.name not in in_force:
                _remove_folder(folder)


def _remove_folder(folder: Path) -> None:
    if folder.is_dir():
        boundary("erasing.before_remove")
        shutil.rmtree(folder)
        sync_folder(folder.parent)
        boundary("erasing.after_remove")


def _redact(workspace: Workspace, versions: Sequence[Version], found: FoundRows) -> None:
    """Records of the versions without values that only erased rows had, and with the profiles of the rows left."""
    traces = {column: frozenset(values) for column, values in found.traces.items()}
    bodies: dict[Id, DatasetVersion] = {}
    for version in versions:
        now = as_it_is(workspace, version)
        body = redacted(version.body, traces, _limits(workspace, now))
        body = msgspec.structs.replace(body, profile=now.profile)
        if body != version.body:
            bodies[version.id] = body
    if bodies:
        rewrite_records(workspace, bodies)


def _redact_pruned(workspace: Workspace, found: FoundRows) -> None:
    """The same of versions whose rows were given up before: what their limits would be nobody knows any more."""
    traces = {column: frozenset(values) for column, values in found.traces.items()}
    bodies: dict[Id, DatasetVersion] = {}
    for version in every_version(workspace):
        if is_pruned(version):
            columns = version.body.schema.columns
            body = redacted(version.body, traces, {one.name: (None, None) for one in columns})
            if body != version.body:
                bodies[version.id] = body
    if bodies:
        rewrite_records(workspace, bodies)


def _limits(workspace: Workspace, body: DatasetVersion) -> Mapping[str, tuple[float | None, float | None]]:
    """The least and greatest values that are left, of the columns whose limits are recorded."""
    wanted = [column.name for column in body.schema.columns if column.min is not None]
    if not wanted:
        return {}
    rows = rows_of(workspace, body).select(wanted)
    low, high = pl.collect_all([rows.min(), rows.max()], engine="streaming")
    return {name: (_number_or_none(low[name][0]), _number_or_none(high[name][0])) for name in wanted}


def _number_or_none(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
