"""The front door of step 3: search for a model, train and measure it, score and compare with it."""

import builtins
import io
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from heptad.core import graph
from heptad.core.errors import NotFoundError
from heptad.core.query import Query
from heptad.core.records import Id, Record
from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.data import ERASURE, Data, DatasetVersion, Profile, Schema, profile_frame
from heptad.experiments import Experiments, Run, Study
from heptad.training.background import generate_rows
from heptad.training.candidates import BACKGROUND_ROWS, find_candidate, ipc, keep_candidate, score_table
from heptad.training.columns import columns_of
from heptad.training.comparison import difference
from heptad.training.evaluation import Rules, evaluate, judged_sample
from heptad.training.intervals import with_intervals
from heptad.training.metrics import measure_named, metric_names
from heptad.training.model import OnnxModel, Scores
from heptad.training.parallel import on_all_cores
from heptad.training.parting import Cut, Parting
from heptad.training.records import Candidate, Difference, Metric
from heptad.training.settings import ValidateSettings
from heptad.training.splits import WHOLE, Parts

if TYPE_CHECKING:
    from heptad.training.fitting import TrainingTable
    from heptad.training.search import TrialEnded


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
        self.parting = Parting(workspace, settings, data)

    def search(
        self, version: Record[DatasetVersion], on_trial: "Callable[[TrialEnded], None] | None" = None
    ) -> Record[Run]:
        """The best run over the estimators of the settings; the rows that the candidate is judged on are not seen."""
        from heptad.training.search import EstimatorSearch

        return EstimatorSearch(
            self._experiments,
            version,
            lambda: self.parting.parts(version).train,
            lambda frame: self.parting.folds(version, frame, self._experiments.settings.folds),
            seed=self.project.seed,
            key=self.parting.key(),
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
        cut = Cut(window, train_until, judge_until, known_at)
        return self._candidate(version, run, cut, _Rows(lambda: self.parting.parts(version, cut), version.body.schema))

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
        cuts = [Cut(window, train_until, judge_until, known_at) for window in windows]
        rows = {cut: _Rows(partial(self.parting.parts, version, cut), version.body.schema) for cut in cuts}
        # There and back again, so that two trainings on the largest window hardly ever take memory at once.
        asked = [(run, cut) for place, run in enumerate(runs) for cut in (cuts[::-1] if place % 2 else cuts)]
        made = on_all_cores(lambda one: self._candidate(version, *one, rows[one[1]]), asked)
        found = {(run.id, cut): candidate for (run, cut), candidate in zip(asked, made, strict=True)}
        return [found[run.id, cut] for run in runs for cut in cuts]

    def contenders(self, candidate: Record[Candidate]) -> builtins.list[Record[Run]]:
        """The candidate's run, then the best run of each other estimator of the same search, best first.

        For a model that was trained elsewhere, the best run of a search over its data: it cannot be trained here.
        """
        from heptad.training.search import best_of_each

        if candidate.body.external:
            return [self.search(graph.load(self.workspace, candidate.body.dataset, DatasetVersion))]
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
        parts = self.parting.parts_of(candidate, version)
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
        return self.parting.parts_of(candidate, version).judged

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
        self, version: Record[DatasetVersion], run: Record[Run], cut: Cut, rows: "_Rows"
    ) -> Record[Candidate]:
        key: tuple[Any, ...] = (version.id, run.id, *cut, self.project.seed, msgspec.to_builtins(self.settings))
        if ERASURE in version.attributes:
            # A model that saw rows which are gone is not the one that is asked for.
            key = (*key, version.attributes[ERASURE])
        found = find_candidate(self.workspace, key)
        if found is not None:
            return found
        return keep_candidate(self.workspace, self._trained(version, run, cut, rows), key)

    def _trained(self, version: Record[DatasetVersion], run: Record[Run], cut: Cut, rows: "_Rows") -> Candidate:
        from heptad.training.balance import balance_notes
        from heptad.training.search import estimator_of, with_threshold

        schema, (estimator, params) = version.body.schema, estimator_of(run)
        parts, table, profile = rows.read()
        fitted = table.fit(estimator, params, self.project.seed)
        signature, threshold_reason = with_threshold(fitted.signature, run)
        model = OnnxModel(fitted.onnx, signature)
        evaluation, scores = evaluate(
            fitted, model, parts, schema, rules_of(self, self._experiments, schema, threshold_reason)
        )
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
            notes=[*fitted.preprocessing.notes(len(parts.train)), *balance_notes(params)],
            evaluation=evaluation,
            model=put(fitted.onnx),
            model_digest=fitted.model_digest,
            profile=put(msgspec.json.encode(profile)),
            background=put(ipc(generate_rows(profile, BACKGROUND_ROWS, self.project.seed))),
            environment=self._experiments.environment,
            scores=put(ipc(score_table(parts.judged, schema, scores))),
        )


def rules_of(training: Training, experiments: Experiments, schema: Schema, threshold_reason: str) -> Rules:
    """How the models of a project are judged."""
    settings = training.settings
    return Rules(
        metric=experiments.settings.metric or metric_names(schema.task, len(schema.classes))[0],
        slices=settings.slices,
        resamples=settings.bootstrap,
        confidence=settings.confidence,
        seed=training.project.seed,
        threshold_reason=threshold_reason,
    )


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
