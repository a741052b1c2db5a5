"""The front door of step 1: collects versions of the project's table, reads them back, replays history."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime

import polars as pl

from heptad.core import graph
from heptad.core.errors import ConflictError, DataError, SettingsError, UnavailableError
from heptad.core.identity import as_reason
from heptad.core.reads import note_read
from heptad.core.records import Record
from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.data.assembling.assembly import Assembly
from heptad.data.assembling.collecting import Collecting
from heptad.data.assembling.quarantine import Quarantine
from heptad.data.assembling.staging import Staged
from heptad.data.cards.cards import Cards
from heptad.data.cards.settings import CardSettings
from heptad.data.cleaning.aside import without_marks
from heptad.data.cleaning.rules import Correct
from heptad.data.cleaning.settings import CleanSettings
from heptad.data.corrections.applying import correction_steps, with_label_times
from heptad.data.corrections.corrections import Corrections
from heptad.data.erasing.erasing import Erasing
from heptad.data.expectations.checking import Checking
from heptad.data.expectations.checks import bind
from heptad.data.expectations.history import rows_of
from heptad.data.expectations.settings import ExpectSettings
from heptad.data.features.features import Features
from heptad.data.features.settings import FeatureSettings, OnlineSettings
from heptad.data.folders.folders import Folders
from heptad.data.folders.settings import RemoteSettings
from heptad.data.labelling.settings import LabellingSettings
from heptad.data.landing import land_online
from heptad.data.profiles.profile import Profile
from heptad.data.progress import together
from heptad.data.records import DatasetVersion, MessagesReleased
from heptad.data.settings import CatchUp, DataSettings
from heptad.data.sources.settings import SourceSettings
from heptad.data.sources.source import Place
from heptad.data.streams.following import Until
from heptad.data.streams.records import Landed, LandingState
from heptad.data.streams.streams import Streams
from heptad.data.versions import versions
from heptad.data.versions.diff import DatasetDiff, diff_versions
from heptad.data.versions.digests import rows_digest
from heptad.data.versions.remaining import as_it_is
from heptad.data.versions.turns import collecting

ATTEMPTS = 5
"""How often a collection starts again because another process recorded a version first."""


class Data:
    """Step 1 of one project."""

    def __init__(
        self,
        workspace: Workspace,
        project: ProjectSettings,
        sources: Mapping[str, SourceSettings],
        data: DataSettings,
        clean: CleanSettings,
        expect: ExpectSettings,
        features: Mapping[str, FeatureSettings],
        online: OnlineSettings | None = None,
        remote: RemoteSettings | None = None,
        card: CardSettings | None = None,
        labelling: LabellingSettings | None = None,
    ) -> None:
        self._workspace = workspace
        self._project = project
        self.every = data.every
        self.catch_up: CatchUp = data.catch_up
        self._settings = data
        self._name = project.name or workspace.name
        place = Place(root=workspace.root, timezone=project.timezone, cache=workspace.cache / "sources")
        self.corrections = Corrections(workspace, self._name, self.scan)
        self.streams = Streams(place, sources)
        classes = expect.allowed(data.target)
        self._assembly = Assembly(place, project, sources, data, clean, features, self._correct, labelling, classes)
        self._collecting = Collecting(workspace, self._assembly, data, clean, expect, project.seed, self._corrected_by)
        self.expectations = Checking(workspace, self._name, self._assembly, data, expect)
        self.quarantine = Quarantine(workspace, self._name)
        self.features = Features(workspace, self._name, features, sources, online or OnlineSettings(), self._assembly)
        self.erasing = Erasing(workspace, self._assembly, self.features, clean)
        self.cards = Cards(workspace, project, card or CardSettings())
        self.folders = Folders(workspace, remote or RemoteSettings())
        self._infer = expect.infer
        self._whole: tuple[object, pl.LazyFrame, Staged] | None = None

    def collect(self, until: datetime | None = None, sample: int = 0) -> Record[DatasetVersion]:
        """A version of what the sources hold now; the one that is there, where that is nothing new.

        With `until`, and a time column: rows before that moment, with the labels that were known then. Rows that
        the latest version has are kept, new ones appended, labels that became known filled in. `sample`: about
        so many rows, always the same ones, as a data set of their own. Raises `DataError` with every broken
        expectation that binds; then nothing is written but the rows in quarantine.
        """
        name = f"{self._name}-sample-{sample}" if sample else self._name
        for _ in range(ATTEMPTS):
            try:
                with collecting(self._workspace), together():
                    version = self._collecting.collect(name, until, sample)
            except ConflictError:
                continue
            self.cards.state(version)
            return version
        raise UnavailableError(
            f"Other processes kept recording versions of {name} first.", remedy="run it again when they are done"
        )

    def land(
        self,
        name: str,
        until: Until,
        tell: Callable[[Landed], None] = lambda _: None,
        *,
        accept_loss: bool = False,
    ) -> LandingState:
        """Land a stream until it is time to stop, and bring its feature views with `stream = true` online with it.

        `tell` hears what became of each batch. See `follow` for errors.
        """
        name = self.streams.named(name)
        views = self.features.streamed(name)
        return land_online(self.streams, views, name, until, tell, accept_loss=accept_loss)

    def release(self, name: str, reason: str, positions: Collection[str] = ()) -> Landed:
        """Land what can be read by now of a stream's quarantine; see `Streams.release`. Who did it is a record.

        Its feature views come online with the next landing, and the next version has the rows.
        """
        name, reason = self.streams.named(name), as_reason(reason)
        done = self.streams.release(name, positions)
        if done.rows or done.repeated:
            graph.save(
                self._workspace,
                MessagesReleased(name=name, reason=reason, rows=done.rows, repeated=done.repeated, left=done.poison),
                scope=name,
                attributes={"name": name},
                event="data.messages_released",
                event_body={"name": name, "rows": done.rows, "reason": reason},
            )
        return done

    def latest(self) -> Record[DatasetVersion] | None:
        return versions.latest(self._workspace, self._name)

    def version(self, ref: str | int) -> Record[DatasetVersion]:
        """A version by number, id, `NAME@NUMBER` or `latest`; raises `NotFoundError`."""
        return versions.find_version(self._workspace, self._name, ref)

    def log(self) -> list[Record[DatasetVersion]]:
        """All versions, newest first."""
        return versions.log(self._workspace, self._name)

    def scan(
        self,
        version: Record[DatasetVersion],
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        known_at: datetime | None = None,
        labelled: bool = False,
    ) -> pl.LazyFrame:
        """The rows of a version in their order: by time and key, or by key.

        `start` and `end` (exclusive) select by time; labels known after `known_at` are null; `labelled` leaves out
        rows without a label, those included.
        """
        note_read(self._workspace, version.id)
        schema = version.body.schema
        rows = rows_of(self._workspace, self._now(version))
        time, label_time = schema.named("time"), schema.named("label_time")
        if (start or end or known_at) and not time:
            raise DataError(
                f"{version.body.name} has no time, so its rows cannot be selected by it.",
                allowed="[data] time, the column that says when a row happened",
            )
        if start is not None:
            rows = rows.filter(pl.col(time[0]) >= start)
        if end is not None:
            rows = rows.filter(pl.col(time[0]) < end)
        if known_at is not None:
            known = pl.when(pl.col(label_time[0]) <= known_at).then(pl.col(schema.target))
            rows = rows.with_columns(known.alias(schema.target))
        if labelled:
            rows = rows.filter(pl.col(schema.target).is_not_null())
        return rows.select(column.name for column in schema.columns)

    def history(self, start: datetime, end: datetime) -> pl.DataFrame:
        """What the sources hold for times in [start, end), repaired as in versions, no row set aside, in order of time.

        Labels are there with the time they became known, whether that is past or not. Nothing is written. The
        whole table is made once and kept in memory while sources and settings stay the same; so a function
        that looks at later rows would see them here, where `collect` would not.
        """
        time = self._settings.time
        if not time:
            raise DataError(
                f"{self._name} has no time, so it has no history to replay.",
                allowed="[data] time, the column that says when a row happened",
            )
        latest = self.latest()
        whole = self._whole_table(as_it_is(self._workspace, latest) if latest else None)
        window = whole.filter((pl.col(time) >= start) & (pl.col(time) < end))
        rows = window.collect(engine="streaming")
        return bind(rows, latest.body.schema) if latest else rows

    def preview(self, rows: int = 10) -> pl.DataFrame:
        """The first rows of the table as a version would hold them; nothing is written."""
        made = self._assembly.build()
        with made.staged:
            return without_marks(made.rows).head(rows).collect(engine="streaming")

    def diff(self, old: Record[DatasetVersion], new: Record[DatasetVersion]) -> DatasetDiff:
        """What changed from one version to another."""
        rows, profiles = (self.scan(old), self.scan(new)), (self.profile(old), self.profile(new))
        return diff_versions(self._now(old), self._now(new), rows, profiles)

    def profile(self, version: Record[DatasetVersion]) -> Profile:
        """The profile of a version's rows, as it was made with the version, or with what an erasure left of it."""
        return self._collecting.profile(self._now(version))

    def digest(self, version: Record[DatasetVersion]) -> str:
        """The digest of the version's rows as they are now; equal to the recorded one unless somebody changed them."""
        return rows_digest(self.scan(version))

    def _now(self, version: Record[DatasetVersion]) -> DatasetVersion:
        """A version as it is, also where it was erased from, or pruned, since its record was read."""
        return as_it_is(self._workspace, graph.load(self._workspace, version.id, DatasetVersion))

    def _corrected_by(self) -> str:
        """The id of the corrections in force; empty: there are none."""
        correction = self.corrections.in_force()
        return correction.id if correction else ""

    def _correct(self) -> Correct | None:
        correction = self.corrections.in_force()
        if correction is None:
            return None
        cells, key = self.corrections.cells(correction), self._settings.key
        if not key:
            raise SettingsError(
                f"{len(cells):,} cells of {self._name} are corrected, and [data] names no key to find their rows by.",
                remedy="set [data] key again as it was when they were corrected",
            )
        cells = with_label_times(cells, self._settings.target, self._settings.label_time)
        return lambda types: correction_steps(cells, types, key)

    def _whole_table(self, latest: DatasetVersion | None) -> pl.LazyFrame:
        bound = (latest.schema.task, latest.fitted, latest.settings) if latest else None
        key = (self._assembly.watermark(), self._assembly.fingerprint(), bound, self._corrected_by())
        if self._whole is None or self._whole[0] != key:
            self._whole = None
            made = self._assembly.build(before=latest, infer=self._infer)
            rows = without_marks(made.rows)
            # Where the table is in memory, only what is replayed of it stays there.
            self._whole = key, made.staged.settled(rows) if made.staged.in_memory else rows, made.staged
        return self._whole[1]
