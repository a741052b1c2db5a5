"""The data card: what a data set is, who answers for it, where it comes from, and what to mind.

After T. Gebru et al., "Datasheets for Datasets" (2021), and M. Pushkarna, A. Zaldivar and O. Kjartansson, "Data Cards"
(FAccT 2022). What people stated comes from `[card]`, everything else from the records, and what nobody stated is
listed as such: the same records give the same card.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from heptad.core.records import Record
from heptad.core.settings import duration
from heptad.data.cards.document import Block, Code, Document, Items, Section, TableBlock
from heptad.data.cards.settings import CardColumn, CardSettings
from heptad.data.columns.keys import ROW
from heptad.data.profiles.page import summary_of
from heptad.data.profiles.profile import ColumnProfile, Profile
from heptad.data.records import Column, DatasetVersion, ExpectationResult

HIDDEN = {"personal", "special"}
"""Sensitivities of columns whose values no card shows: cards are passed on."""
_VALUES = 3
"""Most frequent values of a category that are shown."""
_NOT_STATED = "not stated"


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a card is made from."""

    version: Record[DatasetVersion]
    profile: Profile
    about: str = ""
    """What the project says of itself."""
    stated: CardSettings
    tags: Sequence[str] = ()
    checked: Record[ExpectationResult] | None = None
    """What the version was held to last."""
    users: Mapping[str, int] = {}
    """Kind of record to how many were made with this version."""


def data_card(subject: Subject) -> Document:
    """The card as a document; `to_html` and `to_markdown` write it."""
    body = subject.version.body
    sections = [
        Section("Who answers for it", [Items(list(_people(subject.stated)))]),
        Section("What it is for", list(_purpose(subject))),
        Section("What it holds", [Items(list(_facts(subject)))]),
        Section("How long it is kept", [Items(list(_retention(subject)))]),
        Section("Where it comes from", _sources(body)),
        Section("Columns", _columns(subject)),
        Section("What was repaired", _repairs(body)),
        Section("What to mind", _findings(subject)),
        Section("Who uses it", _users(subject)),
        Section("What nobody has stated", list(_gaps(subject))),
        Section("How to read it", [Code(f"heptad data get {body.version} {body.table}.parquet")]),
    ]
    return Document(
        f"Data card of {body.name}@{body.version}",
        f"{body.rows:,} rows and {len(body.schema.columns)} columns, made {subject.version.at:%d %B %Y} "
        f"by {subject.version.actor}.",
        [one for one in sections if one.blocks],
    )


def unknown_columns(stated: CardSettings, columns: Sequence[Column]) -> list[str]:
    """Columns that `[card.columns]` describes and a version does not have."""
    return sorted(stated.columns.keys() - {one.name for one in columns})


def _people(stated: CardSettings) -> Iterator[str]:
    yield f"Owner: {stated.owner or _NOT_STATED}."
    yield f"Contacts: {', '.join(stated.contacts) or _NOT_STATED}."
    yield f"Licence: {stated.licence or _NOT_STATED}."


def _purpose(subject: Subject) -> Iterator[Block]:
    yield subject.stated.purpose or "Nobody has stated what it was collected for."
    if subject.about:
        yield f"This project asks of it: {subject.about}"
    schema = subject.version.body.schema
    yield f"Models of it answer {schema.target} ({schema.task})."
    if subject.stated.unsuitable:
        yield "It shall not be used for:"
        yield Items(subject.stated.unsuitable)


def _facts(subject: Subject) -> Iterator[str]:
    body, schema = subject.version.body, subject.version.body.schema
    yield f"{body.rows:,} rows, {body.labelled:,} of them with a label."
    key = schema.named("key")
    yield "Rows have no key: their number names them." if key == [ROW] else f"A row is named by {', '.join(key)}."
    if body.first_time and body.last_time:
        time = schema.named("time")[0]
        yield f"From {body.first_time:%Y-%m-%d %H:%M} to {body.last_time:%Y-%m-%d %H:%M} UTC, by {time}."
    target = next((one for one in subject.profile.columns if one.name == schema.target), None)
    if target and target.values and not _is_hidden(subject, schema.target):
        present = max(1, target.rows - target.missing)
        shares = [f"{value} {count / present:.1%}" for value, count in _by_count(target)]
        yield f"Classes of {schema.target}: {', '.join(shares)}."
    yield f"Labels are those known at {body.until:%Y-%m-%d %H:%M} UTC."
    yield f"Digest {body.digest[:16]}, record {subject.version.id}."
    if subject.tags:
        yield f"Tagged {', '.join(subject.tags)}."


