"""The front door of step 3: search for a model, train and measure it, score and compare with it."""

import builtins
import io
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import polars as pl

from heptad.core import graph
from heptad.core.errors import DataError, NotFoundError
from heptad.core.query import Query
from heptad.core.records import Id, Record, derived_id
from heptad.core.settings import ProjectSettings, duration
from heptad.core.workspace import Workspace
from heptad.data import ERASURE, Data, DatasetVersion, Profile, Schema, profile_frame, row_ids
from heptad.experiments import Experiments, Run, Study
from heptad.training.background import generate_rows
from heptad.training.columns import columns_of
from heptad.training.comparison import difference
from heptad.training.evaluation import Rules, evaluate, judged_sample, labels_of
from heptad.training.intervals import with_intervals
from heptad.training.metrics import measure_named, metric_names
from heptad.training.model import DEFAULT_THRESHOLD, OnnxModel, Scores
from heptad.training.parallel import on_all_cores
from heptad.training.records import Candidate, Difference, Metric, Signature
from heptad.training.settings import ValidateSettings
from heptad.training.splits import WHOLE, Parts, part_by_hash, part_by_time, part_newest

if TYPE_CHECKING:
    from heptad.training.fitting import TrainingTable
    from heptad.training.search import TrialEnded

_BACKGROUND_ROWS = 100


class Refit(msgspec.Struct, frozen=True, kw_only=True):
    """What training a candidate again gave."""

    model_digest: str
    metrics: list[Metric]
    train_rows: int
    judge_rows: int


