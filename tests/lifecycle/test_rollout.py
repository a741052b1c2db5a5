"""Trials: harm stops at once and for good, a better challenger is promoted at the end, all else is refused."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from heptad.lifecycle.evidence import capital, steps
from heptad.lifecycle.rollout import Side, Trial, compare, judge
from heptad.monitoring import TrialRows

BEGAN = datetime(2013, 5, 6, tzinfo=UTC)
WEEK = timedelta(days=7)
DURING, AFTER = BEGAN + WEEK / 2, BEGAN + WEEK


def trial(metric="roc_auc", **changed):
    agreed = {
        "started": BEGAN,
        "length": WEEK,
        "task": "classification",
        "classes": 2,
        "metric": metric,
        "harm": 0.01,
        "champion": Side(name="flights@3", threshold=0.5),
        "challenger": Side(name="flights@4", threshold=0.5),
        "minimum_rows": 200,
    }
    return Trial(**(agreed | changed))


def rows_of(rows, seed, signal, *, champion_signal=0.2):
    """Flights of which a fifth is late; a model's signal is how far late ones score above the others."""
    rng = np.random.default_rng(seed)
    outcomes = (rng.random(rows) < 0.2).astype(float)
    noise = rng.normal(0, 0.15, rows)
    scores = [0.3 + each * outcomes + 0.8 * noise + rng.normal(0, 0.09, rows) for each in (champion_signal, signal)]
    champion, challenger = (np.clip(each, 0.01, 0.99) for each in scores)
    return spread(outcomes, champion, challenger)


def spread(outcomes, champion, challenger):
    """Rows whose labels became known evenly over the week of the trial."""
    known_at = BEGAN.timestamp() + np.linspace(0, WEEK.total_seconds(), len(outcomes), endpoint=False)
    at = (known_at * 1e6).astype("datetime64[us]")
    return TrialRows(at=at, known_at=known_at, outcomes=outcomes, champion=champion, challenger=challenger)


def known(rows, now):
    """The rows whose labels were known at a moment."""
    return rows.take(np.flatnonzero(rows.known_at <= now.timestamp()))


def test_a_better_challenger_is_promoted_at_the_end():
    """A challenger that scores better runs its time and then takes over; the sentence carries the numbers."""
    rows = rows_of(6_500, 1, 0.25)
    assert judge(trial(), known(rows, DURING), DURING).state == "running"
    standing = judge(trial(), rows, AFTER)
    assert standing.state == "promoted"
    assert standing.comparison.low > 0
    for words in ("flights@4 is better than flights@3", "6,500 live rows", f"{standing.comparison.challenger:.4f}"):
        assert words in standing.reason
    verdict = standing.verdict(plan="plan-1", champion="model-3", challenger="model-4")
    assert (verdict.promoted, verdict.stopped, verdict.rows) == (True, False, 6_500)
    assert verdict.difference == pytest.approx(verdict.challenger_value - verdict.champion_value)


def test_a_challenger_that_is_not_better_is_refused():
    """A challenger that scores a little worse does no harm, and does not take over."""
    standing = judge(trial(), rows_of(6_500, 2, 0.195), AFTER)
    assert standing.state == "refused"
    assert standing.comparison.difference < 0
    assert standing.evidence < 20


def test_a_harmful_challenger_is_stopped_before_the_end():
    """A challenger that is clearly worse is stopped after part of the rows, and more rows do not change the verdict."""
    rows = rows_of(6_500, 3, 0.05)
    standing = judge(trial(), rows, AFTER)
    assert standing.state == "stopped"
    assert standing.rows < 4_000
    assert standing.evidence >= 20
    assert "by more than the allowed 0.01" in standing.reason
    days = [judge(trial(), known(rows, now), now) for now in (BEGAN + timedelta(days=day) for day in range(1, 8))]
    stops = [day for day, one in enumerate(days) if one.state == "stopped"]
    assert stops == list(range(stops[0], 7))
    assert all(days[day] == standing for day in stops)


def test_a_bad_day_is_no_bad_model():
    """A challenger worse on the first day and better on all others is mostly promoted; in order of time it is not."""
    stopped = {"mixed": 0, "in order of time": 0}
    for seed in range(12):
        days = rows_of(900, 100 + seed, 0.13), rows_of(5_400, 200 + seed, 0.25)
        whole = spread(*(np.concatenate([getattr(day, side) for day in days]) for side in SIDES))
        in_time = capital(steps("roc_auc", "classification", whole, 1.0).differences, 0.01)
        stopped["in order of time"] += in_time.max() >= 20
        stopped["mixed"] += judge(trial(seed=seed), whole, AFTER).state == "stopped"
    assert stopped["mixed"] <= 3
    assert stopped["in order of time"] >= 2 * stopped["mixed"] + 3


