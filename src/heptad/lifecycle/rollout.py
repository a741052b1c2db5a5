"""Whether a challenger takes over: judged beside the champion on live rows, as their labels become known."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from heptad.core.records import Id
from heptad.core.settings import Task
from heptad.lifecycle.evidence import ENOUGH, Floats, capital, drawn, steps
from heptad.lifecycle.records import Verdict
from heptad.monitoring import TrialRows
from heptad.training import (
    MEASURES,
    Sample,
    blocks_of,
    percentile_interval,
    resampled_weights,
    shrinkage,
    thinned,
)

State = Literal["running", "stopped", "promoted", "refused"]

_PERIODS = 7
"""A trial is looked at so many times: each day of a week."""
_RESAMPLES = 200
_CONFIDENCE = 0.95


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two models of a trial: what it is called, and the probability from which it answers yes."""

    name: str
    threshold: float | None = None


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What was agreed before a trial began; nothing in it changes while it runs.

    `harm` is in units of the metric, for a regression a share of `scale`, which is the champion's RMSE (mean
    absolute error where the metric is `mae` or `median_error`) at release.
    """

    started: datetime
    length: timedelta
    task: Task
    classes: int
    metric: str
    harm: float
    champion: Side
    challenger: Side
    minimum_rows: int
    scale: float = 1.0
    seed: int = 7

    @property
    def ends(self) -> datetime:
        return self.started + self.length

    @property
    def judged_by(self) -> str:
        """The metric that live scores can tell: of more than two classes they say how likely the answered one is."""
        if self.task == "classification" and self.classes > 2:
            return "brier"
        return "rmse" if self.metric == "r2" else self.metric


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides' metric on live labelled rows; `difference` is positive where the challenger is better."""

    champion: float
    challenger: float
    difference: float
    low: float
    high: float


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a trial stands: `evidence` is the largest e-value so far; `reason` says all of it in a sentence."""

    state: State
    metric: str
    rows: int
    evidence: float
    comparison: Comparison | None
    """`None` where the metric is undefined on the rows, for example without any of one class."""
    reason: str

    def verdict(self, *, plan: Id, champion: Id, challenger: Id) -> Verdict:
        """The record of a trial that is over."""
        found = self.comparison
        return Verdict(
            plan=plan,
            champion=champion,
            challenger=challenger,
            metric=self.metric,
            champion_value=found.champion if found else None,
            challenger_value=found.challenger if found else None,
            difference=found.difference if found else None,
            low=found.low if found else None,
            high=found.high if found else None,
            evidence=self.evidence,
            rows=self.rows,
            stopped=self.state == "stopped",
            promoted=self.state == "promoted",
            reason=self.reason,
        )


def judge(trial: Trial, rows: TrialRows, now: datetime) -> Standing:
    """What follows from the labelled rows of a trial so far.

    A challenger is stopped as soon as the evidence that it is worse by more than the harm reaches 20, looked at after
    each seventh of the trial; it is then judged by the rows known at that moment, so looking later changes nothing.
    At the end of the trial it is promoted where its metric on the live rows is better at all: the gates have seen to
    its safety, and waiting for significance would cost more than it saves. Otherwise it is refused.
    """
    periods = _periods(trial, rows.known_at)
    over = min(max(int(_periods(trial, np.array([now.timestamp()]))[0]), 0), _PERIODS)
    draws = drawn(periods, over, trial.seed, last=now >= trial.ends)
    order = np.concatenate(draws) if draws else np.empty(0, dtype=np.int64)
    found = steps(trial.judged_by, trial.task, rows.take(order), trial.scale)
    evidence = capital(found.differences, trial.harm / found.unit)
    decisive = np.flatnonzero(evidence >= ENOUGH)
    if len(decisive):
        first = int(decisive[0])
        look = int(np.searchsorted(np.cumsum([len(each) for each in draws]), found.rows[first]))
        seen = rows if look >= _PERIODS else rows.take(np.flatnonzero(periods <= look))
        return _standing("stopped", trial, seen, float(evidence[first]))
    largest = float(evidence.max(initial=1.0))
    if now < trial.ends:
        return _standing("running", trial, rows, largest)
    if rows.smaller_side() < trial.minimum_rows:
        return _standing("refused", trial, rows, largest)
    promoted = _standing("promoted", trial, rows, largest)
    if promoted.comparison is not None and promoted.comparison.difference > 0:
        return promoted
    return _standing("refused", trial, rows, largest)


def _periods(trial: Trial, known_at: Floats) -> NDArray[np.int64]:
    """In which seventh of the trial each moment (seconds since 1970) lies, counted from 0."""
    length = trial.length.total_seconds() / _PERIODS
    return np.maximum((known_at - trial.started.timestamp()) // length, 0).astype(np.int64)


def compare(trial: Trial, rows: TrialRows) -> Comparison | None:
    """The trial's metric on both sides with a bootstrap interval of the difference; `None` where it is undefined.

    Rows are resampled once for both sides, so that what is hard about a row cancels where both have scored it, and by
    stretches of time, whose rows share what happened then. Where there are very many rows, the interval comes from a
    random part of them; a resample that leaves the metric undefined counts as the worst and the best.
    """
    measure = MEASURES[trial.judged_by]
    kept = thinned(len(rows), 1, trial.seed)
    part = _sample(trial, trial.champion, rows.outcomes[kept], np.zeros(len(kept)), blocks_of(rows.at[kept]))
    values, prepared = [], []
    for side, scores in ((trial.champion, rows.champion), (trial.challenger, rows.challenger)):
        value = measure.value(_sample(trial, side, rows.outcomes, scores))
        if value is None:
            return None
        values.append(value)
        prepared.append(
            (~np.isnan(scores[kept]), measure.prepare(_sample(trial, side, rows.outcomes[kept], scores[kept])))
        )
    sign = 1.0 if measure.better == "higher" else -1.0

    def differences(weights: Floats) -> Floats:
        of_champion, of_challenger = (value(weights[:, scored]) for scored, value in prepared)
        return np.asarray(sign * (of_challenger - of_champion), dtype=np.float64)

    champion, challenger = values
    difference = sign * (challenger - champion)
    drawn = np.concatenate([differences(weights) for weights in resampled_weights(part, _RESAMPLES, trial.seed)])
    shrunk = (drawn - differences(np.ones((1, len(kept))))[0]) * shrinkage(part, len(rows))
    low, high = percentile_interval(difference, difference + shrunk, _CONFIDENCE, undefined=(-1.0, 1.0))
    return Comparison(champion=champion, challenger=challenger, difference=difference, low=low, high=high)


def _sample(
    trial: Trial, side: Side, outcomes: Floats, scores: Floats, blocks: NDArray[np.int64] | None = None
) -> Sample:
    """The rows that one side has scored, as training's metrics take them."""
    scored = ~np.isnan(scores)
    truth, given = outcomes[scored], scores[scored]
    nothing = np.empty((len(given), 0))
    if trial.task == "regression":
        return Sample(truth, given, np.zeros(len(given)), nothing, blocks=blocks)
    threshold = 0.5 if side.threshold is None else side.threshold
    return Sample(truth.astype(np.int64), given, (given >= threshold).astype(np.int64), nothing, 2, blocks)


