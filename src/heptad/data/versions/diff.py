"""What changed between two versions of a table: columns, rows by key, distributions, findings."""

from collections.abc import Mapping

import msgspec
import polars as pl

from heptad.data.profiles.distances import column_distances
from heptad.data.profiles.profile import Profile, profile_frame
from heptad.data.records import DatasetVersion, Finding


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
    before: DatasetVersion, after: DatasetVersion, rows: tuple[pl.DataFrame, pl.DataFrame], reference: Profile
) -> DatasetDiff:
    """Compares two versions given their rows; `reference` is the profile of `before`."""
    old, new = rows
    old_types = {column.name: column.type for column in before.schema.columns}
    new_types = {column.name: column.type for column in after.schema.columns}
    shared = [name for name in old_types if name in new_types]
    retyped = {name: f"{old_types[name]} -> {new_types[name]}" for name in shared if old_types[name] != new_types[name]}
    kept = [
        column
        for column in after.schema.columns
        if column.name in shared and column.name not in retyped and column.role in {"feature", "target"}
    ]
    distances = column_distances(reference, profile_frame(new, kept, reference))
    failed = [
        {(one.expectation, one.column): one for one in body.findings if not one.passed} for body in (before, after)
    ]
    return DatasetDiff(
        before=before.version,
        after=after.version,
        columns_added=[name for name in new_types if name not in old_types],
        columns_removed=[name for name in old_types if name not in new_types],
        columns_retyped=retyped,
        **_rows(before, after, old, new, [name for name in shared if name not in retyped]),
        distances=dict(sorted(distances.items(), key=lambda item: -item[1])),
        findings_new=[one for key, one in failed[1].items() if key not in failed[0]],
        findings_gone=[one for key, one in failed[0].items() if key not in failed[1]],
    )


def _rows(
    before: DatasetVersion, after: DatasetVersion, old: pl.DataFrame, new: pl.DataFrame, shared: list[str]
) -> Mapping[str, int]:
    key, target = after.schema.named("key"), after.schema.target
    if before.schema.named("key") != key or any(name not in shared for name in key):
        return {"rows_added": len(new), "rows_removed": len(old)}
    values = [name for name in shared if name not in key]
    both = old.select([*key, *values]).join(new.select([*key, *values]), on=key, suffix="\0new")
    differs = {name: pl.col(name).ne_missing(pl.col(f"{name}\0new")) for name in values}
    labelled = (
        pl.col(target).is_null() & pl.col(f"{target}\0new").is_not_null() if target in values else pl.lit(value=False)
    )
    others = [expression for name, expression in differs.items() if name != target]
    otherwise = pl.any_horizontal(others) if others else pl.lit(value=False)
    counts = both.select(
        changed=(pl.any_horizontal(differs.values()) & (otherwise | ~labelled)).sum() if differs else pl.lit(0),
        labels=(labelled & ~otherwise).sum(),
    ).row(0)
    return {
        "rows_added": len(new) - len(both),
        "rows_removed": len(old) - len(both),
        "rows_changed": int(counts[0]),
        "labels_added": int(counts[1]),
    }
