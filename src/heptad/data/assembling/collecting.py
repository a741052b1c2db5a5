"""Makes one version of a data set: rows set aside, schema, expectations, the Delta commit, the profile, the record."""

from datetime import datetime
from typing import Any

import msgspec
import polars as pl

from heptad.core import graph
from heptad.core.records import AliasMove, Record, canonical_json, digest_of
from heptad.core.workspace import Workspace
from heptad.data.assembling.assembly import Assembly
from heptad.data.assembling.storing import store_rows
from heptad.data.cleaning.rules import Cleaned, duplicates, set_aside
from heptad.data.cleaning.settings import CleanSettings
from heptad.data.columns.keys import ROW, key_text
from heptad.data.columns.schema import LABEL_TIME, infer_schema
from heptad.data.columns.suspects import leaks, left_out
from heptad.data.expectations.checks import bind, check, refuse
from heptad.data.expectations.settings import ExpectSettings
from heptad.data.profiles.profile import Profile, profile_frame
from heptad.data.records import DatasetVersion, Finding, Repair, Schema, SourceRead
from heptad.data.settings import DataSettings
from heptad.data.versions import versions
from heptad.data.versions.digests import block_digests, combined
from heptad.data.versions.splits import unit_hashes
from heptad.data.versions.tables import Table

