"""Trains a challenger for each window, chooses one on recent labels, and has it judged on newer ones."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import polars as pl

from heptad.core import graph
from heptad.core.records import Record
from heptad.core.settings import duration
from heptad.core.workspace import Workspace
from heptad.data import Data, DatasetVersion
from heptad.experiments import Run
from heptad.lifecycle.settings import RetrainSettings
from heptad.release import Decision, ModelVersion, Release
from heptad.training import Candidate, Training

_LATE = 8
"""Labels that lag by more than this part of the kept rows move those back; a label that takes hours is not late."""


class Retrained(msgspec.Struct, frozen=True, kw_only=True):
    """What a retraining came to: every candidate, the chosen one, the decision, and the version where it was yes."""

    candidates: list[Record[Candidate]]
    chosen: Record[Candidate]
    decision: Record[Decision]
    version: Record[ModelVersion] | None


class Retraining:
    """Steps 1 to 4 again, with parameters that the search of the champion found, on data known at one moment.

    The champion's own run, and the best runs of other estimators of the same search, are trained on each window.

    With time, the newest labelled rows are kept from training (`[retrain] judge`): the first half of them chooses
    among the windows, the second half judges the chosen challenger against the champion, so neither the choice nor
    the champion has seen what decides. Where labels come late, or have stopped coming, the newest labelled rows are
    older ones. Without time, all rows are one window, judged on the held-out keys. Repeating it for the same moment
    finds what was already done.
    """

    def __init__(
        self, workspace: Workspace, settings: RetrainSettings, data: Data, training: Training, release: Release
    ) -> None:
        self._workspace = workspace
        self._settings = settings
        self._data = data
        self._training = training
        self._release = release

    def retrain(self, champion: Record[ModelVersion], now: datetime) -> Retrained:
        dataset = self._data.collect(until=now)
        runs = self._training.contenders(graph.load(self._workspace, champion.body.candidate, Candidate))
        runs = runs[: self._settings.contenders]
        if dataset.body.schema.named("time"):
            return self._over_time(dataset, runs, champion, now)
        candidates = [self._training.train(dataset, run) for run in runs]
        chosen = best(candidates)
        return self._decided(candidates, chosen, self._release.decide(chosen, champion))

    def _over_time(
        self,
        dataset: Record[DatasetVersion],
        runs: Sequence[Record[Run]],
        champion: Record[ModelVersion],
        now: datetime,
    ) -> Retrained:
        kept = duration(self._settings.judge)
        until = self._labelled_until(dataset, now, kept)
        train_until, choose_until = until - kept, until - kept / 2
        windows = distinct_windows(self._settings.train_on, dataset.body.first_time, train_until)
        candidates = self._training.train_each(
            dataset, runs, windows, train_until=train_until, judge_until=choose_until, known_at=now
        )
        chosen = best(candidates)
        unseen = self._data.scan(dataset, start=choose_until, end=until, known_at=now, labelled=True).collect()
        return self._decided(candidates, chosen, self._release.decide(chosen, champion, frame=unseen))

    def _labelled_until(self, dataset: Record[DatasetVersion], now: datetime, kept: timedelta) -> datetime:
        """Where the kept rows end: now, or behind the newest labelled row where that is much older."""
        (time,) = dataset.body.schema.named("time")
        labelled = self._data.scan(dataset, known_at=now, labelled=True)
        newest: datetime | None = labelled.select(pl.col(time).max()).collect().item()
        if newest is None or now - newest <= kept / _LATE:
            return now
        return newest + timedelta(microseconds=1)

    def _decided(
        self, candidates: list[Record[Candidate]], chosen: Record[Candidate], decision: Record[Decision]
    ) -> Retrained:
        version = self._release.register(chosen, decision) if decision.body.accepted else None
        return Retrained(candidates=candidates, chosen=chosen, decision=decision, version=version)


def distinct_windows(windows: Sequence[str], first: datetime | None, until: datetime) -> list[str]:
    """The windows that hold different rows: one that reaches back to the first row is the same as `all`."""
    kept: list[str] = []
    for window in windows:
        whole = window == "all" or first is None or until - duration(window) <= first
        name = "all" if whole else window
        if name not in kept:
            kept.append(name)
    return kept


def best(candidates: Sequence[Record[Candidate]]) -> Record[Candidate]:
    """The candidate with the best main metric, of equal ones the first; one without the metric comes last."""

    def goodness(candidate: Record[Candidate]) -> float:
        evaluation = candidate.body.evaluation
        metric = evaluation.value(evaluation.metric)
        if metric is None:
            return -math.inf
        return metric.value if metric.better == "higher" else -metric.value

    return max(candidates, key=goodness)
