"""Finds what step 1 keeps of people before any of it is removed: afterwards it could not be found any more."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import polars as pl

from heptad.core.graph import every
from heptad.core.records import Id, Record
from heptad.core.workspace import Workspace
from heptad.data.columns.keys import ROW, key_text
from heptad.data.erasing.subjects import Subjects
from heptad.data.expectations.history import rows_of
from heptad.data.records import DatasetVersion
from heptad.data.versions.pruned import with_rows
from heptad.data.versions.remaining import as_it_is


class FoundRows(msgspec.Struct, frozen=True, kw_only=True):
    """What step 1 keeps of the people. `ids` and `traces` are personal data, everything else is numbers."""

    versions: dict[Id, int] = {}
    """Record of a version to how many of its rows are theirs; versions without any are left out."""
    ids: list[str] = []
    """The keys of those rows as text, which is what models and predictions call a row."""
    traces: dict[str, list[str]] = {}
    """Column to the texts that their rows hold and no other row of any version."""


def every_version(workspace: Workspace) -> Iterator[Record[DatasetVersion]]:
    """All versions of all data sets of a workspace, samples too, newest first."""
    return every(workspace, DatasetVersion)


def find_rows(workspace: Workspace, subjects: Subjects) -> FoundRows:
    """Their rows in every version; each version is read once, and only their own rows are held."""
    versions, ids = dict[Id, int](), set[str]()
    texts: dict[str, set[str]] = {}
    read: list[tuple[pl.LazyFrame, pl.Expr]] = []
    for version in with_rows(every_version(workspace)):
        rows = rows_of(workspace, as_it_is(workspace, version))
        types = rows.collect_schema()
        if not subjects.are_in(types):
            continue
        theirs = subjects.condition(types)
        read.append((rows, theirs))
        key = version.body.schema.named("key")
        id_text = key_text(key) if key and key != [ROW] else pl.lit(None, pl.String)
        own = rows.filter(theirs).select(pl.col(pl.String), id_text.alias("\0id")).collect(engine="streaming")
        if own.height:
            versions[version.id] = own.height
            ids |= set(own["\0id"].drop_nulls())
            for name in own.columns[:-1]:
                texts.setdefault(name, set()).update(own[name].drop_nulls())
    return FoundRows(versions=versions, ids=sorted(ids), traces=_only_theirs(texts, read))


def _only_theirs(texts: Mapping[str, set[str]], read: Sequence[tuple[pl.LazyFrame, pl.Expr]]) -> dict[str, list[str]]:
    """The texts that no other row has in the same column."""
    for rows, theirs in read:
        types = rows.collect_schema()
        wanted = {name: sorted(values) for name, values in texts.items() if values and types.get(name) == pl.String}
        if not wanted:
            continue
        others = rows.filter(~theirs)
        queries = [
            others.select(pl.col(name)).filter(pl.col(name).is_in(pl.Series(values).implode())).unique()
            for name, values in wanted.items()
        ]
        for name, shared in zip(wanted, pl.collect_all(queries, engine="streaming"), strict=True):
            texts[name].difference_update(shared[name])
    return {name: sorted(values) for name, values in texts.items() if values}


def longer_words(workspace: Workspace, values: Collection[str]) -> list[str]:
    """Words of the rows that are left which hold one of the values and more: other people's names and keys."""
    if not values:
        return []
    words = re.compile("|".join(rf"\w*{re.escape(one)}\w*" for one in sorted(values, key=len, reverse=True)))
    texts = set[str]()
    for version in with_rows(every_version(workspace)):
        rows, key = rows_of(workspace, as_it_is(workspace, version)), version.body.schema.named("key")
        columns = [pl.col(name) for name, kind in rows.collect_schema().items() if kind == pl.String]
        columns += [key_text(key)] if key and key != [ROW] else []
        held = [rows.select(text=one).filter(pl.col("text").str.contains_any(list(values))).unique() for one in columns]
        for found in pl.collect_all(held, engine="streaming"):
            texts.update(found["text"])
    return sorted({word for text in texts for word in words.findall(text)} - {*values})


def matching(subjects: Subjects, rows: pl.Series) -> pl.Series:
    """Which of rows in JSON are theirs."""
    decode = msgspec.json.decode
    found: list[Any] = [text is not None and subjects.match(decode(text)) for text in rows.to_list()]
    return pl.Series(rows.name, found, dtype=pl.Boolean)
