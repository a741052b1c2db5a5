"""Makes one version of a data set: rows set aside, schema, expectations, the Delta commit, the profile, the record."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import polars as pl

from heptad.core import graph
from heptad.core.clock import SystemClock
from heptad.core.records import AliasMove, Id, Record, canonical_json, digest_of
from heptad.core.workspace import Workspace
from heptad.data.assembling.alike import binds, made_alike
from heptad.data.assembling.assembly import Assembled, Assembly
from heptad.data.assembling.changes import accepted, changed_findings, without_retyped
from heptad.data.assembling.judging import Judging, counted_rows
from heptad.data.assembling.layout import Layout
from heptad.data.assembling.quarantine import releases, without_released, write_quarantine
from heptad.data.assembling.questions import Extent, Measuring, Of
from heptad.data.assembling.storing import store_rows
from heptad.data.cleaning.aside import ASIDE, SettingAside, rows_aside, without_marks
from heptad.data.cleaning.copies import PLACE, at_places, duplicates, look_alikes, repeats
from heptad.data.cleaning.rules import rows_where
from heptad.data.cleaning.settings import CleanSettings
from heptad.data.columns.keys import ROW, key_text
from heptad.data.columns.schema import LABEL_TIME, OWN, SchemaReading, infer_types
from heptad.data.columns.suspects import leaks, left_out
from heptad.data.expectations.checks import Expectations, bind, refuse
from heptad.data.expectations.definitions import Context
from heptad.data.expectations.history import History, profile_of
from heptad.data.expectations.settings import ExpectSettings
from heptad.data.features.registry import Registry
from heptad.data.passes import Question, ask, ask_in_turn
from heptad.data.profiles.profile import Profile, Profiling, edges_in
from heptad.data.profiles.sampling import sample_columns
from heptad.data.records import Column, DatasetVersion, Finding, Fitted, ReleasedRow, Repair, Schema, SourceRead
from heptad.data.settings import DataSettings
from heptad.data.versions import versions
from heptad.data.versions.digests import BlockDigests, combined
from heptad.data.versions.marking import ROLLED_BACK
from heptad.data.versions.pruned import with_rows
from heptad.data.versions.remaining import as_it_is
from heptad.data.versions.splits import unit_hashes

_NOTICED = {"informative", "no_leak"}
"""Findings about columns that are looked for in the first version only."""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a version but where it is stored."""

    rows: pl.LazyFrame
    extent: Extent
    blocks: list[str]
    schema: Schema
    profile: Profile
    sources: list[SourceRead]
    repairs: list[Repair]
    findings: list[Finding]
    fitted: Fitted


