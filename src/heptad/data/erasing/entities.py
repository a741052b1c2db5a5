"""Finds the entities of feature views that are somebody's alone, where the views know people by other columns.

Who is named by `person` has rows that hold an `email`, and features may be kept online by that. It is found while the
rows are there; afterwards nothing tells whose it was.
"""

from collections.abc import Collection, Sequence

import msgspec
import polars as pl

from heptad.data.erasing.subjects import Subjects
from heptad.data.erasing.suppression import as_text

APART = 0.9
"""A column tells people apart where at least this share of its values are of one of them only. That a town has one
inhabitant, or a product one buyer, by chance, does not make it theirs: its features are about others, too."""
LOOKED_AT = 2_000_000
"""Rows of a table by which it is told, about."""

Columns = tuple[str, ...]


class Entities(msgspec.Struct, frozen=True, kw_only=True):
    """What features are kept by. `own` is personal data; `unsure` says columns only."""

    own: list[Subjects] = []
    """The entities that only these people have."""
    unsure: list[str] = []
    """What entities are called of which some may be theirs, but others have them too, or no table tells."""


def find_entities(
    subjects: Subjects, views: Collection[Columns], versions: Sequence[pl.LazyFrame], sources: Sequence[pl.LazyFrame]
) -> Entities:
    """The entities of these views (each by its columns) that only these people have, in all of the tables.

    A view with one of the columns that name them is left out: there they are found by it. Rows of a version that lacks
    these columns stay, and are others' therefore; those of a source that does are what features are made of.
    """
    others = sorted({view for view in views if not {*view} & {*subjects.columns}})
    typed = [(rows, rows.collect_schema()) for rows in (*versions, *sources)]
    tables = [one for place, one in enumerate(typed) if place < len(versions) or subjects.are_in(one[1])]
    found: dict[Columns, tuple[set[Columns], bool]] = {}
    for columns in sorted({one for view in others for one in _parts(view)}, key=len):
        having = [(rows, types) for rows, types in tables if all(column in types for column in columns)]
        found[columns] = _only_theirs(subjects, columns, having)
    own: list[Subjects] = []
    for columns, (keys, _) in found.items():
        # Every entity of an own e-mail is theirs, whatever else names it.
        parts = [((column,), place) for place, column in enumerate(columns) if len(columns) > 1]
        left = [key for key in sorted(keys) if not any((key[place],) in found[one][0] for one, place in parts)]
        if left:
            own.append(Subjects(columns=list(columns), keys=[list(key) for key in left]))
    unsure = [", ".join(view) for view in others if not any(found[one][0] and found[one][1] for one in _parts(view))]
    return Entities(own=own, unsure=unsure)


def _parts(view: Columns) -> list[Columns]:
    """By what its entities may be theirs: any one column, or all of them."""
    return list(dict.fromkeys([*((column,) for column in view), view]))


def _only_theirs(
    subjects: Subjects, columns: Columns, tables: Sequence[tuple[pl.LazyFrame, pl.Schema]]
) -> tuple[set[Columns], bool]:
    """What only their rows hold in these columns, and whether that is all that their rows hold."""
    theirs: list[set[Columns]] = []
    for rows, types in tables:
        held = _texts(rows.filter(subjects.condition(types)), columns, types) if subjects.are_in(types) else None
        theirs.append({*held.collect(engine="streaming").rows()} if held is not None else set())
    shared = _shared(subjects, columns, tables, set[Columns]().union(*theirs))
    if not any(one - shared for one in theirs):
        return set(), False
    apart = [_tell_apart(subjects, columns, *one) if subjects.are_in(one[1]) else (0, 0.0) for one in tables]
    # The table that has most values of them decides: a sample has few.
    if max(apart)[1] < APART:
        return set(), False
    # Where a table's values tell nobody apart, a rule of `[clean]` has made of them what is everybody's.
    own = set[Columns]().union(*(one for one, (_, share) in zip(theirs, apart, strict=True) if share >= APART))
    return own - shared, not own & shared


def _shared(
    subjects: Subjects, columns: Columns, tables: Sequence[tuple[pl.LazyFrame, pl.Schema]], theirs: Collection[Columns]
) -> set[Columns]:
    """What of theirs the rows of others hold, too."""
    wanted = pl.DataFrame(sorted(theirs), schema=dict.fromkeys(columns, pl.String), orient="row").lazy()
    found = set[Columns]()
    for rows, types in tables if theirs else ():
        held = _texts(rows.filter(~subjects.condition(types)), columns, types, once=False)
        found.update(held.join(wanted, on=list(columns), how="semi").unique().collect(engine="streaming").rows())
    return found


def _tell_apart(subjects: Subjects, columns: Columns, rows: pl.LazyFrame, types: pl.Schema) -> tuple[int, float]:
    """How many values the columns have in a table, and which share of them is of one person only.

    Of a table of many rows some values are looked at, each with all of its rows: all of them may not fit in memory.
    """
    height = rows.select(pl.len()).collect(engine="streaming").item()
    every = 1 + height // LOOKED_AT
    who = pl.struct(_spelled(column, types[column]) for column in subjects.columns).hash().alias("\0who")
    keys = _texts(rows, columns, types, who, once=False).filter(pl.struct(columns).hash() % every == 0)
    found = keys.unique().group_by(columns).agg(pl.col("\0who").n_unique())
    told = found.select(pl.len(), share=(pl.col("\0who") == 1).mean()).collect(engine="streaming")
    return told.item(0, 0) * every, told.item(0, 1) or 0.0


def _texts(rows: pl.LazyFrame, columns: Columns, types: pl.Schema, *beside: pl.Expr, once: bool = True) -> pl.LazyFrame:
    """What is in some columns, as one names it, each once; what lacks a value names nothing."""
    named = [_spelled(column, types[column]).alias(column) for column in columns]
    found = rows.select(*named, *beside).drop_nulls(list(columns))
    return found.unique() if once else found


def _spelled(column: str, kind: pl.DataType) -> pl.Expr:
    """A value as somebody would name it: times in ISO 8601."""
    if not isinstance(kind, pl.Datetime):
        return as_text(column, kind)
    value = pl.col(column)
    zoned = value.dt.convert_time_zone("UTC") if kind.time_zone else value.dt.replace_time_zone("UTC")
    return zoned.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00")
