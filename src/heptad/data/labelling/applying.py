"""Labels rows that have none by what labelling functions say, and tells how each of them did."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
import polars as pl

from heptad.core.errors import DataError, nearest
from heptad.data.columns.lookups import look_up
from heptad.data.columns.schema import CLASSES, PROBABILITY
from heptad.data.labelling.functions import SETTING, Voters
from heptad.data.labelling.label_model import ABSTAINS, UNKNOWN, Ints, fit_label_model
from heptad.data.labelling.records import LabellingFunction
from heptad.data.records import Repair

RULE = "labelled_by_functions"
_SHOWN = 30
"""Letters of a class that an error shows."""
_NAMED = 3
"""Functions that an error names."""
_NOBODY, _LATER = "\0", "\2"
"""What stands for a vote or a label that is missing, and for one that is not known yet; no class is called so."""


class Labelled(NamedTuple):
    """Rows with labels filled in and the column `PROBABILITY`, how each function did, and what is accounted for."""

    rows: pl.LazyFrame
    functions: list[LabellingFunction]
    repairs: list[Repair]


class Known(NamedTuple):
    """When labels are known: the column that says it, that of the row's own time, and the moment that counts."""

    label_time: str = ""
    time: str = ""
    until: datetime | None = None


def label_rows(
    rows: pl.LazyFrame,
    voters: Voters,
    target: str,
    least: float,
    known: Known | None = None,
    allowed: Sequence[str] = (),
) -> Labelled:
    """Rows without a label get the likeliest one, where its probability is `least` or more.

    Given labels stay, and hold the label model to what classes mean, as far as they were known. A row on which no
    function votes stays without a label; what a function says is known at the row's own time. `allowed` are classes
    that the settings name. Raises `DataError` where nothing votes, for one class only, and for a class that neither a
    label nor `allowed` has.
    """
    known = known or Known()
    votes = [vote.fill_null(_NOBODY) for vote in voters.votes(rows)]
    told_by = pl.col(target).cast(pl.String)
    if known.label_time and known.until is not None:
        # A label that will be known later is there already; it has no say now, and nothing stands in for it.
        later = (pl.col(known.label_time) > known.until).fill_null(value=True) & told_by.is_not_null()
        told_by = pl.when(later).then(pl.lit(_LATER)).otherwise(told_by)
    given = told_by.fill_null(_NOBODY)
    columns = [one.alias(f"{place}") for place, one in enumerate([*votes, given])]
    try:
        patterns = rows.select(columns).group_by(pl.all()).len("rows").sort(pl.all()).collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        raise DataError(
            f"The labelling functions cannot be run: {str(error).splitlines()[0]}.", remedy=f"mend those of {SETTING}"
        ) from error
    _refuse_unheard(patterns, voters.names, rows.select(pl.col(target).cast(pl.String)), allowed)
    classes = _classes(patterns.drop("rows"))
    said = _numbered(patterns.drop("rows"), classes)
    counts = patterns["rows"].to_numpy().astype(np.int64)
    told, labels = said[:, :-1], said[:, -1]
    shares = fit_label_model(told, labels, counts, len(classes)).posteriors(told)
    likely = shares.argmax(axis=1)
    sure = shares[np.arange(len(shares)), likely]
    pending = (patterns.to_series(len(votes)) == _LATER).to_numpy()
    filled = (labels == UNKNOWN) & ~pending & (told != ABSTAINS).any(axis=1) & (sure >= least)
    places = (
        patterns.select(_place(pl.col(name) for name in patterns.columns[:-1])).to_series().filter(pl.Series(filled))
    )
    place = _place([*votes, given])
    told_label = dict(zip(places.to_list(), (classes[one] for one in likely[filled]), strict=True))
    label = look_up(place, told_label, pl.String())
    probability = look_up(place, dict(zip(told_label, sure[filled].tolist(), strict=True)), pl.Float64())
    made = {target: pl.coalesce(pl.col(target).cast(pl.String), label), PROBABILITY: probability}
    if known.label_time and known.label_time != known.time:
        own = pl.when(label.is_not_null()).then(pl.coalesce(known.label_time, known.time))
        made[known.label_time] = own.otherwise(known.label_time)
    return Labelled(
        rows.with_columns(value.alias(name) for name, value in made.items()),
        _told(voters.names, told, labels, shares, counts),
        [Repair(rule=RULE, column=target, cells=int(counts[filled].sum()))],
    )


