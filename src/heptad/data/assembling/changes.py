"""Sources whose columns have changed since the version before: what is done about each change, and how it is told."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec
import polars as pl

from heptad.core.errors import DataError
from heptad.data.assembling.inputs import Input
from heptad.data.columns.column_types import STORED, Dates, conform, type_word
from heptad.data.columns.dialogues import Asking, Dialogue, converse
from heptad.data.columns.schema import infer_type
from heptad.data.profiles.profile import Profile
from heptad.data.records import Column, Finding, Schema
from heptad.data.settings import ColumnType
from heptad.data.sources.settings import OfChange, OnChange

_TYPES: Mapping[str, ColumnType] = {"text": "text", **{type_word(kind): name for name, kind in STORED.items()}}
"""The column type for each word that a source's column is recorded with."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One column of a source that is not as it was, and what is done about it."""

    source: str
    column: str
    what: Literal["added", "dropped", "retyped"]
    before: str
    after: str
    done: OfChange

    @property
    def words(self) -> str:
        """What happened, without what was done about it."""
        if self.what == "added":
            return f"{self.column}: new, {self.after}"
        return f"{self.column}: was {self.before}, {'is gone' if self.what == 'dropped' else f'is {self.after} now'}"


def find_changes(
    source: str, before: Mapping[str, str], after: Mapping[str, str], policy: OnChange | OfChange
) -> list[Change]:
    """What differs between two sets of columns (name to type), in the order of the columns.

    >>> [one.words for one in find_changes("s", {"a": "text"}, {"b": "number"}, "accept")]
    ['a: was text, is gone', 'b: new, number']
    """
    by_kind = policy if isinstance(policy, OnChange) else OnChange(added=policy, dropped=policy, retyped=policy)

    def change(column: str, what: Literal["added", "dropped", "retyped"]) -> Change:
        return Change(
            source=source,
            column=column,
            what=what,
            before=before.get(column, ""),
            after=after.get(column, ""),
            done=by_kind.columns.get(column, getattr(by_kind, what)),
        )

    return [
        *(change(column, "dropped") for column in before if column not in after),
        *(change(column, "retyped") for column in before if column in after and before[column] != after[column]),
        *(change(column, "added") for column in after if column not in before),
    ]


def settle_changes(
    inputs: Mapping[str, Input],
    known: Mapping[str, Mapping[str, str]],
    policies: Mapping[str, OnChange | OfChange],
    style: Dates,
) -> tuple[dict[str, Input], list[Change]]:
    """The sources as their policies want them, and all changes. `known`: the columns at the version before.

    Raises `DataError` with every change that is refused, or that cannot be coerced without losing a value.
    """
    found = [
        change
        for name, one in inputs.items()
        if name in known
        for change in find_changes(name, known[name], one.read.columns, policies[name])
    ]
    refused = [f"{one.words}" for one in found if one.done == "refuse"]
    settled = dict(inputs)
    for name in dict.fromkeys(one.source for one in found):
        own = [one for one in found if one.source == name and one.done == "coerce"]
        rows, problems = _coerced(inputs[name].rows, own, style)
        refused += problems
        names = [*known[name], *(column for column in rows.collect_schema() if column not in known[name])]
        rows = rows.select(column for column in names if column in rows.collect_schema())
        columns = {column: type_word(kind) for column, kind in rows.collect_schema().items()}
        read = msgspec.structs.replace(inputs[name].read, columns=columns)
        settled[name] = msgspec.structs.replace(inputs[name], rows=rows, read=read)
    if refused:
        raise _refusal(found, refused)
    return settled, found


def _refusal(found: Sequence[Change], refused: Sequence[str]) -> DataError:
    sources = list(dict.fromkeys(one.source for one in found))
    column = refused[0].partition(": ")[0]
    name = column if column.isidentifier() else msgspec.json.encode(column).decode()
    listed = "".join(f"\n  {one}" for one in refused)
    return DataError(
        f"The columns of {' and '.join(sources)} are not those of the version before:{listed}",
        allowed="the columns of the version before, or what [sources.NAME.on_change] accepts or coerces",
        remedy=f"mend the source; or take the change: [sources.{sources[0]}.on_change] "
        f'columns.{name} = "accept"; nothing was written',
    )


def _coerced(rows: pl.LazyFrame, changes: Sequence[Change], style: Dates) -> tuple[pl.LazyFrame, list[str]]:
    """The rows with the columns that they had, and what keeps them from it."""
    problems = []
    for one in changes:
        if one.what == "added":
            rows = rows.drop(one.column)
        elif one.what == "dropped":
            rows = rows.with_columns(pl.lit(None, STORED[_TYPES[one.before]]).alias(one.column))
        else:
            (lost,) = converse(rows, [_lost(one, rows.collect_schema()[one.column])])
            try:
                rows, repairs = conform(rows, {one.column: _TYPES[one.before]}, style)
                unread = (f"{repair.examples[0]!r}" for repair in repairs if repair.rule.startswith("not_"))
                lost = lost or next(unread, "")
            except DataError as error:
                lost = error.problem
            if lost:
                problems.append(f"{one.words}, and cannot be read as {one.before}: {lost}")
    return rows, problems


def _lost(change: Change, kind: pl.DataType) -> Dialogue[str]:
    """A number with a fraction that a whole number would lose; empty where there is none."""
    if change.before != "integer" or not kind.is_float():
        return ""
    value = pl.col(change.column)
    told = yield Asking(samples={"lost": value.filter(value != value.round()).head(1)})
    return next((f"{one!r}" for one in told.samples["lost"]), "")


def accepted(reference: Schema, changes: Sequence[Change], rows: pl.LazyFrame) -> Schema:
    """The schema that binds the rows of a table, without what was accepted to be otherwise in its sources."""
    types, names = rows.collect_schema(), {one.column for one in changes if one.done == "accept"}
    columns = [one for one in reference.columns if one.name in types or one.name not in names]
    retyped = [one for one in columns if one.name in names and types[one.name] != STORED[one.type]]
    found = converse(rows, [infer_type(one.name, types[one.name]) for one in retyped])
    now = dict(zip((one.name for one in retyped), found, strict=True))
    return msgspec.structs.replace(reference, columns=[_retyped(one, now.get(one.name, one.type)) for one in columns])


def _retyped(column: Column, kind: ColumnType) -> Column:
    if kind == column.type:
        return column
    return msgspec.structs.replace(column, type=kind, closed=False, categories=None, min=None, max=None)


def without_retyped(profile: Profile, columns: Sequence[Column]) -> Profile:
    """The profile of the columns that are still of their type: bins of numbers say nothing about texts."""
    types = {one.name: one.type for one in columns}
    kept = [one for one in profile.columns if types.get(one.name, one.type) == one.type]
    return msgspec.structs.replace(profile, columns=kept)


def changed_findings(changes: Sequence[Change]) -> Iterator[Finding]:
    """What happened to the sources, as findings of a version."""
    done = {
        ("added", "accept"): "kept",
        ("added", "coerce"): "left out",
        ("dropped", "accept"): "accepted",
        ("dropped", "coerce"): "all its values are missing",
        ("retyped", "accept"): "accepted",
        ("retyped", "coerce"): "read as before",
    }
    for one in changes:
        yield Finding(
            expectation="on_change",
            column=one.column,
            severity="warning",
            passed=False,
            observed=one.after or "gone",
            expected=one.before or "no such column",
            sentence=f"{one.source}.{one.words}; {done[one.what, one.done]}",
        )