def _retention(subject: Subject) -> Iterator[str]:
    body, kept = subject.version.body, subject.stated.retention
    if not kept:
        yield f"How long: {_NOT_STATED}."
        return
    yield f"Rows are kept for {kept}."
    if body.first_time is None:
        yield "Rows have no time, so nothing tells which are older."
        return
    until = body.until - duration(kept)
    if body.first_time < until:
        yield f"The oldest row is of {body.first_time:%Y-%m-%d}: rows before {until:%Y-%m-%d} are past that time."
    else:
        yield f"The oldest row is of {body.first_time:%Y-%m-%d}, within that time."


def _sources(body: DatasetVersion) -> list[Block]:
    rows = [[one.name, one.uri, f"{one.rows:,}", one.digest[:12]] for one in body.sources]
    return [TableBlock(["source", "address", "rows", "digest"], rows)] if rows else []


def _columns(subject: Subject) -> list[Block]:
    profiles = {one.name: one for one in subject.profile.columns}
    rows = [_column(subject, one, profiles.get(one.name)) for one in subject.version.body.schema.columns]
    return [TableBlock(["column", "type", "role", "sensitivity", "missing", "values", "about"], rows)]


def _column(subject: Subject, column: Column, profile: ColumnProfile | None) -> list[str]:
    said = subject.stated.columns.get(column.name, CardColumn())
    missing = "none" if profile else ""
    missing = f"{profile.missing / profile.rows:.1%}" if profile and profile.missing else missing
    values = "not shown" if said.sensitivity in HIDDEN else _values(profile) if profile else ""
    unit = f" {said.unit}" if said.unit and values and said.sensitivity not in HIDDEN else ""
    return [
        column.name, column.type, column.role.replace("_", " "), said.sensitivity or "?", missing,
        values + unit, said.about,
    ]  # fmt: skip


def _values(profile: ColumnProfile) -> str:
    """The range of numbers, times and lengths; the most frequent values of a category."""
    if profile.values:
        named = _by_count(profile)
        more = len(named) > _VALUES or profile.counts[-1] > 0
        return ", ".join(value for value, _ in named[:_VALUES]) + ", ..." * more
    told = summary_of(profile)
    return f"{told['least']} to {told['most']}" if told["least"] else ""


def _by_count(profile: ColumnProfile) -> list[tuple[str, int]]:
    return sorted(zip(profile.values, profile.counts, strict=False), key=lambda one: (-one[1], one[0]))


def _is_hidden(subject: Subject, column: str) -> bool:
    return subject.stated.columns.get(column, CardColumn()).sensitivity in HIDDEN


def _repairs(body: DatasetVersion) -> list[Block]:
    rows = [
        [one.rule, one.column, f"{one.rows:,}" if one.rows else "", f"{one.cells:,}" if one.cells else ""]
        for one in body.repairs
        if one.rows or one.cells
    ]
    return [TableBlock(["rule", "column", "rows set aside", "cells changed"], rows)] if rows else []


def _findings(subject: Subject) -> list[Block]:
    """Sentences may name values, so those about columns whose values are not shown name the rule only."""
    checked = subject.checked.body.findings if subject.checked else []
    found = [
        f"{one.column}: does not hold {one.expectation}" if _is_hidden(subject, one.column) else one.sentence
        for one in (*subject.version.body.findings, *checked)
        if not one.passed and one.sentence
    ]
    return [Items(list(dict.fromkeys(found)))] if found else []


def _users(subject: Subject) -> list[Block]:
    found = [f"{kind.replace('_', ' ')}: {count:,}" for kind, count in sorted(subject.users.items())]
    return [Items(found)] if found else ["Nothing was made with this version yet."]


def _gaps(subject: Subject) -> Iterator[Block]:
    """What a reviewer would ask for next."""
    stated = subject.stated
    missing = [name for name in ("owner", "purpose", "licence", "contacts", "retention") if not getattr(stated, name)]
    columns = subject.version.body.schema.columns
    named = [one.name for one in columns if one.name != ROW]
    silent = [name for name in named if not stated.columns.get(name, CardColumn()).sensitivity]
    gone = unknown_columns(stated, columns)
    found = [
        *([f"[card] {', '.join(missing)}."] if missing else []),
        *([f"The sensitivity of {len(silent):,} columns: {_listed(silent)}."] if silent else []),
        *([f"[card.columns] describes {_listed(gone)}, which this version does not have."] if gone else []),
    ]
    if found:
        yield Items(found)


def _listed(names: Sequence[str], most: int = 10) -> str:
    shown = ", ".join(names[:most])
    return f"{shown}, and {len(names) - most} more" if len(names) > most else shown
