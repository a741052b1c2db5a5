"""The rows of an entity that its next features will still look back to, kept beside them for rows that are pushed."""

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from heptad.data.features.functions import EVENT, KNOWN
from heptad.data.features.online import Pair
from heptad.data.features.packing import entity_key, pack, tail_space, values_of
from heptad.data.features.records import FeatureView
from heptad.data.features.views import View

_LATEST, _KNOWN_LAST = "\0latest", "\0known last"


def tail_rows(view: View, rows: pl.DataFrame) -> pl.DataFrame:
    """Of prepared rows those that matter to a later one, or to the newest, which late ones compute again."""
    anchor = pl.col(EVENT).tail(1 + view.reach.rows).first()
    ordered = rows.sort(view.times, maintain_order=True)
    return ordered.filter(pl.col(EVENT) >= (anchor.over(view.keys) if view.keys else anchor) - view.reach.window)


def packed_tails(view: View, body: FeatureView, rows: pl.DataFrame) -> Iterator[Pair]:
    """A value for each entity with all its rows; as new as the newest event and knowledge among them."""
    space, count = tail_space(body.name, body.behaviour), len(view.keys)
    names = [name for name in rows.columns if name not in view.keys]
    packed = rows.with_columns(pl.col(view.times).to_physical())
    newest = pl.col(EVENT).max().alias(_LATEST), pl.col(KNOWN).max().alias(_KNOWN_LAST)
    if view.keys:
        entities = packed.group_by(view.keys, maintain_order=True).agg(*newest, *names)
    else:
        entities = packed.select(*newest, pl.col(names).implode())
    for values in entities.iter_rows():
        event, known, *columns = values[count:]
        yield entity_key(space, values[:count]), pack(event, known, list(zip(*columns, strict=True)))  # type: ignore[arg-type]


def unpacked_tails(
    view: View, schema: pl.Schema, keys: Sequence[Sequence[Any]], values: Sequence[bytes | None]
) -> pl.DataFrame:
    """The rows that the tails of these entities hold, prepared."""
    rows = [
        [*key, *row] for key, value in zip(keys, values, strict=True) if value is not None for row in values_of(value)
    ]
    order = [*view.keys, *(name for name in schema if name not in view.keys)]
    physical = {name: pl.Int64() if name in view.times else schema[name] for name in order}
    frame = pl.DataFrame(rows, schema=physical, orient="row")
    return frame.with_columns(pl.col(view.times).cast(pl.Datetime("us", "UTC"))).select(list(schema))
