"""Pruners decide by reports alone, and as the rules that they are named after say."""

import math
import warnings

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptad.experiments import Told
from heptad.experiments.searching.pruners import Halving, Hyperband, Median, PrunerName, pruner_named

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
    assert not Halving(4).prunes(9, {0: 100.0}, others)
    assert not Halving(4).prunes(9, {0: 0.0, 1: 1.5}, others)
    assert Halving(4).prunes(9, {0: 0.0, 1: 2.5}, others)
    assert not Halving(4).prunes(9, {1: 0.0, 2: 100.0, 3: 100.0}, others)
    assert Halving(4).prunes(9, {1: 0.0, 2: 1.0, 3: 1.0, 4: 100.0}, others)
    assert not Halving(4).prunes(9, {1: 1.0}, others[:1])
    assert Halving(4).prunes(9, {1: math.nan}, others[:1])
    assert not Halving(4).prunes(9, {1: math.nan}, [])


def test_halving_begins_at_a_hundredth_of_the_length_of_trials() -> None:
    """A trial that starts slowly is not ended at its first step of two thousand."""
    others = ended([[1.0] * 2000 for _ in range(5)])
    own = dict.fromkeys(range(19), 100.0)
    assert not any(Halving().prunes(9, {step: own[step] for step in range(last + 1)}, others) for last in range(19))
    assert Halving().prunes(9, own | {19: 100.0}, others)


@pytest.mark.parametrize("name", ["median", "halving", "hyperband"])
def test_nobody_is_ended_at_the_last_step(name: PrunerName) -> None:
    """What came as far as finished trials is worth its value; steps may be numbered from 1, so that 9 is a rung."""
    others = [Told(n, {}, 1.0, reports=dict.fromkeys(range(1, 10), 1.0)) for n in range(20)]
    own = dict.fromkeys(range(1, 10), 100.0)
    assert not any(pruner_named(name).prunes(number, own, others) for number in range(100))
    assert any(pruner_named(name).prunes(number, {1: 100.0}, others) for number in range(100))


def test_hyperband_ends_nobody_before_it_knows_how_long_trials_are_and_has_brackets_of_all_kinds() -> None:
    """The same report ends trials of strict brackets and not of patient ones, always the same ones."""
    assert not Hyperband().prunes(1, {0: 100.0}, [])
    others = ended([[1.0] * 27 for _ in range(40)])
    ends = [Hyperband().prunes(number, {1: 100.0}, others) for number in range(200)]
    assert 0 < sum(ends) < 200
    assert ends == [Hyperband().prunes(number, {1: 100.0}, others) for number in range(200)]


def test_without_a_pruner_every_trial_goes_on() -> None:
    """Even a dreadful one."""
    assert not pruner_named("none").prunes(1, {0: math.nan}, ended([[0.0]] * 20))
