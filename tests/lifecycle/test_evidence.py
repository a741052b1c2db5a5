"""The e-process: seldom wrong however often one looks, quick where there is something to find."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import roc_auc_score

from heptad.lifecycle.evidence import ENOUGH, capital, drawn, steps
from heptad.monitoring import TrialRows

HARM = 0.01
bounded = arrays.arrays(np.float64, st.integers(0, 60), elements=st.floats(-1, 1))


def ever(differences, harm=HARM):
    """Whether somebody who looks after every step would ever have stopped."""
    return bool((capital(differences, harm) >= ENOUGH).any())


NULLS = {
    "coin": lambda rng, n: np.where(rng.random(n) < 0.5 - HARM / 2, 1.0, -1.0),
    "small steps": lambda rng, n: np.clip(rng.normal(-HARM, 0.05, n), -1, 1),
    "mostly ties": lambda rng, n: rng.choice([1.0, 0.0, -1.0], n, p=[0.045, 0.9, 0.055]),
    "rare and large": lambda rng, n: np.where(rng.random(n) < 0.02, -0.5, 0.0),
    "changing spread": lambda rng, n: np.clip(rng.normal(-HARM, np.linspace(0.01, 0.3, n)), -1, 1),
}
"""Differences whose mean is exactly the allowed harm: the hardest case of the claim that must not be refuted."""


@pytest.mark.parametrize("name", sorted(NULLS))
def test_harmless_challengers_are_seldom_stopped(name):
    """At the edge of the claim, fewer than one trial in twenty is ever stopped, looked at after each row."""
    rng = np.random.default_rng(11)
    stopped = [ever(NULLS[name](rng, 1_500)) for _ in range(600)]
    assert np.mean(stopped) < 0.05


@pytest.mark.parametrize(
    ("draw", "within"),
    [
        (lambda rng: np.where(rng.random(6_000) < 0.42, 1.0, -1.0), 800),
        (lambda rng: np.clip(rng.normal(-0.04, 0.1, 6_000), -1, 1), 300),
        (lambda rng: rng.choice([1.0, 0.0, -1.0], 6_000, p=[0.05, 0.85, 0.10]), 1_500),
    ],
)
def test_harm_is_found(draw, within):
    """Challengers clearly worse than allowed are stopped nine times in ten within the rows given."""
    rng = np.random.default_rng(12)
    stopped = [ever(draw(rng)[:within]) for _ in range(100)]
    assert np.mean(stopped) >= 0.9


@given(bounded, st.floats(0, 0.5))
def test_capital_is_positive_and_depends_on_the_past_only(differences, harm):
    """Capital never reaches nothing or overflows, and later rows do not change what was known."""
    whole = capital(differences, harm)
    assert (whole > 0).all()
    assert np.isfinite(whole).all()
    part = capital(differences[: len(differences) // 2], harm)
    assert np.allclose(whole[: len(part)], part)


@given(st.floats(-1, 1), st.floats(0, 0.5))
def test_a_fair_bet_wins_nothing_on_average(size, harm):
    """Two equally likely steps around the allowed harm leave the expected capital at one or below."""
    ends = [max(-1.0, -harm - abs(size)), min(1.0, -harm + abs(size))]
    reach = min(-harm - ends[0], ends[1] + harm)
    expected = np.mean([capital(np.array([-harm + side * reach]), harm)[-1] for side in (-1, 1)])
    assert expected <= 1 + 1e-9


def rows_of(outcomes, champion, challenger):
    known_at = np.arange(len(outcomes), dtype=float)
    at = (known_at * 1e6).astype("datetime64[us]")
    return TrialRows(at=at, known_at=known_at, outcomes=outcomes, champion=champion, challenger=challenger)


def made(rows, seed, *, spread=0.1):
    rng = np.random.default_rng(seed)
    outcomes = (rng.random(rows) < 0.2).astype(float)
    champion = np.clip(0.2 + 0.15 * outcomes + rng.normal(0, 0.15, rows), 0.01, 0.99)
    challenger = np.clip(champion + rng.normal(0, spread, rows), 0.01, 0.99)
    return rows_of(outcomes, champion, challenger)


def test_pairs_average_to_the_difference_in_roc_auc():
    """The mean step of a trial by ROC AUC is the difference in ROC AUC over all rows."""
    rows = made(40_000, seed=1)
    found = steps("roc_auc", "classification", rows, 1.0)
    whole = roc_auc_score(rows.outcomes, rows.challenger) - roc_auc_score(rows.outcomes, rows.champion)
    assert found.differences.mean() == pytest.approx(whole, abs=0.012)
    assert len(found.differences) > 5_000
    assert (np.diff(found.rows) >= 2).all()


def test_a_canary_gives_the_same_answer_as_a_shadow():
    """Where each row went to one side only, the mean step still is the difference of the two models' losses."""
    rows = made(40_000, seed=2, spread=0.3)
    to_canary = np.random.default_rng(3).random(len(rows)) < 0.1
    split = rows_of(
        rows.outcomes,
        np.where(to_canary, np.nan, rows.champion),
        np.where(to_canary, rows.challenger, np.nan),
    )
    both = steps("brier", "classification", rows, 1.0)
    apart = steps("brier", "classification", split, 1.0)
    assert len(both.differences) == len(rows)
    assert apart.differences.mean() == pytest.approx(both.differences.mean(), abs=0.01)
    assert abs(both.differences.mean()) > 0.02
    areas = [steps("roc_auc", "classification", each, 1.0).differences.mean() for each in (rows, split)]
    assert areas[0] == pytest.approx(areas[1], abs=0.05)


