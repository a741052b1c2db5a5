"""What changed between two versions of a table: columns, rows by key, distributions, findings."""

from collections.abc import Mapping, Sequence

import msgspec
import polars as pl

from heptad.core.memory import budget
from heptad.data.parts import Scratch, gather_pairs
from heptad.data.profiles.distances import column_distances
from heptad.data.profiles.profile import Profile, profile_frame
from heptad.data.records import Column, DatasetVersion, Finding
from heptad.data.versions.digests import equal_rows

_OTHERS, _TARGET, _KNOWN, _NEW = "\0others", "\0target", "\0known", "\0new"


class DatasetDiff(msgspec.Struct, frozen=True, kw_only=True):
    """From version `before` to version `after`; `distances` are PSI, largest first, of columns that both have."""

    before: int
    after: int
    columns_added: list[str] = []
    columns_removed: list[str] = []
    columns_retyped: dict[str, str] = {}
    """Column to `type -> type`."""
    rows_added: int = 0
    rows_removed: int = 0
    rows_changed: int = 0
    labels_added: int = 0
    """Rows that only differ in that their label became known; they are not counted as changed."""
    distances: dict[str, float] = {}
    findings_new: list[Finding] = []
    findings_gone: list[Finding] = []

    def text(self) -> str:
        """The difference in plain lines."""
        rows = f"{self.rows_added:,} rows added, {self.rows_removed:,} removed, {self.rows_changed:,} changed"
        lines = [f"version {self.before} to {self.after}: {rows}, {self.labels_added:,} labels became known"]
        lines += [f"column added    {name}" for name in self.columns_added]
        lines += [f"column removed  {name}" for name in self.columns_removed]
        lines += [f"column retyped  {name}: {change}" for name, change in self.columns_retyped.items()]
        lines += [f"distance {value:7.3f}  {name}" for name, value in self.distances.items()]
        lines += [f"new finding     {one.sentence}" for one in self.findings_new]
        lines += [f"finding gone    {one.sentence}" for one in self.findings_gone]
        return "\n".join(lines)


def diff_versions(
    before: DatasetVersion,
    after: DatasetVersion,
    rows: tuple[pl.LazyFrame, pl.LazyFrame],
    profiles: tuple[Profile, Profile],
) -> DatasetDiff:
    """Compares two versions given their rows in order, which are not held, and the profiles made with them."""
    old_types = {column.name: column.type for column in before.schema.columns}
    new_types = {column.name: column.type for column in after.schema.columns}
    shared = [name for name in old_types if name in new_types]
    retyped = {name: f"{old_types[name]} -> {new_types[name]}" for name in shared if old_types[name] != new_types[name]}
    kept = [
        column
        for column in after.schema.columns
        if column.name in shared and column.name not in retyped and column.role in {"feature", "target"}
    ]
    distances = column_distances(profiles[0], _in_bins_of(profiles[0], profiles[1], kept, rows[1]))
    failed = [
        {(one.expectation, one.column): one for one in body.findings if not one.passed} for body in (before, after)
    ]
    return DatasetDiff(
        before=before.version,
        after=after.version,
        columns_added=[name for name in new_types if name not in old_types],
        columns_removed=[name for name in old_types if name not in new_types],
        columns_retyped=retyped,
        **_rows(before, after, rows, [name for name in shared if name not in retyped]),
        distances=dict(sorted(distances.items(), key=lambda item: -item[1])),
        findings_new=[one for key, one in failed[1].items() if key not in failed[0]],
        findings_gone=[one for key, one in failed[0].items() if key not in failed[1]],
    )


def _in_bins_of(reference: Profile, profile: Profile, columns: Sequence[Column], rows: pl.LazyFrame) -> Profile:
    """The profile of some columns in the bins of the reference; only those counted in others are counted again."""
    known = {one.name: one for one in reference.columns}
    alike = {
        one.name: one
        for one in profile.columns
        if one.name in known and (one.edges, one.values) == (known[one.name].edges, known[one.name].values)
    }
    others = [column for column in columns if column.name not in alike]
    counted = profile_frame(rows, others, reference).columns if others else []
    wanted = [alike[column.name] for column in columns if column.name in alike]
    return Profile(rows=profile.rows, columns=[*wanted, *counted])


def _rows(
    before: DatasetVersion, after: DatasetVersion, rows: tuple[pl.LazyFrame, pl.LazyFrame], shared: list[str]
) -> Mapping[str, int]:
    key, target = after.schema.named("key"), after.schema.target
    if before.schema.named("key") != key or any(name not in shared for name in key):
        return {"rows_added": after.rows, "rows_removed": before.rows}
    # Keys are unique, so rows that are equal from the start have their like there and nowhere else.
    same = equal_rows(before.blocks, before.rows, after.blocks, after.rows)
    sides = [one.slice(same).select(shared) for one in rows]
    types = pl.concat([one.collect_schema().to_frame() for one in sides], how="vertical_relaxed").schema
    others = [name for name in shared if name not in {*key, target}]
    known = pl.col(target).is_not_null() if target in shared else pl.lit(value=False)
    told = {_OTHERS: _told_by(others), _TARGET: _told_by([target] if target in shared else []), _KNOWN: known}
    old, new = (one.cast(types).select(*key, **told) for one in sides)
    both, changed, labels = 0, 0, 0
    with Scratch() as scratch:
        for first, second in gather_pairs(old, new, key, budget(), scratch):
            pairs = first.join(second, on=key, suffix=_NEW)
            otherwise = pairs[_OTHERS] != pairs[f"{_OTHERS}{_NEW}"]
            relabelled = pairs[_TARGET] != pairs[f"{_TARGET}{_NEW}"]
            learnt = ~pairs[_KNOWN] & pairs[f"{_KNOWN}{_NEW}"]
            both += len(pairs)
            changed += int((otherwise | (relabelled & ~learnt)).sum())
            labels += int((learnt & ~otherwise).sum())
    return {
        "rows_added": after.rows - same - both,
        "rows_removed": before.rows - same - both,
        "rows_changed": changed,
        "labels_added": labels,
    }


def _told_by(names: Sequence[str]) -> pl.Expr:
    """One number by which values are told apart; two that differ share theirs once in ten quintillion times."""
    return pl.struct(names).hash() if names else pl.lit(0, pl.UInt64)
