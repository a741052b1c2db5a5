"""Rows that are pushed, from a stream or a service, become features at once, by the expressions of the batch side."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
import polars as pl

from heptad.core.clock import Clock
from heptad.core.errors import DataError, RefusedError
from heptad.core.leases import Lease
from heptad.data.columns.column_types import STORED
from heptad.data.features.functions import KNOWN
from heptad.data.features.materialising import (
    Progress,
    entity_keys,
    last_of_each,
    newest_computed,
    packed_rows,
    progress_mark,
)
from heptad.data.features.online import OnlineStore
from heptad.data.features.packing import entity_key, namespace, tail_space
from heptad.data.features.records import FeatureView
from heptad.data.features.tails import packed_tails, tail_rows, unpacked_tails
from heptad.data.features.views import View

Rows: TypeAlias = pl.DataFrame | Sequence[Mapping[str, Any]]


class PushedRows(msgspec.Struct, frozen=True, kw_only=True):
    """What one push came to."""

    entities: int = 0
    """Entities whose features were computed again."""
    kept_back: int = 0
    """Rows that are not known yet, by `known`, `lag` and the clock, and were not stored."""


class FeatureWriter:
    """Takes batches of a view's source rows into the online store; the only writer of its view while it is open.

    Each push is one commit, with the position that the caller gives: after an accident he asks for `position` and goes
    on behind it, and each row has counted once. Rows of an entity may come in any order of events. A row that is not
    known yet is kept back, since training would not see it: `materialise` finds it in the source once it is known.
    """

    def __init__(
        self,
        store: OnlineStore,
        view: View,
        body: FeatureView,
        lease: Lease | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`lease` is renewed by each push. `clock`: `None` where the caller pushes only what is known by now.

        Raises `RefusedError` for a view without `stream`.
        """
        if not view.settings.stream:
            raise RefusedError(
                f"Rows cannot be pushed to [features.{view.name}].",
                remedy="set stream = true, apply and materialise; rows that windows reach back to are kept then",
            )
        self._store, self._view, self._body, self._lease, self._clock = store, view, body, lease, clock
        self._mark = namespace(body.name, body.behaviour) + b"position"
        kinds = {one.name: STORED[one.type] for one in (*body.entities, *body.inputs)}
        self._kinds = pl.Schema(kinds)
        self._schema = view.prepared(pl.LazyFrame(schema=self._kinds)).collect_schema()

    @property
    def position(self) -> bytes:
        """What was given with the last push; empty before the first."""
        return self._store.mark(self._mark)

    def push(
        self, rows: Rows, position: bytes = b"", until: int | None = None, lease: Lease | None = None
    ) -> PushedRows:
        """Bring in the rows that are known; the position speaks of those that are kept back too.

        Rows are those of the source, as it is collected: a frame, or a mapping a row. `until`: with them the store has
        all that was known by then, in microseconds since 1970. Raises `DataError` for rows of another shape; then
        nothing of the push is stored. Raises `ConflictError` where the lease, its own or this one, was lost.
        """
        prepared = self._prepared(rows)
        given = prepared if self._clock is None else prepared.filter(pl.col(KNOWN) <= self._clock.now())
        for one in filter(None, (self._lease, lease)):
            one.renew()
        pairs = []
        count = 0
        if len(given):
            touched = given.select(self._view.keys).unique(maintain_order=True)
            computed, tails = self._computed(given, touched)
            pairs = list(packed_rows(self._view, entity_keys(self._view, self._body, computed), computed))
            pairs += tails
            count = len(computed)
        marks = {self._mark: position} if position else {}
        self._store.put(pairs, marks if until is None else marks | progress_mark(self._body, Progress(until=until)))
        return PushedRows(entities=count, kept_back=len(prepared) - len(given))

    def forget_position(self) -> None:
        """As if nothing had ever been pushed; the rows stay."""
        self._store.put([], {self._mark: b""})

    def _computed(self, given: pl.DataFrame, touched: pl.DataFrame) -> tuple[pl.DataFrame, list[tuple[bytes, bytes]]]:
        view = self._view
        if not view.looks_back:
            newest = last_of_each(view, given.sort(view.times, maintain_order=True))
            return view.computed(newest), []
        keys = touched.rows() if view.keys else [()]
        space = tail_space(self._body.name, self._body.behaviour)
        kept = self._store.get([entity_key(space, key) for key in keys])
        history = pl.concat([unpacked_tails(view, self._schema, keys, kept), given])
        tails = tail_rows(view, history)
        return newest_computed(view, history), list(packed_tails(view, self._body, tails))

    def _prepared(self, rows: Rows) -> pl.DataFrame:
        view = self._view
        frame = rows if isinstance(rows, pl.DataFrame) else self._framed(rows)
        missing = [name for name in self._kinds if name not in frame.columns]
        if missing:
            raise DataError(
                f"The rows pushed to [features.{view.name}] have no column {', '.join(map(repr, missing))}.",
                allowed=f"the columns {', '.join(self._kinds)}",
            )
        try:
            typed = frame.select(pl.col(name).cast(kind) for name, kind in self._kinds.items())
        except pl.exceptions.PolarsError as error:
            raise self._other_shape(error) from error
        prepared = view.prepared(typed.lazy()).collect()
        lost = len(frame) - len(prepared)
        if lost:
            raise DataError(
                f"{lost:,} of {len(frame):,} rows pushed to [features.{view.name}] have no key or no time.",
                allowed=f"values in {', '.join(filter(None, [*view.settings.on, view.time, view.settings.known]))}",
            )
        return prepared

    def _framed(self, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
        try:
            return pl.DataFrame([{name: row.get(name) for name in self._kinds} for row in rows], schema=self._kinds)
        except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
            raise self._other_shape(error) from error

    def _other_shape(self, error: Exception) -> DataError:
        wanted = ", ".join(f"{one.name} {one.type}" for one in (*self._body.entities, *self._body.inputs))
        return DataError(
            f"The rows pushed to [features.{self._view.name}] have another shape: {error}.", allowed=wanted
        )
