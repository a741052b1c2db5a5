"""Proposes expectations from a version: what its schema and profile say, as TOML that warns until it is tightened."""

import math
from collections.abc import Mapping

import msgspec

from heptad.data.columns.schema import CATEGORIES
from heptad.data.expectations.settings import ColumnExpectation, Range, TableExpectation
from heptad.data.expectations.writing import expectations_toml
from heptad.data.profiles.profile import ColumnProfile, Profile
from heptad.data.records import Column, DatasetVersion

FEW = 50
"""Values of a category that are listed; of one with more, only how many new ones may come is expected."""
CLEAR = 0.2
"""A distance (PSI) that is read as a clear shift."""
EXACT = 2**53
"""Up to it a float, which a schema keeps limits in, holds every whole number."""
ROOM = 0.1
"""Missing values may rise by this share of what is there now."""


def infer_expectations(body: DatasetVersion, profile: Profile) -> str:
    """The sections of heptad.toml, each line below what was seen; everything in them is a warning."""
    columns, evidence = {}, {}
    known: Mapping[str, ColumnProfile] = {one.name: one for one in profile.columns}
    for column in body.schema.columns:
        found = known.get(column.name)
        if column.role in {"label_time", "ignored"}:
            continue
        columns[column.name] = [expected_of(column, found)]
        evidence[column.name] = _evidence(column, found, body.rows)
    whole = [TableExpectation(severity="warning", volume=Range(min=0.5, max=2))]
    head = (
        f"# Seen in {body.name}@{body.version}: {body.rows:,} rows. All of it warns;\n"
        '# where something must hold, take out severity = "warning".\n'
    )
    return head + expectations_toml(columns, whole, evidence)


def expected_of(column: Column, found: ColumnProfile | None) -> ColumnExpectation:
    """What one column is held to, which it holds now."""
    share = found.missing / found.rows if found and found.rows else 0.0
    one = ColumnExpectation(
        severity="warning",
        type=column.type,
        missing=min(1.0, math.ceil(round(share * (1 + ROOM) * 10_000, 9)) / 10_000),
        unique=True if column.unique and column.role != "key" else None,
    )
    if column.type in {"number", "integer"} and column.min is not None and column.role in {"feature", "target"}:
        low, high = column.min, column.max
        if column.type == "integer" and high is not None and max(abs(low), abs(high)) > EXACT:
            # The column's own limits are one step of a float away from these at the most.
            low, high = math.nextafter(low, -math.inf), math.nextafter(high, math.inf)
        one = msgspec.structs.replace(one, min=low, max=high)
    values = column.categories or []
    if 0 < len(values) <= FEW:
        one = msgspec.structs.replace(one, allowed=list(values))
    elif found is not None and found.values and len(values) < CATEGORIES:
        rest = found.counts[-1] / max(1, found.rows - found.missing)
        one = msgspec.structs.replace(one, unseen=min(1.0, round(rest + 0.01, 4)))
    drift = _drift(found) if found is not None and column.role == "feature" and column.type != "text" else None
    return msgspec.structs.replace(one, drift=drift)


def _drift(found: ColumnProfile) -> float | None:
    """A clear shift, and well above what chance makes of as many rows; `None` where chance alone may make one of 1."""
    by_chance = (len(found.counts) - 1) * 2 / max(1, found.rows)
    most = round(max(CLEAR, 3 * by_chance), 2)
    return most if most < 1 else None


def _evidence(column: Column, found: ColumnProfile | None, rows: int) -> str:
    parts = [f"{column.role}, {column.type}"]
    if found is not None:
        parts.append(f"{found.missing:,} of {rows:,} missing")
        if found.mean is not None and column.type != "datetime":
            what = "length" if column.type == "text" else "mean"
            parts.append(f"{what} {found.mean:.4g} ± {found.deviation or 0:.3g}")
    if column.categories:
        top = ", ".join(column.categories[:3])
        parts.append(f"{len(column.categories):,} values, most often {top}")
    return "; ".join(parts)