@given(
    st.sampled_from(["rmse", "mae", "median_error"]),
    arrays.arrays(np.float64, (3, 20), elements=st.floats(-1e6, 1e6)),
    st.floats(0.01, 100),
)
def test_steps_of_a_regression_are_bounded(metric, values, scale):
    """However wrong a model is, a step stays between -1 and 1, as the promise needs."""
    rows = rows_of(*values)
    found = steps(metric, "regression", rows, scale)
    assert (np.abs(found.differences) <= 1).all()


@pytest.mark.parametrize("metric", ["rmse", "mae"])
def test_harm_of_a_regression_is_a_share_of_the_scale(metric):
    """A challenger whose error is one percent larger differs by about one percent in units of the steps."""
    rng = np.random.default_rng(4)
    outcomes, noise = rng.normal(0, 50, 200_000), rng.normal(0, 3, 200_000)
    rows = rows_of(outcomes, outcomes + noise, outcomes + 1.01 * noise)
    scale = np.sqrt(np.mean(noise**2)) if metric == "rmse" else np.mean(np.abs(noise))
    found = steps(metric, "regression", rows, float(scale))
    assert -found.differences.mean() * found.unit == pytest.approx(0.01, rel=0.05)


def test_no_rows_are_no_evidence():
    """Before the first label there is no step and no capital."""
    empty = rows_of(np.empty(0), np.empty(0), np.empty(0))
    for metric in ("roc_auc", "log_loss"):
        assert len(capital(steps(metric, "classification", empty, 1.0).differences, HARM)) == 0


@given(st.lists(st.integers(0, 9), max_size=80), st.integers(0, 7), st.integers(0, 100))
def test_what_was_drawn_never_changes(periods, over, seed):
    """Later periods add draws and change none; at the end every row was drawn once."""
    periods = np.sort(np.array(periods, dtype=np.int64))
    early = drawn(periods[periods < over], over, seed, last=False)
    late = drawn(periods, 7, seed, last=True)
    assert all(np.array_equal(a, b) for a, b in zip(early, late, strict=False))
    assert sorted(np.concatenate(late)) == list(range(len(periods)))
    for look, rows in enumerate(early):
        assert (periods[rows] <= look).all(), "no row is looked at before its label was known"


def test_draws_mix_periods():
    """After the third day a good part of what is looked at is from the days before."""
    periods = np.repeat(np.arange(7), 1_000)
    third = drawn(periods, 3, 7, last=False)[2]
    assert 0.3 < np.mean(periods[third] < 2) < 0.6
