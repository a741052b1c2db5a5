"""The front door of features: views declared and applied, training sets, the online store, and whether both agree."""

import time
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal, Protocol

import msgspec
import polars as pl

from heptad.core.errors import ConflictError, NotFoundError, RefusedError, SettingsError, nearest
from heptad.core.graph import every_record
from heptad.core.leases import Lease, held
from heptad.core.records import Record
from heptad.core.workspace import Workspace
from heptad.data.columns.column_types import STORED
from heptad.data.features.compacting import OnlineFiles
from heptad.data.features.definitions import check_behaviour, define, settings_of
from heptad.data.features.erasing import OnlineEntities
from heptad.data.features.joins import Values, join_features
from heptad.data.features.leakage import TrainingSet, backfilled, leakage_report
from heptad.data.features.materialising import Materialised, materialise, progress_of, withdraw_early
from heptad.data.features.online import OnlineStore, left_online, open_online
from heptad.data.features.packing import moment_of
from heptad.data.features.parity import Comparison, Parity
from heptad.data.features.publishing import publish
from heptad.data.features.pushing import FeatureWriter
from heptad.data.features.reading import FeatureReader, open_reader
from heptad.data.features.records import FeatureView
from heptad.data.features.registry import Plan, Registry
from heptad.data.features.settings import FeatureSettings, OnlineSettings
from heptad.data.features.streaming import LandedPortions, StreamedView, StreamedViews, as_materialised
from heptad.data.features.views import View
from heptad.data.records import Finding
from heptad.data.sources.settings import SourceSettings

LEASE, SHORT_LEASE = timedelta(seconds=60), timedelta(seconds=10)
"""The short one is that of a process which brings what lands: another one has to follow soon where it is killed."""
PATIENCE = 30.0
"""Seconds that are waited for a process which brings what lands, a commit at a time."""

ViewState = Literal["in force", "changed", "not applied", "no longer declared"]


class SourceRows(Protocol):
    """Where the rows of sources come from: typed, their times in UTC, repaired as in the table."""

    def source_rows(self, name: str) -> pl.LazyFrame: ...

    def source_digest(self, name: str) -> str: ...

    def landed_rows(self, name: str) -> LandedPortions | None:
        """What a stream has landed, commit by commit; `None` for other sources."""
        ...


class ViewStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a view stands, in the settings, the registry and the online store."""

    name: str
    state: ViewState
    version: int | None = None
    """Of the definition in force."""
    entities: list[str]
    features: list[str]
    owner: str = ""
    description: str = ""
    until: datetime | None = None
    """What was known by then is in the online store; `None`: the definition in force was never materialised."""
    behind: float | None = None
    """Seconds from then to now, by the clock of the workspace."""


class Features:
    """The feature views of one project."""

    def __init__(
        self,
        workspace: Workspace,
        project: str,
        declared: Mapping[str, FeatureSettings],
        sources: Mapping[str, SourceSettings],
        online: OnlineSettings,
        rows: SourceRows,
    ) -> None:
        self._workspace = workspace
        self._project = project
        self._declared = dict(declared)
        self._sources = sources
        self._online = online
        self._rows = rows
        self.registry = Registry(workspace, project)
        self.files = OnlineFiles(lambda: [store for store, _ in self._stores()])
        self.entities = OnlineEntities(self._stores)

    @cached_property
    def _store(self) -> OnlineStore:
        """The online store, opened when it is first needed."""
        return open_online(self._online, self._workspace.folder, self._project)

    def declare(self, **views: FeatureSettings) -> None:
        """Views beside those of `[features]`, for this process; one of a name that is there replaces it."""
        self._declared |= views

    def plan(self) -> Plan:
        """What applying would change; nothing is read but the types of the sources."""
        return self.registry.plan({name: self._defined(name) for name in self._declared})

    def apply(self, plan: Plan | None = None, reason: str = "") -> list[Record[FeatureView]]:
        """Put the declared views, and no others, into force: all of them or none; answers those in force.

        Raises `RefusedError` where one that is in use would go and no reason is given, `ConflictError` where somebody
        changed the registry since the plan was made.
        """
        in_force = self.registry.apply(plan or self.plan(), reason)
        publish(self._workspace.folder, self._project, self._online, in_force)
        return in_force

    def status(self) -> list[ViewStatus]:
        """Every view that is declared or in force."""
        in_force = self.registry.in_force()
        states: dict[str, ViewState] = {}
        for change in self.plan().changes:
            states[change.name] = _STATES[change.action]
        return [self._status(name, state, in_force.get(name)) for name, state in states.items()]

    def training_set(
        self, entities: pl.LazyFrame | pl.DataFrame, *, time: str = "", views: Sequence[str] = (), memory: int = 0
    ) -> pl.LazyFrame:
        """The rows with the features of views (default: all declared), as they were known at each row's `time`.

        `memory`: bytes of rows and values that are held at once, 0: as many as this machine gives one operation; what
        does not fit is parted on disk, so that the result may be larger than memory: `sink_parquet` it.
        """
        values = [self._values(name) for name in views or self._declared]
        return join_features(entities.lazy(), values, time=time, root=self._workspace.root, memory=memory)

    def leaks(self, training: TrainingSet, views: Sequence[str] = ()) -> list[Finding]:
        """What the rows of a training set tell that a model will not know, and what back-fills of views would tell."""
        found = leakage_report(training, self._workspace.clock.now())
        for name in views or self._declared:
            values = self._values(name)
            if training.time and (values.settings.known or values.settings.lag != "0s"):
                found.append(backfilled(training, values, self._workspace.root))
        return found

    def materialise(
        self, names: Collection[str] = (), until: datetime | None = None, *, afresh: bool = False
    ) -> list[Materialised]:
        """Bring what became known by `until` (default: now) of views in force into the online store.

        Killed and done again it goes on. `afresh` looks at everything again, also at rows that were added to the past.
        Of a view with `stream = true` whose source is a stream, what has landed is brought in by the commits it landed
        with, so rows may come as late as they like. What was pushed before it was known goes, and the view is then
        made afresh. Raises `ConflictError` where another process writes the view now.
        """
        done = []
        in_force = self.registry.in_force()
        # Whoever applied them may have died before he could tell the servers.
        publish(self._workspace.folder, self._project, self._online, list(in_force.values()))
        for name in names or in_force:
            record, view = self._compiled(name)
            digest = self._rows.source_digest(view.settings.source)
            streamed = self._streamed(record, view)
            source = None if streamed else self._source(record, view)
            with self._writing(name, "materialise", patient=streamed is not None) as lease:
                moment = until or self._workspace.clock.now()
                if streamed is not None:
                    before = streamed.position
                    done.append(as_materialised(streamed.bring(moment, lease, afresh=afresh), before, moment))
                elif source is not None:
                    now = self._workspace.clock.now()
                    early = withdraw_early(self._store, record.body, now) if view.settings.stream else 0
                    one = materialise(self._store, view, record.body, source, moment, digest=digest, afresh=afresh)
                    done.append(msgspec.structs.replace(one, removed=one.removed + early))
        return done

    def streamed(self, source: str) -> StreamedViews:
        """The views in force of a stream that are to be brought along as it lands."""
        return StreamedViews(
            lambda: self._streamed_of(source),
            lambda name: held(self._workspace.store, self._lease_scope, name, SHORT_LEASE, "landing"),
            self._workspace.clock.now,
        )

    @contextmanager
    def writer(self, name: str) -> Generator[FeatureWriter]:
        """Takes pushed rows of a view with `stream = true` while the block lasts; nobody else writes it meanwhile.

        Rows that are not known yet, by `known`, `lag` and the clock of the workspace, are kept back and counted.
        Raises `RefusedError` where its source is a stream, whose rows come by themselves.
        """
        record, view = self._compiled(name)
        if self._streamed(record, view) is not None:
            raise RefusedError(
                f"The rows of [features.{name}] come from the stream {view.settings.source}, and would count twice.",
                remedy=f"send them there; they are brought in by: heptad data stream land {view.settings.source}",
            )
        self._source(record, view)
        with self._writing(name, "push") as lease:
            yield FeatureWriter(self._store, view, record.body, lease, self._workspace.clock)

    def reader(self, *references: str) -> FeatureReader:
        """Reads features of views in force: `VIEW`, or `VIEW:FEATURE`; none: all views. Raises `NotFoundError`."""
        return open_reader(self._store, self._workspace.clock, self.registry.in_force(), references)

    def parity(self, names: Collection[str] = (), entities: int = 200, moments: int = 5) -> list[Parity]:
        """Compare offline and online values of views in force, replayed and as stored; see `Parity`."""
        found = []
        for name in names or self.registry.in_force():
            record, view = self._compiled(name)
            streamed = self._streamed(record, view)
            # What lands meanwhile would be in one of the two and not in the other.
            with self._writing(name, "parity", patient=True) if streamed else nullcontext():
                brought = streamed.rows_brought() if streamed else None
                source = self._source(record, view) if brought is None else brought
                comparison = Comparison(view, record, source, self._workspace.root, self._workspace.clock.now())
                found.append(comparison.run(self._store, entities, moments))
        return found

    def forget(self, keys: Mapping[str, Any], *, dry_run: bool = False) -> int:
        """Remove an entity from the online store, out of all definitions that ever were; answers the rows removed.

        Also from what is left in the workspace of projects with other names, or of another `[online] url`. A definition
        whose keys are of another type has no such entity; `InputError` where that is so of all of them.
        With `dry_run` the rows are only counted.
        """
        return self.entities.forget(keys, dry_run=dry_run)

    def _stores(self) -> Iterator[tuple[OnlineStore, Registry]]:
        """Every online store of this workspace, with the definitions whose rows it may have."""
        yield self._store, self.registry
        projects = {record.scope for record in every_record(self._workspace, FeatureView.kind)}
        for name, store in left_online(self._online, self._workspace.folder, self._project, projects).items():
            yield store, Registry(self._workspace, name)

    @property
    def _lease_scope(self) -> str:
        return f"feature-writers:{self._project}"

    def _view(self, name: str) -> tuple[View, pl.LazyFrame]:
        if name not in self._declared:
            raise NotFoundError("feature view", name, list(self._declared))
        settings = self._declared[name]
        if settings.source not in self._sources:
            raise SettingsError(
                f"[features.{name}] source = {settings.source!r} names no source.",
                allowed=nearest(settings.source, sorted(self._sources)),
            )
        view = View(name, settings, time=self._sources[settings.source].time, root=self._workspace.root)
        return view, self._rows.source_rows(settings.source)

    def _values(self, name: str) -> Values:
        view, rows = self._view(name)
        return Values(name=name, settings=view.settings, rows=rows, time=view.time)

    def _defined(self, name: str) -> FeatureView:
        return define(*self._view(name))

    @contextmanager
    def _writing(self, name: str, why: str, *, patient: bool = False) -> Generator[Lease]:
        """Be the only writer of a view; `patient`: whoever brings what lands is done in a moment."""
        ends = time.monotonic() + (PATIENCE if patient else 0.0)
        with ExitStack() as stack:
            while True:
                try:
                    lease = stack.enter_context(held(self._workspace.store, self._lease_scope, name, LEASE, why))
                    break
                except ConflictError:
                    if time.monotonic() > ends:
                        raise
                    time.sleep(0.1)
            yield lease

    def _compiled(self, name: str) -> tuple[Record[FeatureView], View]:
        """A view in force, compiled as it was applied."""
        in_force = self.registry.in_force()
        if name not in in_force:
            remedy = "" if in_force else "heptad data features apply"
            raise NotFoundError("feature view in force", name, list(in_force), remedy=remedy)
        record = in_force[name]
        settings = settings_of(record.body)
        if settings.source not in self._sources:
            raise RefusedError(
                f"The source {settings.source!r} of the view {name} is no longer declared.",
                remedy="heptad data features apply",
            )
        return record, View(name, settings, time=record.body.time, root=self._workspace.root)

    def _source(self, record: Record[FeatureView], view: View) -> pl.LazyFrame:
        """The rows of a view's source; raises `RefusedError` where its code or its source changed since."""
        source = self._rows.source_rows(view.settings.source)
        check_behaviour(view, record.body, source)
        return source

    def _streamed(self, record: Record[FeatureView], view: View) -> StreamedView | None:
        """The view as one whose rows land; `None` where it has to be materialised as a whole."""
        landed = self._rows.landed_rows(view.settings.source) if view.settings.stream else None
        if landed is None:
            return None
        kinds = {one.name: STORED[one.type] for one in (*record.body.entities, *record.body.inputs)}
        check_behaviour(view, record.body, pl.LazyFrame(schema=kinds))
        return StreamedView(self._store, view, record.body, landed)

    def _streamed_of(self, source: str) -> dict[str, StreamedView]:
        found: dict[str, StreamedView] = {}
        for name, record in self.registry.in_force().items():
            settings = settings_of(record.body)
            if settings.source == source and settings.stream:
                streamed = self._streamed(*self._compiled(name))
                if streamed is not None:
                    found[name] = streamed
        return found

    def _status(self, name: str, state: ViewState, record: Record[FeatureView] | None) -> ViewStatus:
        body = record.body if record and name not in self._declared else self._defined(name)
        until = progress_of(self._store, record.body).until if record else None
        return ViewStatus(
            name=name,
            state=state,
            version=record.body.version if record else None,
            entities=[one.name for one in body.entities],
            features=[one.name for one in body.features],
            owner=body.owner,
            description=body.description,
            until=None if until is None else moment_of(until),
            behind=None if until is None else (self._workspace.clock.now() - moment_of(until)).total_seconds(),
        )


_STATES: dict[str, ViewState] = {
    "add": "not applied",
    "change": "changed",
    "remove": "no longer declared",
    "keep": "in force",
}