_NOTICED = {"informative", "no_leak"}
"""Findings about columns that are looked for in the first version only."""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a version but where it is stored."""

    frame: pl.DataFrame
    schema: Schema
    sources: list[SourceRead]
    repairs: list[Repair]
    findings: list[Finding]


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
    ) -> None:
        self._workspace = workspace
        self._assembly = assembly
        self._data = data
        self._clean = clean
        self._expect = expect
        self._seed = seed

    def collect(self, name: str, until: datetime | None, sample: int) -> Record[DatasetVersion]:
        """The version of now; raises `ConflictError` where another process records one meanwhile."""
        settings = self._effective_settings()
        known = self._already(name, until, settings)
        if known is not None:
            return known
        latest = versions.latest(self._workspace, name)
        # What the first version promised binds the later ones, until a person changes how the table is made.
        before = latest.body if latest is not None and latest.body.settings == settings else None
        prepared = self._prepare(name, until, sample, before)
        blocks = block_digests(prepared.frame)
        table = Table(self._workspace.tables / versions.folder_name(name))
        delta_version = store_rows(table, prepared.frame, prepared.schema, blocks, latest.body if latest else None)
        if latest is not None and before is not None and delta_version == before.delta_version:
            return latest
        time, frame, schema = self._data.time, prepared.frame, prepared.schema
        body = DatasetVersion(
            name=name,
            version=latest.body.version + 1 if latest else 1,
            table=versions.folder_name(name),
            delta_version=delta_version,
            rows=len(frame),
            labelled=frame[schema.target].count(),
            digest=combined(blocks, len(frame)),
            blocks=blocks,
            schema=schema,
            until=until or self._workspace.clock.now(),
            everything=until is None,
            first_time=frame[time][0] if time else None,
            last_time=frame[time][-1] if time else None,
            sources=prepared.sources,
            repairs=prepared.repairs,
            findings=prepared.findings,
            profile=self._save_profile(prepared, before),
            settings=settings,
        )
        return self._save(body, latest)

    def profile(self, body: DatasetVersion) -> Profile:
        """The profile that was made with a version."""
        return msgspec.json.decode(self._workspace.blobs.get(body.profile), type=Profile)

    def _effective_settings(self) -> dict[str, Any]:
        """As plain JSON, so that they compare with what a record gives back; secrets are named, not revealed."""
        parts = {"clean": self._clean, "expect": self._expect, "seed": self._seed, **self._assembly.fingerprint()}
        plain: dict[str, Any] = msgspec.json.decode(canonical_json(parts))
        return plain

    def _already(self, name: str, until: datetime | None, settings: dict[str, Any]) -> Record[DatasetVersion] | None:
        """The version that was made of the same sources, settings and moment, so that repeating finds it."""
        watermark = self._assembly.watermark()
        for version in versions.log(self._workspace, name):
            body = version.body
            asked = None if body.everything else body.until
            if (
                asked == until
                and body.settings == settings
                and {one.name: one.digest for one in body.sources} == watermark
            ):
                return version
        return None

    def _prepare(self, name: str, until: datetime | None, sample: int, before: DatasetVersion | None) -> Prepared:
        """Rows, schema and findings; raises `DataError` for broken expectations, once quarantine holds the rows.

        What was noticed about the columns of the version `before` is passed on, since their roles are too.
        """
        reference = before.schema if before else None
        made = self._assembly.build(until, reference.task if reference else None)
        cleaned = self._without_unfit(made.frame, until)
        frame = self._sampled(cleaned.frame, sample) if sample else cleaned.frame
        frame = bind(frame, reference) if reference else frame
        useless = {} if reference else left_out(frame, self._possible_features(frame), set(self._data.types))
        schema = infer_schema(
            frame, self._data, self._expect.columns, left_out=useless, reference=reference, task=made.task
        )
        checked = check(frame, schema, self._expect, reference)
        self._quarantine(name, [cleaned.aside, checked.aside])
        refuse(checked.findings, name)
        if before:
            noticed = [one for one in before.findings if one.expectation in _NOTICED]
        else:
            telling = leaks(frame, [one.name for one in schema.features()], schema.target, made.task)
            noticed = [
                *(_noticed("informative", column, f"left out, since it is {why}") for column, why in useless.items()),
                *(_noticed("no_leak", column, f"a suspect: {why}") for column, why in telling.items()),
            ]
        return Prepared(
            frame=frame,
            schema=schema,
            sources=made.sources,
            repairs=[*made.repairs, *cleaned.repairs],
            findings=[*checked.findings, *noticed],
        )

    def _possible_features(self, frame: pl.DataFrame) -> list[str]:
        data = self._data
        taken = {data.target, data.time, data.label_time, LABEL_TIME, ROW, *data.key, *data.ignore}
        return [name for name in frame.columns if name not in taken]

    def _without_unfit(self, frame: pl.DataFrame, until: datetime | None) -> Cleaned:
        """Sets aside rows without a time, copies, and rows whose label can never be known; hides later labels."""
        data, rules = self._data, {}
        target, never = frame[data.target], frame[data.target].is_null()
        if data.time:
            label_time = frame[data.label_time or LABEL_TIME]
            rules["missing_time"] = frame[data.time].is_null()
            if until is not None:
                unknown = label_time > until
                never &= ~unknown.fill_null(value=False)
                frame = frame.with_columns(pl.when(~unknown.fill_null(value=True)).then(target).alias(data.target))
        if self._clean.duplicates == "drop":
            compared = [name for name in frame.columns if name not in {ROW, LABEL_TIME}]
            rules["duplicate"] = duplicates(frame, compared, data.key)
        if self._clean.missing_target == "drop":
            rules["missing_target"] = never
        return set_aside(frame, rules)

    def _sampled(self, frame: pl.DataFrame, rows: int) -> pl.DataFrame:
        hashes = unit_hashes(frame.select(key_text(self._data.key or [ROW])).to_series(), self._seed)
        return frame.filter(pl.Series(hashes).rank("ordinal") <= rows)

    def _quarantine(self, name: str, aside: list[pl.DataFrame]) -> None:
        """Keeps the rows that the latest collection set aside, each with its rule, as JSON."""
        rows = [part.with_columns(pl.col("row").struct.json_encode()) for part in aside if len(part)]
        table = Table(self._workspace.tables / f"{versions.folder_name(name)}-quarantine")
        if rows or table.exists():
            empty = pl.DataFrame(schema={"rule": pl.String, "row": pl.String})
            table.overwrite(pl.concat([empty, *rows]))

    def _save_profile(self, prepared: Prepared, before: DatasetVersion | None) -> str:
        reference = self.profile(before) if before else None
        columns = [column for column in prepared.schema.columns if column.role in {"feature", "target"}]
        return self._workspace.blobs.put(msgspec.json.encode(profile_frame(prepared.frame, columns, reference)))

    def _save(self, body: DatasetVersion, latest: Record[DatasetVersion] | None) -> Record[DatasetVersion]:
        # The moment of an unlimited collection is left out: repeated after a crash, it would be another.
        asked = "" if body.everything else body.until.isoformat()
        expected = latest.aliases[versions.LATEST] if latest else 0
        return graph.save(
            self._workspace,
            body,
            scope=body.name,
            key=[body.version, body.digest, asked, digest_of(canonical_json(body.settings))],
            made_from=[("previous", latest.id)] if latest else [],
            attributes={"name": body.name, "version": body.version, "rows": body.rows},
            aliases=[
                AliasMove(scope=versions.alias_scope(body.name), name=versions.LATEST, target="@", expected=expected)
            ],
            event="data.version_added",
            event_body={"name": body.name, "version": body.version, "rows": body.rows, "labelled": body.labelled},
        )


def _noticed(expectation: str, column: str, what: str) -> Finding:
    return Finding(
        expectation=expectation, column=column, severity="warning", passed=False, sentence=f"{column}: {what}"
    )