class Training:
    """Models of one project: it measures them and decides nothing."""

    def __init__(
        self,
        workspace: Workspace,
        project: ProjectSettings,
        settings: ValidateSettings,
        data: Data,
        experiments: Experiments,
    ) -> None:
        self.workspace = workspace
        self.project = project
        self.settings = settings
        self._data = data
        self._experiments = experiments

    def search(
        self, version: Record[DatasetVersion], on_trial: "Callable[[TrialEnded], None] | None" = None
    ) -> Record[Run]:
        """The best run over the estimators of the settings; the rows that the candidate is judged on are not seen."""
        from heptad.training.search import EstimatorSearch

        return EstimatorSearch(
            self._experiments,
            version,
            lambda: self._parts(version, _Cut()).train,
            seed=self.project.seed,
            key=(self.settings.holdout,),
        ).run(on_trial)

    def train(
        self,
        version: Record[DatasetVersion],
        run: Record[Run],
        *,
        window: str = WHOLE,
        train_until: datetime | None = None,
        judge_until: datetime | None = None,
        known_at: datetime | None = None,
    ) -> Record[Candidate]:
        """Train with a run's parameters on all rows but the judged ones, and measure what came of it.

        With `train_until`, learn from `[train_until - window, train_until)` and judge on `[train_until, judge_until)`,
        by labels known at `known_at`; without, judge on the holdout of the settings. Asked again for the same, it
        answers the candidate that is there.
        """
        cut = _Cut(window, train_until, judge_until, known_at)
        return self._candidate(version, run, cut, _Rows(lambda: self._parts(version, cut), version.body.schema))

    def train_each(
        self,
        version: Record[DatasetVersion],
        runs: Sequence[Record[Run]],
        windows: Sequence[str],
        *,
        train_until: datetime,
        judge_until: datetime,
        known_at: datetime,
    ) -> builtins.list[Record[Candidate]]:
        """A candidate for each run and window, as `train` makes them: several at once, a window read once."""
        cuts = [_Cut(window, train_until, judge_until, known_at) for window in windows]
        rows = {cut: _Rows(partial(self._parts, version, cut), version.body.schema) for cut in cuts}
        # There and back again, so that two trainings on the largest window hardly ever take memory at once.
        asked = [(run, cut) for place, run in enumerate(runs) for cut in (cuts[::-1] if place % 2 else cuts)]
        made = on_all_cores(lambda one: self._candidate(version, *one, rows[one[1]]), asked)
        found = {(run.id, cut): candidate for (run, cut), candidate in zip(asked, made, strict=True)}
        return [found[run.id, cut] for run in runs for cut in cuts]

    def contenders(self, candidate: Record[Candidate]) -> builtins.list[Record[Run]]:
        """The candidate's run, then the best run of each other estimator of the same search, best first."""
        from heptad.training.search import best_of_each

        own = graph.load(self.workspace, candidate.body.run, Run)
        if not own.body.study:
            return [own]
        study = graph.load(self.workspace, own.body.study, Study)
        return best_of_each(own, self._experiments.trials(study.id), study.body)

    def refit(self, candidate: Record[Candidate]) -> Refit:
        """Train a candidate again from what is recorded of it, and judge it on the same rows; nothing is written."""
        from heptad.training.fitting import fit

        body = candidate.body
        version = graph.load(self.workspace, body.dataset, DatasetVersion)
        parts = self._parts_of(candidate, version)
        fitted = fit(parts.train, version.body.schema, body.estimator, body.params, body.seed)
        scores = self.score(OnnxModel(fitted.onnx, body.signature), parts.judged)
        metrics = self.judge(scores, parts.judged, version.body.schema)
        return Refit(
            model_digest=fitted.model_digest,
            metrics=metrics,
            train_rows=len(parts.train),
            judge_rows=len(parts.judged),
        )

    def judged_rows(self, candidate: Record[Candidate]) -> pl.DataFrame:
        """The held-out rows of a candidate, in the order of its scores."""
        version = graph.load(self.workspace, candidate.body.dataset, DatasetVersion)
        return self._parts_of(candidate, version).judged

    def score(self, model: OnnxModel, frame: pl.DataFrame) -> Scores:
        return model.predict(columns_of(frame, model.signature))

    def judge(self, scores: Scores, frame: pl.DataFrame, schema: Schema) -> list[Metric]:
        """The metrics of a frame's scores with their intervals; those that are undefined on it are left out."""
        metrics, _ = with_intervals(
            judged_sample(frame, schema, scores),
            metric_names(schema.task, len(schema.classes)),
            resamples=self.settings.bootstrap,
            confidence=self.settings.confidence,
            seed=self.project.seed,
        )
        return metrics

    def paired_difference(
        self, frame: pl.DataFrame, a: Scores, b: Scores, metric: str, seed: int, *, schema: Schema
    ) -> Difference:
        """The metric of `a` minus that of `b` on the rows of a frame; see `difference`."""
        measure_named(metric, schema.task, len(schema.classes))
        return difference(
            judged_sample(frame, schema, a),
            judged_sample(frame, schema, b),
            metric,
            seed=seed,
            confidence=self.settings.confidence,
        )

    def candidates(self, limit: int = 100) -> builtins.list[Record[Candidate]]:
        """The newest candidates of the project."""
        return graph.find(self.workspace, Candidate, Query(kind=Candidate.kind, scopes=[self.workspace.name]), limit)

    def show(self, ref: Id) -> Record[Candidate]:
        """A candidate by its id, or the newest one by the name `latest`."""
        if ref != "latest":
            return graph.load(self.workspace, ref, Candidate)
        newest = self.candidates(limit=1)
        if not newest:
            raise NotFoundError("candidate", ref, remedy="Train one with: heptad run")
        return newest[0]

    def report(self, candidate: Record[Candidate]) -> str:
        """The evaluation report, one HTML page that needs nothing else."""
        from heptad.training.report import render_report

        version = graph.load(self.workspace, candidate.body.dataset, DatasetVersion)
        scores = pl.read_ipc(io.BytesIO(self.workspace.blobs.get(candidate.body.scores)))
        return render_report(candidate, version, scores, about=self.project.about)

    def _candidate(
        self, version: Record[DatasetVersion], run: Record[Run], cut: "_Cut", rows: "_Rows"
    ) -> Record[Candidate]:
        key: tuple[Any, ...] = (version.id, run.id, *cut, self.project.seed, msgspec.to_builtins(self.settings))
        if ERASURE in version.attributes:
            # A model that saw rows which are gone is not the one that is asked for.
            key = (*key, version.attributes[ERASURE])
        try:
            return self.show(derived_id(Candidate.prefix, self.workspace.name, *key))
        except NotFoundError:
            candidate = self._trained(version, run, cut, rows)
        main = candidate.evaluation.value(candidate.evaluation.metric)
        figures = {"metric": candidate.evaluation.metric, "value": main.value if main else None}
        return graph.save(
            self.workspace,
            candidate,
            scope=self.workspace.name,
            key=key,
            made_from=[("data", version.id), ("run", run.id)],
            attributes={"estimator": candidate.estimator, "window": cut.window}
            | {f"metrics.{metric.name}": metric.value for metric in candidate.evaluation.metrics},
            event="training.candidate_evaluated",
            event_body=figures | {"estimator": candidate.estimator},
        )

    def _trained(self, version: Record[DatasetVersion], run: Record[Run], cut: "_Cut", rows: "_Rows") -> Candidate:
        schema, (estimator, params) = version.body.schema, _estimator_of(run)
        parts, table, profile = rows.read()
        fitted = table.fit(estimator, params, self.project.seed)
        signature, threshold_reason = _with_threshold(fitted.signature, run)
        model = OnnxModel(fitted.onnx, signature)
        evaluation, scores = evaluate(fitted, model, parts, schema, self._rules(schema, threshold_reason))
        put = self.workspace.blobs.put
        return Candidate(
            name=version.body.name,
            estimator=estimator,
            params=params,
            seed=self.project.seed,
            dataset=version.id,
            run=run.id,
            window=cut.window,
            split=parts.split,
            signature=signature,
            notes=fitted.preprocessing.notes(len(parts.train)),
            evaluation=evaluation,
            model=put(fitted.onnx),
            model_digest=fitted.model_digest,
            profile=put(msgspec.json.encode(profile)),
            background=put(_ipc(generate_rows(profile, _BACKGROUND_ROWS, self.project.seed))),
            environment=self._experiments.environment,
            scores=put(_ipc(_score_table(parts.judged, schema, scores))),
        )

    def _parts_of(self, candidate: Record[Candidate], version: Record[DatasetVersion]) -> Parts:
        split = candidate.body.split
        if split.by == "hash":
            return self._parts(version, _Cut(known_at=split.known_at), split.holdout)
        return self._parts(
            version, _Cut(candidate.body.window, split.train_until, split.judge_until, split.known_at), split.holdout
        )

    def _parts(self, version: Record[DatasetVersion], cut: "_Cut", holdout: float | None = None) -> Parts:
        schema = version.body.schema
        holdout = self.settings.holdout if holdout is None else holdout
        start = cut.train_until - duration(cut.window) if cut.train_until and cut.window != WHOLE else None
        rows = self._data.scan(version, start=start, end=cut.judge_until, known_at=cut.known_at, labelled=True)
        frame = rows.collect()
        if cut.train_until is not None:
            parts = part_by_time(
                frame, schema, window=cut.window, train_until=cut.train_until, judge_until=cut.judge_until
            )
        elif schema.named("time"):
            parts = part_newest(frame, schema, window=cut.window, holdout=holdout)
        else:
            parts = part_by_hash(frame, schema, holdout=holdout)
        return Parts(parts.train, parts.judged, msgspec.structs.replace(parts.split, known_at=cut.known_at))

    def _rules(self, schema: Schema, threshold_reason: str) -> Rules:
        names = metric_names(schema.task, len(schema.classes))
        return Rules(
            metric=self._experiments.settings.metric or names[0],
            slices=self.settings.slices,
            resamples=self.settings.bootstrap,
            confidence=self.settings.confidence,
            seed=self.project.seed,
            threshold_reason=threshold_reason,
        )