def _standing(state: State, trial: Trial, rows: TrialRows, evidence: float) -> Standing:
    comparison = compare(trial, rows)
    return Standing(
        state=state,
        metric=trial.judged_by,
        rows=len(rows),
        evidence=evidence,
        comparison=comparison,
        reason=_sentence(state, trial, rows, evidence, comparison),
    )


def _sentence(state: State, trial: Trial, rows: TrialRows, evidence: float, comparison: Comparison | None) -> str:
    """The reason in words, numbers included."""
    champion, challenger = trial.champion.name, trial.challenger.name
    seen = f"{len(rows):,} live rows with labels"
    if state == "refused" and rows.smaller_side() < trial.minimum_rows:
        return (
            f"{challenger} is refused: {seen} are too few to compare it with {champion} "
            f"({rows.smaller_side():,} of the one that has fewer, {trial.minimum_rows:,} are asked for). "
            "Where labels take longer than the trial, let it run longer: [retrain] trial."
        )
    opening = {
        "running": f"{challenger} is on trial beside {champion}",
        "stopped": f"{challenger} was stopped, as it is worse than {champion} by more than the allowed {trial.harm:g}",
        "promoted": f"{challenger} is better than {champion}",
        "refused": f"{challenger} is not better than {champion}",
    }[state]
    doubt = f"evidence of harm {evidence:.3g}, {ENOUGH:g} stops a trial"
    if comparison is None:
        return f"{opening}: {trial.judged_by} is undefined on {seen} ({doubt})."
    interval = f"95% interval {comparison.low:+.4f} to {comparison.high:+.4f}"
    return (
        f"{opening}: {trial.judged_by} {comparison.challenger:.4f} against {comparison.champion:.4f} on {seen} "
        f"(better by {comparison.difference:+.4f}, {interval}; {doubt})."
    )