class Collecting:
    """Collects versions of one project's table; safe to repeat after a crash, and beside other processes."""

    def __init__(
        self,
        workspace: Workspace,
        assembly: Assembly,
        data: DataSettings,
        clean: CleanSettings,
        expect: ExpectSettings,
        seed: int,
        corrections: Callable[[], str] = str,
    ) -> None:
        self._corrections = corrections
        self._workspace = workspace
        self._assembly = assembly
        self._data = data
        self._clean = clean
        self._expect = expect
        self._seed = seed
        self._history = History(workspace, assembly, expect, data.time)

    def collect(self, name: str, until: datetime | None, sample: int) -> Record[DatasetVersion]:
        """The version of now; raises `ConflictError` where another process records one meanwhile."""
        settings, corrections = self._effective_settings(), self._corrections()
        freed = releases(self._workspace, name)
        already = self._already(name, until, settings, len(freed), corrections)
        if already is not None:
            return already
        latest = versions.latest(self._workspace, name)
        # What the first version promised binds the later ones, until a person changes how the table is made.
        known = as_it_is(self._workspace, latest) if latest else None
        before = known if known is not None and binds(known.settings, settings) else None
        now, is_played = self._workspace.clock.now(), not isinstance(self._workspace.clock, SystemClock)
        judging = Judging(until or now, until, self._volumes(name, until or now), None if is_played else now)
        made = self._assembly.build(until, known, judging, infer=self._expect.infer)
        with made.staged:
            prepared = self._prepare(name, made, until, sample, before, [row for one in freed for row in one.body.rows])
            laid_out = Layout(self._workspace, name, self._data).settle(known)
            over = known if laid_out.stays else None
            delta_version = store_rows(laid_out.table, prepared.rows, prepared.extent.rows, prepared.blocks, over)
        unchanged = over is not None and delta_version == over.delta_version
        if latest is not None and unchanged and known is not None and made_alike(known.settings, settings):
            return latest
        extent = prepared.extent
        body = DatasetVersion(
            name=name,
            version=versions.next_number(self._workspace, name),
            table=laid_out.table.path("").name,
            delta_version=delta_version,
            rows=extent.rows,
            labelled=extent.labelled,
            digest=combined(prepared.blocks, extent.rows),
            blocks=prepared.blocks,
            schema=prepared.schema,
            until=until or self._workspace.clock.now(),
            everything=until is None,
            first_time=extent.first,
            last_time=extent.last,
            sources=prepared.sources,
            repairs=prepared.repairs,
            findings=[*prepared.findings, *laid_out.findings],
            profile=self._workspace.blobs.put(msgspec.json.encode(prepared.profile)),
            fitted=prepared.fitted,
            released=len(freed),
            settings=settings,
            labelling=made.labelling,
            corrections=corrections,
        )
        used = Registry(self._workspace, name).record_used(made.features, self._workspace.root)
        return self._save(body, latest, [*(("feature", one) for one in used), *(("released", one.id) for one in freed)])

    def profile(self, body: DatasetVersion) -> Profile:
        """The profile that was made with a version."""
        return profile_of(self._workspace, body)

    def _effective_settings(self) -> dict[str, Any]:
        """As plain JSON, so that they compare with what a record gives back; secrets are named, not revealed."""
        parts = {"clean": self._clean, "expect": self._expect, "seed": self._seed, **self._assembly.fingerprint()}
        plain: dict[str, Any] = msgspec.json.decode(canonical_json(parts))
        return plain

    def _already(
        self, name: str, until: datetime | None, settings: dict[str, Any], released: int, corrections: str
    ) -> Record[DatasetVersion] | None:
        """The version made of the same sources, settings, releases, corrections and moment: repeating finds it.

        Only the newest of that moment, and none from before the settings were others: what is collected after sources
        or settings were changed back is the latest.
        """
        watermark, layout = self._assembly.watermark(), Layout(self._workspace, name, self._data)
        for version in with_rows(versions.log(self._workspace, name)):
            body = version.body
            if ROLLED_BACK in version.attributes:
                continue
            if body.settings != settings:
                return None
            if until != (None if body.everything else body.until):
                continue
            is_same = (
                body.released == released
                and body.corrections == corrections
                and {one.name: one.digest for one in body.sources} == watermark
                and layout.fits(as_it_is(self._workspace, version))
            )
            return version if is_same else None
        return None

    def _volumes(self, name: str, moment: datetime) -> dict[str, list[int]]:
        """Source to how many of its rows had happened, at the versions of no later moment, newest first."""
        volumes: dict[str, list[int]] = {}
        for version in versions.log(self._workspace, name):
            for source in version.body.sources if version.body.until <= moment else ():
                volumes.setdefault(source.name, []).append(counted_rows(source))
        return volumes

    def _prepare(
        self,
        name: str,
        made: Assembled,
        until: datetime | None,
        sample: int,
        before: DatasetVersion | None,
        freed: Sequence[ReleasedRow],
    ) -> Prepared:
        """Rows, schema and findings; raises `DataError` for broken expectations, once quarantine holds the rows.

        What was noticed about the columns of the version `before` is passed on, since their roles are too.
        """
        data = self._data
        aside, marked = self._without_unfit(made, until, freed)
        kept = without_marks(marked.filter(pl.col(ASIDE).is_null()))
        kept = made.staged.settled(self._sampled(kept, sample) if sample else kept)
        reference = accepted(before.schema, made.changes, kept) if before else None
        kept = bind(kept, reference) if reference else kept
        types, kinds = kept.collect_schema(), infer_types(kept, data, reference)
        useless = {} if reference else left_out(kept, self._possible_features(types.names()), set(data.types))
        reading = SchemaReading(
            types, kinds, made.task, data, self._expect.binding(), left_out=useless, reference=reference
        )
        known = without_retyped(self.profile(before), reading.columns()) if before else None
        profiled = [column for column in reading.columns() if column.role in {"feature", "target"}]
        context = _comparable(self._history.context(name, types, until), reading.columns())
        expected = Expectations(context, data.key or [ROW], self._expect, reference)
        questions: list[Question[Any]] = [
            reading,
            expected,
            Profiling(profiled, types, sample_columns(kept, profiled, edges_in(known)), known),
            BlockDigests(types),
            Measuring(data.target, data.time),
        ]
        asked = ask if made.staged.in_memory else ask_in_turn
        cells, rows_gone, schema, findings, profile, blocks, extent = asked(
            marked, made.repairing, aside, *(Of(kept, question) for question in questions)
        )
        broken = [*made.repairing.refused(marked, cells), *expected.broken(kept, findings)]
        named = rows_aside(marked, self._beside()) if rows_gone else None
        write_quarantine(self._workspace, name, named, broken)
        findings = [*made.repairing.findings(cells), *findings]
        refuse(findings, name)
        return Prepared(
            rows=kept,
            extent=extent,
            blocks=blocks,
            schema=_with_robust(schema, findings),
            profile=profile,
            sources=made.sources,
            repairs=[*made.repairs, *made.repairing.repairs(made.typed, cells), *rows_gone],
            findings=[
                *made.judged,
                *changed_findings(made.changes),
                *findings,
                *self._noticed(kept, schema, useless, before),
            ],
            fitted=made.repairing.fitted,
        )

    def _noticed(
        self, rows: pl.LazyFrame, schema: Schema, useless: Mapping[str, str], before: DatasetVersion | None
    ) -> list[Finding]:
        if before:
            return [one for one in before.findings if one.expectation in _NOTICED]
        telling = leaks(rows, [one.name for one in schema.features()], schema.target, schema.task)
        return [
            *(_warning("informative", column, f"left out, since it is {why}") for column, why in useless.items()),
            *(_warning("no_leak", column, f"a suspect: {why}") for column, why in telling.items()),
        ]

    def _possible_features(self, names: Collection[str]) -> list[str]:
        data = self._data
        taken = {data.target, data.time, data.label_time, *OWN, *data.key, *data.ignore}
        return [name for name in names if name not in taken]

    def _without_unfit(
        self, made: Assembled, until: datetime | None, freed: Sequence[ReleasedRow]
    ) -> tuple[SettingAside, pl.LazyFrame]:
        """Sets aside rows that a rule of cells or rows, copies, a time or a label makes unfit; hides later labels.

        Rows that were released from a rule are none of its business.
        """
        data, rules = self._data, made.repairing.unfit()
        target = pl.col(data.target)
        rows, never, hidden = made.staged.settled(made.rows), target.is_null(), target
        types = rows.collect_schema()
        rules |= {f"rows {name}": where for name, where in rows_where(self._clean, types).items()}
        if data.time:
            rules["missing_time"] = pl.col(data.time).is_null()
            if until is not None:
                unknown = pl.col(data.label_time or LABEL_TIME) > until
                never &= ~unknown.fill_null(value=False)
                hidden = pl.when(~unknown.fill_null(value=True)).then(target).alias(data.target)
        placed = rows.with_row_index(PLACE)
        rules = without_released(placed, hidden, rules, freed, self._beside())
        copies = self._copies(rows, hidden, rules)
        later = {name: at_places(places) for name, places in copies.items() if len(places)}
        if self._clean.missing_target == "drop":
            later["missing_target"] = never
        rules |= without_released(placed, hidden, later, freed, self._beside())
        aside = SettingAside(rules)
        rows = placed if freed or any(map(len, copies.values())) else rows
        return aside, made.staged.settled(aside.rows(rows).with_columns(hidden))

    def _beside(self) -> Collection[str]:
        """What is no content of a row: its number, and when its label became known."""
        return {*OWN, self._data.label_time}

    def _copies(self, rows: pl.LazyFrame, hidden: pl.Expr, rules: Mapping[str, pl.Expr]) -> dict[str, pl.Series]:
        """The places of rows that repeat others: whole, or by a key or nearly among rows that no rule sets aside."""
        clean, found = self._clean, {}
        if clean.duplicates == "drop":
            shown = without_marks(rows.with_columns(hidden))
            compared = [name for name in shown.collect_schema().names() if name not in OWN]
            found["duplicate"] = duplicates(shown, compared, self._data.key)
        staying = rows.with_row_index(PLACE).filter(*(~wanted.fill_null(value=False) for wanted in rules.values()))
        if clean.duplicate_by:
            found["duplicate_by"] = repeats(staying, clean.duplicate_by, clean.duplicate_kept)
        if clean.similar.columns:
            found["similar"] = look_alikes(staying, clean.similar)
        return found

    def _sampled(self, rows: pl.LazyFrame, wanted: int) -> pl.LazyFrame:
        """So many rows, in their order: those with the smallest hashes of their keys."""

        def hashed(texts: pl.Series) -> pl.Series:
            return pl.Series(texts.name, unit_hashes(texts, self._seed))

        placed = rows.with_row_index(PLACE)
        hashes = key_text(self._data.key or [ROW]).map_batches(hashed, return_dtype=pl.Float64, is_elementwise=True)
        ranked = placed.select(PLACE, hashes.alias("hash")).sort("hash", PLACE).head(wanted)
        places = ranked.sort(PLACE).collect(engine="streaming")[PLACE]
        return placed.filter(at_places(places)).drop(PLACE)

    def _save(
        self, body: DatasetVersion, latest: Record[DatasetVersion] | None, used: Sequence[tuple[str, Id]]
    ) -> Record[DatasetVersion]:
        # The moment of an unlimited collection is left out: repeated after a crash, it would be another.
        asked = "" if body.everything else body.until.isoformat()
        expected = latest.aliases[versions.LATEST] if latest else 0
        return graph.save(
            self._workspace,
            body,
            scope=body.name,
            key=[
                body.version,
                body.digest,
                asked,
                body.released,
                digest_of(canonical_json(body.settings)),
                body.corrections,
            ],
            made_from=[
                *([("previous", latest.id)] if latest else []),
                *used,
                *([("correction", body.corrections)] if body.corrections else []),
            ],
            attributes={"name": body.name, "version": body.version, "rows": body.rows},
            aliases=[
                AliasMove(scope=versions.alias_scope(body.name), name=versions.LATEST, target="@", expected=expected)
            ],
            event="data.version_added",
            event_body={"name": body.name, "version": body.version, "rows": body.rows, "labelled": body.labelled},
        )


def _with_robust(schema: Schema, findings: Sequence[Finding]) -> Schema:
    """The schema with the columns whose outliers were kept."""
    names = {one.column for one in findings if one.expectation == "robust"}
    columns = [msgspec.structs.replace(column, robust=column.name in names) for column in schema.columns]
    return msgspec.structs.replace(schema, columns=columns)


def _comparable(context: Context, columns: Sequence[Column]) -> Context:
    """The context with the profile as far as its columns have the types that they had."""
    if context.profile is None:
        return context
    return msgspec.structs.replace(context, profile=without_retyped(context.profile, columns))


def _warning(expectation: str, column: str, what: str) -> Finding:
    return Finding(
        expectation=expectation, column=column, severity="warning", passed=False, sentence=f"{column}: {what}"
    )