SIDES = ("outcomes", "champion", "challenger")


def test_harmless_trials_are_seldom_stopped():
    """Looked at every day, fewer than one in twenty challengers as good as the champion is stopped."""
    stopped = [judge(trial(), rows_of(1_500, seed, 0.2), AFTER).state == "stopped" for seed in range(60)]
    assert np.mean(stopped) < 0.05


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision", "log_loss", "brier", "f1", "accuracy"])
def test_every_metric_of_two_classes_can_judge(metric):
    """Whichever the main metric, more signal wins, and the difference is turned so that plus is good."""
    standing = judge(trial(metric), rows_of(6_500, 4, 0.35), AFTER)
    assert standing.state == "promoted"
    assert standing.metric == metric
    assert standing.comparison.difference > 0


@pytest.mark.parametrize("metric", ["rmse", "mae", "median_error", "r2"])
def test_regressions_are_judged_by_their_errors(metric):
    """A regression with smaller errors is promoted, one with larger errors stopped."""
    rng = np.random.default_rng(5)
    outcomes, noise = rng.normal(0, 50, 4_000), rng.normal(0, 3, 4_000)
    agreed = trial(metric, task="regression", classes=0, scale=3.0)
    worse = spread(outcomes, outcomes + noise, outcomes + 1.5 * noise)
    better = spread(outcomes, outcomes + 1.5 * noise, outcomes + noise)
    assert judge(agreed, better, AFTER).state == "promoted"
    assert judge(agreed, worse, AFTER).state == "stopped"


def test_many_classes_are_judged_by_the_probability_of_the_answered_one():
    """With more than two classes the Brier score of the answered class decides, whatever the main metric is."""
    standing = judge(trial("f1_macro", classes=5), rows_of(6_500, 6, 0.35), AFTER)
    assert (standing.metric, standing.state) == ("brier", "promoted")


def test_the_interval_of_the_difference_knows_that_days_differ():
    """Where the challenger is better on some days and worse on others, the interval is as wide as the days say."""
    days = [rows_of(900, 300 + day, 0.3 if day % 2 else 0.1) for day in range(14)]
    mixed = spread(*(np.concatenate([getattr(day, side) for day in days]) for side in SIDES))
    shuffled = mixed.take(np.random.default_rng(9).permutation(len(mixed)))
    at_random = spread(shuffled.outcomes, shuffled.champion, shuffled.challenger)
    widths = [found.high - found.low for found in (compare(trial(), each) for each in (mixed, at_random))]
    assert widths[0] > 2 * widths[1]


def test_a_canary_is_judged_on_its_own_rows():
    """Where the challenger answered a tenth of the rows itself, both sides' own rows are compared."""
    rows = rows_of(20_000, 7, 0.5)
    to_canary = np.random.default_rng(8).random(20_000) < 0.1
    split = spread(
        rows.outcomes,
        np.where(to_canary, np.nan, rows.champion),
        np.where(to_canary, rows.challenger, np.nan),
    )
    standing = judge(trial(), split, AFTER)
    assert standing.state == "promoted"
    paired = compare(trial(), rows)
    assert standing.comparison.high - standing.comparison.low > paired.high - paired.low


def test_too_few_labels_are_refused_with_that_reason():
    """A trial that ends with too few labelled rows refuses, and says how many there were."""
    standing = judge(trial(), rows_of(150, 9, 0.9), AFTER)
    assert standing.state == "refused"
    assert "150" in standing.reason
    assert "200" in standing.reason


def test_labels_of_one_class_only_give_no_figures():
    """Without a single late flight there is no ROC AUC: refused, with empty figures instead of invented ones."""
    rows = rows_of(500, 10, 0.2)
    on_time = spread(np.zeros(500), rows.champion, rows.challenger)
    standing = judge(trial(), on_time, AFTER)
    assert standing.state == "refused"
    assert standing.comparison is None
    assert "undefined" in standing.reason
    assert standing.verdict(plan="p", champion="a", challenger="b").difference is None


def test_before_any_label_a_trial_runs():
    """A trial without labels yet is running, with an e-value of one."""
    empty = spread(np.empty(0), np.empty(0), np.empty(0))
    standing = judge(trial(), empty, DURING)
    assert (standing.state, standing.rows, standing.evidence) == ("running", 0, 1.0)
