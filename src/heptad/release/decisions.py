"""Decides on candidates: measures candidate and champion on the same rows, holds the gates, keeps the outcome."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from heptad.core import graph
from heptad.core.errors import DataError
from heptad.core.records import Record, canonical_json, digest_of
from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.data import DatasetVersion, Schema, row_ids
from heptad.release.gates import Champion, Difference, Measured, hold, latencies_of, parse_gates, turned, verdict
from heptad.release.packages import Packages
from heptad.release.records import Decision, ModelVersion
from heptad.release.settings import ReleaseSettings
from heptad.training import Candidate, Metric, OnnxModel, Scores, Training, metric_names


class Decisions:
    """Every decision is kept, also where it is no; deciding the same again finds it."""

    def __init__(
        self,
        workspace: Workspace,
        project: ProjectSettings,
        settings: ReleaseSettings,
        training: Training,
        packages: Packages,
    ) -> None:
        self._workspace = workspace
        self._seed = project.seed
        self._settings = settings
        self._training = training
        self._packages = packages

    def decide(
        self, candidate: Record[Candidate], champion: Record[ModelVersion] | None, frame: pl.DataFrame | None
    ) -> Record[Decision]:
        """Hold the gates against a candidate, measured on `frame`, or else on its held-out rows.

        A candidate that is the champion already is answered with the decision that let it in, so that a release that
        was killed after its last act can be done again. Raises `SettingsError` with every gate that cannot be used,
        `DataError` where there is no labelled row.
        """
        if champion is not None and champion.body.candidate == candidate.id:
            return graph.load(self._workspace, champion.body.decision, Decision)
        signature = candidate.body.signature
        gates = parse_gates(self._settings.gates, metric_names(signature.task, len(signature.classes)))
        schema = graph.load(self._workspace, candidate.body.dataset, DatasetVersion).body.schema
        if frame is not None:
            frame = _labelled(frame, schema)
        measured = self._measure(candidate, champion, frame, schema)
        results = hold(gates, measured)
        accepted, reason = verdict(results)
        decision = Decision(
            candidate=candidate.id,
            accepted=accepted,
            gates=results,
            champion=champion.id if champion else "",
            reason=reason,
            rows=candidate.body.split.judge_rows if frame is None else frame.height,
            metrics=list(measured.metrics),
            champion_metrics=list(measured.champion.metrics) if measured.champion else [],
        )
        asked = [gate.text for gate in gates]
        return graph.save(
            self._workspace,
            decision,
            scope=self._workspace.name,
            key=[candidate.id, decision.champion, asked, "" if frame is None else _digest(frame, schema)],
            made_from=[("candidate", candidate.id), *([("champion", champion.id)] if champion else [])],
            attributes={"accepted": accepted},
            event="release.decided",
            event_body={"candidate": candidate.id, "accepted": accepted, "reason": reason},
        )

    def _measure(
        self,
        candidate: Record[Candidate],
        champion: Record[ModelVersion] | None,
        frame: pl.DataFrame | None,
        schema: Schema,
    ) -> Measured:
        evaluation = candidate.body.evaluation
        if champion is None and frame is None:
            return Measured(evaluation=evaluation, metrics=evaluation.metrics)
        # The candidate is scored again instead of reading its recorded scores, so that both are measured on one
        # frame whatever became of the rows since.
        judged = self._training.judged_rows(candidate) if frame is None else frame
        own = self._training.score(self._model(candidate), judged)
        metrics = self._training.judge(own, judged, schema)
        if champion is None:
            return Measured(evaluation=evaluation, metrics=metrics)
        theirs = self._training.score(self._packages.open(champion).model, judged)
        their_metrics = self._training.judge(theirs, judged, schema)
        main = evaluation.metric
        is_defined = all(_named(main, one) for one in (metrics, their_metrics))
        return Measured(
            evaluation=evaluation,
            metrics=metrics,
            champion=Champion(
                label=champion.body.label,
                metrics=their_metrics,
                latencies=latencies_of(graph.load(self._workspace, champion.body.candidate, Candidate).body.evaluation),
                difference=self._difference(judged, own, theirs, main, schema) if is_defined else None,
            ),
        )

    def _difference(self, judged: pl.DataFrame, own: Scores, theirs: Scores, main: str, schema: Schema) -> Difference:
        return turned(self._training.paired_difference(judged, own, theirs, main, self._seed, schema=schema))

    def _model(self, candidate: Record[Candidate]) -> OnnxModel:
        return OnnxModel(self._workspace.blobs.get(candidate.body.model), candidate.body.signature)


def _labelled(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    labelled = frame.filter(pl.col(schema.target).is_not_null())
    if labelled.is_empty():
        raise DataError(
            f"None of the {frame.height:,} rows to judge on has a label in {schema.target!r}.",
            remedy="wait until labels have come, or judge on the held-out rows",
        )
    return labelled


def _labels(frame: pl.DataFrame, schema: Schema) -> list[Any]:
    target = frame[schema.target]
    return (target.cast(pl.Float64) if schema.task == "regression" else target.cast(pl.String)).to_list()


def _digest(frame: pl.DataFrame, schema: Schema) -> str:
    """What names the judged rows and their labels."""
    return digest_of(canonical_json([row_ids(frame, schema).to_list(), _labels(frame, schema)]))


def _named(name: str, metrics: Sequence[Metric]) -> Metric | None:
    return next((metric for metric in metrics if metric.name == name), None)
