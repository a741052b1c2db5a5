"""Pruners decide by reports alone, and as the rules that they are named after say."""

import math
import warnings

import optuna
from hypothesis import given, settings
from hypothesis import strategies as st

from heptad.experiments import Told
from heptad.experiments.searching.pruners import Halving, Hyperband, Median, pruner_named

LOSSES = st.one_of(st.integers(0, 20).map(float), st.just(math.nan))
CURVES = st.lists(st.lists(LOSSES, min_size=1, max_size=6), max_size=9)


def ended(curves: list[list[float]]) -> list[Told]:
    return [Told(n, {}, 0.0, reports=dict(enumerate(curve))) for n, curve in enumerate(curves)]


@settings(max_examples=60)
@given(curves=CURVES, own=st.lists(LOSSES, min_size=1, max_size=6))
def test_the_median_rule_decides_as_optunas(curves: list[list[float]], own: list[float]) -> None:
    """Of the same reports both make the same."""
    study = optuna.create_study()
    for curve in curves:
        study.add_trial(optuna.trial.create_trial(value=0.0, intermediate_values=dict(enumerate(curve))))
    reports = dict(enumerate(own))
    trial = optuna.trial.create_trial(state=optuna.trial.TrialState.RUNNING, intermediate_values=reports)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of steps at which nobody has a number
        expected = optuna.pruners.MedianPruner(n_startup_trials=5).prune(study, trial)
    assert Median().prunes(99, reports, ended(curves)) == expected


def test_halving_lets_the_best_quarter_of_a_rung_go_on() -> None:
    """At a rung, one of four goes on; between rungs, everybody; the first ones where they are the best so far."""
    others = ended([[float(loss)] * 8 for loss in (1, 2, 3, 4, 5, 6, 7)])
    assert not Halving(4).prunes(9, {0: 1.5}, others)
    assert Halving(4).prunes(9, {0: 2.5}, others)
    assert not Halving(4).prunes(9, {0: 0.0, 1: 100.0, 2: 100.0}, others)
    assert Halving(4).prunes(9, {0: 0.0, 1: 1.0, 2: 1.0, 3: 100.0}, others)
    assert not Halving(4).prunes(9, {0: 1.0}, [])
    assert Halving(4).prunes(9, {0: math.nan}, [])


def test_hyperband_ends_nobody_before_it_knows_how_long_trials_are_and_has_brackets_of_all_kinds() -> None:
    """The same report ends trials of strict brackets and not of patient ones, always the same ones."""
    assert not Hyperband().prunes(1, {0: 100.0}, [])
    others = ended([[1.0] * 27 for _ in range(40)])
    ends = [Hyperband().prunes(number, {0: 100.0}, others) for number in range(200)]
    assert 0 < sum(ends) < 200
    assert ends == [Hyperband().prunes(number, {0: 100.0}, others) for number in range(200)]


def test_without_a_pruner_every_trial_goes_on() -> None:
    """Even a dreadful one."""
    assert not pruner_named("none").prunes(1, {0: math.nan}, ended([[0.0]] * 20))