def _place(parts: Iterable[pl.Expr]) -> pl.Expr:
    """All votes and the label of a row as one text."""
    return pl.concat_str(list(parts), separator="\1").alias("place")


def _refuse_unheard(patterns: pl.DataFrame, names: Sequence[str], labels: pl.LazyFrame, allowed: Sequence[str]) -> None:
    """Raise `DataError` for votes that are no class: `Spam` where labels are `spam` would be one of its own.

    Labels tell the classes where they have two, those that are known later as well: this decides no label. Without
    such labels and without `allowed`, what functions say is all there is.
    """
    said = [(name, set(patterns.to_series(place)) - {_NOBODY}) for place, name in enumerate(names)]
    known = {*allowed, *patterns.to_series(len(names))} - {_NOBODY, _LATER}
    if all(votes <= known for _, votes in said):
        return
    target = labels.collect_schema().names()[0]
    known |= set(labels.unique().drop_nulls().collect(engine="streaming").to_series())
    wrong = [(name, vote) for name, votes in said for vote in sorted(votes - known)]
    if wrong and (allowed or len(known) > 1):
        told = ", ".join(f"{name} says {vote[:_SHOWN]!r}" for name, vote in wrong[:_NAMED])
        raise DataError(
            f"Labelling functions say what is no class of {target}: {told}.",
            allowed=nearest(wrong[0][1], sorted(known)),
            remedy=f"mend them; a class that no label has is named, with all others, in [expect.columns] {target} = "
            "{ allowed = [...] }",
        )


def _classes(said: pl.DataFrame) -> list[str]:
    found = {one for name in said.columns for one in said[name].unique().to_list()} - {_NOBODY, _LATER}
    if not 2 <= len(found) <= CLASSES:
        named = ", ".join(one if len(one) <= _SHOWN else f"{one[:_SHOWN]}..." for one in sorted(found)[:5]) or "none"
        raise DataError(
            f"The labelling functions and the labels that are there name {len(found)} classes ({named}).",
            allowed=f"2 to {CLASSES} classes",
            remedy="a function answers a class, or null where it does not know; each class needs one that says it",
        )
    return sorted(found)


def _numbered(said: pl.DataFrame, classes: Sequence[str]) -> Ints:
    numbers = {name: number for number, name in enumerate(classes)} | {_NOBODY: ABSTAINS, _LATER: UNKNOWN}
    columns = [said[name].replace_strict(numbers, return_dtype=pl.Int64).to_numpy() for name in said.columns]
    return np.stack(columns, axis=1)


def _told(names: Sequence[str], told: Ints, labels: Ints, shares: np.ndarray, counts: Ints) -> list[LabellingFunction]:
    every = max(1, int(counts.sum()))
    found = []
    for voter, name in enumerate(names):
        own, others = told[:, voter], np.delete(told, voter, axis=1)
        votes = own != ABSTAINS
        beside = votes & (others != ABSTAINS).any(axis=1)
        against = votes & ((others != ABSTAINS) & (others != own[:, None])).any(axis=1)
        spoken = int(counts[votes].sum())
        right = shares[np.arange(len(own)), np.maximum(own, 0)]
        known = votes & (labels != UNKNOWN)
        measured = int(counts[known].sum())
        hits = int(counts[known & (own == labels)].sum())
        found.append(
            LabellingFunction(
                name=name,
                coverage=spoken / every,
                overlaps=int(counts[beside].sum()) / every,
                conflicts=int(counts[against].sum()) / every,
                accuracy=float((right * counts)[votes].sum() / spoken) if spoken else None,
                measured=hits / measured if measured else None,
                measured_rows=measured,
            )
        )
    return found
