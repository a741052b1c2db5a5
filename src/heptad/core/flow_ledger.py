"""Writes the results of a run in groups beside it: a step does not wait until its result is durable.

A result that was not written when the process was killed is computed again; when the run returns, all are written.
"""

import queue
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec

from heptad.core.errors import ConflictError, InputError, UnavailableError
from heptad.core.flow_cache import TaskResult, result_id, scope_of
from heptad.core.flow_claims import LEASE, Claims
from heptad.core.flow_values import Value
from heptad.core.query import Compare, Query
from heptad.core.records import Change, Id, Link, RawRecord, Record
from heptad.core.workspace import Workspace

GROUP = 200
"""Most results in one transaction."""
GATHER = 0.03
"""Seconds to wait for further results before a group is written: quick steps come together."""


class Entry(NamedTuple):
    """A result to be written, and the claim that ends with it."""

    result: TaskResult
    value: Value
    claim: str


class Ledger:
    """One thread that writes results in the order they came, and keeps the claims of the run alive meanwhile."""

    def __init__(self, workspace: Workspace, claims: Claims, actor: str) -> None:
        self._workspace = workspace
        self._claims = claims
        self._actor = actor
        self._queue: queue.SimpleQueue[Entry | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._error: Exception | None = None

    def start(self) -> None:
        """Begin to keep the claims alive; called when the first is taken."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="heptad-flow-ledger", daemon=True)
            self._thread.start()

    def add(self, entry: Entry) -> None:
        """Write a result soon; raises what went wrong with an earlier one."""
        self.start()
        if self._error is not None:
            raise self._error
        self._queue.put(entry)

    def close(self) -> None:
        """Wait until everything is written and give up what is still claimed; raises what went wrong."""
        if self._thread is not None:
            self._queue.put(None)
            self._closing.set()
            self._thread.join()
        try:
            self._claims.release_all()
        finally:
            if self._error is not None:
                raise self._error

    def _work(self) -> None:
        pause = LEASE.total_seconds() / 3
        is_open, renewed = True, time.monotonic()
        try:
            while is_open:
                entries = self._gathered(renewed + pause - time.monotonic())
                is_open = None not in entries
                results = [one for one in entries if one is not None]
                if results:
                    self._write(results)
                if is_open and time.monotonic() >= renewed + pause:
                    with suppress(UnavailableError):  # a claim outlives two of these
                        self._claims.renew()
                    renewed = time.monotonic()
        except Exception as error:  # noqa: BLE001 - handed to the thread that waits for it
            self._error = error

    def _gathered(self, seconds: float) -> list[Entry | None]:
        """What has come when the first result has waited for others; nothing where none comes for so many seconds."""
        try:
            entries = [self._queue.get(timeout=max(seconds, 0.0))]
        except queue.Empty:
            return []
        self._closing.wait(GATHER)
        while not self._queue.empty() and len(entries) < GROUP:
            entries.append(self._queue.get())
        return entries

    def _write(self, entries: Sequence[Entry]) -> None:
        blobs = {digest: data for entry in entries for digest, data in entry.value.blobs.items()}
        for data in blobs.values():
            self._workspace.blobs.put(data)
        records = {record.id: record for record in map(self._record, entries)}
        links = [
            Link(result_id(entry.result), f"input:{parameter}", source)
            for entry in entries
            for parameter, source in entry.result.sources.items()
        ]
        names = [entry.claim for entry in entries]
        change = Change(
            records=list(records.values()),
            links=links,
            aliases=self._claims.releases(names),
            at=self._workspace.clock.now(),
            actor=self._actor,
        )
        self._apply(change)
        self._claims.forget(names)
        for entry in entries:
            entry.value.is_stored = True

    def _apply(self, change: Change) -> None:
        try:
            self._workspace.store.write(change)
        except ConflictError:
            # A claim expired and somebody else has it: the result is as good, only there is nothing to release.
            self._apply(msgspec.structs.replace(change, aliases=()))
        except InputError:
            known = self._known(change.records)
            if not known:
                raise
            # Somebody computed the same meanwhile and wrote it first.
            self._apply(
                msgspec.structs.replace(
                    change,
                    records=[record for record in change.records if record.id not in known],
                    links=[link for link in change.links if link.source not in known],
                )
            )

    def _known(self, records: Sequence[RawRecord]) -> set[Id]:
        """Which of these are in the store."""
        ids = [record.id for record in records]
        query = Query(kind=TaskResult.kind, where=Compare("@id", "in", ids), attributes=())
        return {record.id for record in self._workspace.store.find(query, limit=len(ids) or 1).items}

    def _record(self, entry: Entry) -> RawRecord:
        result = entry.result
        return Record(
            id=result_id(result),
            kind=TaskResult.kind,
            scope=scope_of(result.flow),
            at=self._workspace.clock.now(),
            actor=self._actor,
            body=msgspec.to_builtins(result, str_keys=True),
            attributes={"task": result.task, "key": result.key},
        )
