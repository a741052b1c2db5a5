"""Plays a recorded span of time through the running loop: real requests, a real server, an injected clock."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec
import polars as pl

from heptad.core import graph
from heptad.core.clock import FileClock
from heptad.core.records import Record
from heptad.core.settings import duration
from heptad.core.workspace import Workspace
from heptad.data import Data, DatasetVersion, row_ids
from heptad.lifecycle.costs import Costs
from heptad.lifecycle.happenings import Happening
from heptad.lifecycle.line import Batch, Line
from heptad.lifecycle.loop import Loop
from heptad.lifecycle.records import Rehearsal
from heptad.serving import Serving

ROWS_OF_A_BATCH = 500


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """What is played: `[start, end)`, and how many of all requests carry one row alone."""

    start: datetime
    end: datetime
    singles: int = 0


class Player:
    """Sends what the sources hold to a server in order of time, and turns the loop between.

    A step ends at a moment of the grid `start + n * every`: the rows before it are sent, the labels that became known
    before it arrive, the clock is moved there, the loop turns. How far it came is an attribute of the rehearsal, so a
    player that was killed goes on with the step it was in; rows that are sent again get the answers that they had.
    """

    def __init__(
        self, workspace: Workspace, clock: FileClock, data: Data, serving: Serving, loop: Loop, costs: Costs
    ) -> None:
        self._workspace = workspace
        self._clock = clock
        self._data = data
        self._serving = serving
        self._loop = loop
        self._costs = costs

    def play(self, rehearsal: Record[Rehearsal], line: Line, singles: int = 0) -> None:
        """Play what has not been played; of all requests, about `singles` carry one row alone."""
        body = rehearsal.body
        steps = steps_of(body.start, body.end, duration(body.every))
        done = str(rehearsal.attributes.get("sent_until") or body.start.isoformat())
        dataset = self._data.latest()
        for start, end in steps:
            if dataset and end > datetime.fromisoformat(done):
                self._step(rehearsal, dataset, line, start, end, singles // len(steps))

    def _step(
        self,
        rehearsal: Record[Rehearsal],
        dataset: Record[DatasetVersion],
        line: Line,
        start: datetime,
        end: datetime,
        singles: int,
    ) -> None:
        rows = self._data.history(start, end)
        for batch in batches(rows, dataset, singles):
            self._clock.advance_to(batch.at)
            line.ask(batch)
        self._costs(Happening(step="serving", sentence=f"{rows.height:,} rows answered until {end:%d %b}"))
        self._clock.advance_to(end)
        self._deliver_labels(rehearsal.body.start, start, end, dataset)
        self._loop.turn(self._costs)
        self._settle()
        observed = line.observed() | {f"seconds.{step}": spent for step, spent in self._costs.seconds().items()}
        failed = line.failed + int(rehearsal.attributes.get("failed_requests") or 0)  # those before it was cut off too
        graph.set_attributes(
            self._workspace,
            rehearsal.id,
            {"sent_until": end.isoformat(), "failed_requests": failed, **observed},
            "lifecycle.rehearsal_advanced",
        )

    def _deliver_labels(self, first: datetime, start: datetime, end: datetime, dataset: Record[DatasetVersion]) -> None:
        """The labels that became known in `[start, end)`, also of rows asked in an earlier step."""
        schema = dataset.body.schema
        (time,), (known,) = schema.named("time"), schema.named("label_time")
        asked = self._data.history(first, end)
        landed = asked.filter(pl.col(known).is_between(start, end, closed="left"), pl.col(schema.target).is_not_null())
        self._serving.add_labels(
            pl.DataFrame(
                {
                    "id": row_ids(landed, schema),
                    "value": landed[schema.target].cast(pl.String),
                    "at": landed[time],
                    "known_at": landed[known],
                }
            )
        )

    def _settle(self) -> None:
        """Wait until the server answers by the newest routes, so that what answers a row does not depend on speed."""
        deployment = self._serving.current()
        if deployment is not None:
            self._serving.wait_live(deployment.body.generation)


def steps_of(start: datetime, end: datetime, every: timedelta) -> list[tuple[datetime, datetime]]:
    """The grid `start + n * every` up to `end`; the last step may be shorter."""
    moments = [start]
    while moments[-1] < end:
        moments.append(min(moments[-1] + every, end))
    return list(pairwise(moments))


def batches(rows: pl.DataFrame, dataset: Record[DatasetVersion], singles: int) -> Iterator[Batch]:
    """The rows in their order, cut into batches, with `singles` of them, evenly spread, alone."""
    schema = dataset.body.schema
    (time,) = schema.named("time")
    inputs = rows.select(column.name for column in schema.features())
    ids = row_ids(rows, schema)
    alone = {position * rows.height // singles for position in range(singles)} if singles else set()
    cuts = {*range(0, rows.height, ROWS_OF_A_BATCH), *alone, *(position + 1 for position in alone), rows.height}
    edges = sorted(cuts)
    for first, last in pairwise(edges):
        yield Batch(
            at=rows[time][first],
            ids=ids[first:last].to_list(),
            rows=inputs[first:last].to_dicts(),
        )