class _Cut(NamedTuple):
    """Which rows are learnt from and judged, as asked for; without times the settings' holdout."""

    window: str = WHOLE
    train_until: datetime | None = None
    judge_until: datetime | None = None
    known_at: datetime | None = None


class _Rows:
    """The rows of one cut, read once for all trainings on them: parts, arrays to learn from, profile."""

    def __init__(self, parts: "Callable[[], Parts]", schema: Schema) -> None:
        self._parts, self._schema = parts, schema
        self._read: tuple[Parts, TrainingTable, Profile] | None = None
        self._lock = threading.Lock()

    def read(self) -> "tuple[Parts, TrainingTable, Profile]":
        from heptad.training.fitting import TrainingTable

        with self._lock:
            if self._read is None:
                parts = self._parts()
                profile = profile_frame(parts.train, self._schema.features())
                self._read = parts, TrainingTable(parts.train, self._schema), profile
            return self._read


def _estimator_of(run: Record[Run]) -> tuple[str, dict[str, Any]]:
    from heptad.training.search import CHOOSER

    params = dict(run.body.params)
    if CHOOSER not in params:
        raise DataError(
            f"Run {run.id} ({run.body.name}) names no estimator, so nothing can be trained from it.",
            allowed=f"a run with a parameter {CHOOSER!r}, as those of a search are",
        )
    return str(params.pop(CHOOSER)), params


def _with_threshold(signature: Signature, run: Record[Run]) -> tuple[Signature, str]:
    """The signature with the threshold that the run's folds suggest, and how it was chosen in words."""
    if len(signature.classes) != 2:
        return signature, ""
    suggested = run.attributes.get("metrics.threshold")
    if suggested is None:
        return msgspec.structs.replace(
            signature, threshold=DEFAULT_THRESHOLD
        ), "one half, as nothing suggests another threshold"
    reason = (
        "so that on the folds of the search, whose rows are not judged here, it was answered as often as it was true"
    )
    return msgspec.structs.replace(signature, threshold=float(suggested)), reason


def _score_table(judged: pl.DataFrame, schema: Schema, scores: Scores) -> pl.DataFrame:
    """Keys, labels and predictions: `id`, `label`, `predicted`, `score`, `probability.CLASS` of more than two."""
    table: dict[str, Any] = {
        "id": row_ids(judged, schema),
        "label": labels_of(judged, schema),
        "predicted": scores.labels,
        "score": scores.scores,
    }
    if scores.probabilities is not None and len(schema.classes) > 2:
        table |= {f"probability.{name}": scores.probabilities[:, at] for at, name in enumerate(schema.classes)}
    return pl.DataFrame(table)


def _ipc(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc(buffer, compression="zstd")
    return buffer.getvalue()
