"""A version with rules, and what a table's rules make of rows."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from hypothesis import settings

from heptad.core.errors import RequestError
from heptad.data import (
    CleanRule,
    CleanSettings,
    Column,
    DatasetVersion,
    Fitted,
    RequestRules,
    RowCleaner,
    Schema,
    clean_requests,
    request_rules,
)
from heptad.data.cleaning.settings import RowRule

settings.register_profile("heptad-singles", deadline=None)
settings.load_profile("heptad-singles")


def version_of(
    types: Mapping[str, Any],
    columns: Mapping[str, CleanRule] | None = None,
    rows: Mapping[str, RowRule] | None = None,
    fitted: Fitted | None = None,
) -> DatasetVersion:
    """A version of a table with these columns, types as they are once it is cleaned, and a target."""
    target = Column(name="target", type="category", role="target")
    clean = CleanSettings(columns=dict(columns or {}), rows=dict(rows or {}))
    return DatasetVersion(
        name="test",
        version=1,
        table="test",
        delta_version=0,
        rows=9,
        labelled=9,
        digest="",
        schema=Schema(
            columns=[*(Column(name=name, type=kind) for name, kind in types.items()), target], task="classification"
        ),
        until=datetime(2026, 1, 1, tzinfo=UTC),
        profile="",
        fitted=fitted or Fitted(),
        settings={"clean": msgspec.to_builtins(clean)},
    )


def both(version: DatasetVersion, rows: Sequence[dict[str, Any]]) -> list[tuple[Any, Any]]:
    """Each row as a server cleans it and as the table's rules do: the row, and how much is told; `None` if refused."""
    rules = request_rules(version, [one.name for one in version.schema.features()])
    assert rules is not None
    return list(zip(singly(rules, rows), clean_requests(version, rules, rows), strict=True))


def singly(rules: RequestRules, rows: Sequence[dict[str, Any]]) -> list[tuple[dict[str, Any] | None, int]]:
    # Rules travel as JSON.
    cleaner = RowCleaner(msgspec.json.decode(msgspec.json.encode(rules), type=RequestRules))
    found: list[tuple[dict[str, Any] | None, int]] = []
    for row in rows:
        notes: list[str] = []
        try:
            found.append((cleaner.clean(row, notes), len(notes)))
        except RequestError:
            found.append((None, 0))
    return found
