"""Samplers learn what there is to learn: constraints, several objectives, trials that ended early."""

import pytest
from tests.experiments.searching.functions import conditional

from heptad.core.errors import InputError
from heptad.experiments import Branches, Choice, Float, Search, Told
from heptad.experiments.searching.samplers import as_optuna_trial

SPACE = {"x": Float(-1, 1)}


def test_constraints_are_learnt() -> None:
    """TPE asks mostly for points that meet a constraint, where the better values lie outside of it."""
    search = Search(SPACE, trials=60, seed=1)
    while trial := search.ask():
        x = float(trial.params["x"])
        search.tell(trial.number, x, violations={"x": 0.3 - x})
    late = [float(one.params["x"]) for one in search.told[30:]]
    best = search.best()
    assert sum(x >= 0.3 for x in late) > 13
    assert best is not None
    assert float(best.params["x"]) >= 0.3


def test_several_objectives_have_a_front() -> None:
    """It lies between the optima of both, and the first objective chooses the best."""
    search = Search(SPACE, trials=40, seed=1, direction=["minimize", "minimize"])
    while trial := search.ask():
        x = float(trial.params["x"])
        search.tell(trial.number, (x**2, (x - 0.5) ** 2))
    front, best = search.front(), search.best()
    assert len(front) > 3
    assert all(-0.1 <= float(one.params["x"]) <= 0.6 for one in front)
    assert best in front


def test_optuna_is_told_what_a_trial_was() -> None:
    """Names of branches do not meet, pruned trials have reports and no value, violations are constraints."""
    space = Branches("kind", {"a": {"x": Float(0, 1)}, "b": {"x": Float(5, 6)}})
    told = Told(0, {"kind": "b", "x": 5.5}, None, violations={"ms": 2.0}, reports={0: 1.0}, pruned=True)
    trial = as_optuna_trial(space, told)
    assert trial.params == {"kind": "b", "kind=b/x": 5.5}
    assert trial.intermediate_values == {0: 1.0}
    assert trial.constraints == {"ms": 2.0}
    assert trial.state.name == "PRUNED"


def test_a_space_without_numbers_cannot_be_adapted_to() -> None:
    """The message says which samplers can."""
    for space in ({"k": Choice(("a", "b"))}, conditional):
        with pytest.raises(InputError, match="tpe, gp, random"):
            Search(space, sampler="cmaes", trials=2, seed=1)
