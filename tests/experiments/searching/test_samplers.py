"""Samplers learn what there is to learn: constraints, several objectives, trials that ended early."""

from heptad.experiments import Branches, Choice, Float, Search, Suggest, Told
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


def test_cma_adapts_to_each_branch_by_itself() -> None:
    """Numbers of the same name in two branches have their own optima; what is no number is searched beside them."""
    space = Branches("kind", {"a": {"x": Float(0, 1)}, "b": {"x": Float(5, 6), "k": Choice(("p", "q"))}, "c": {}})
    search = Search(space, sampler="cmaes", trials=150, seed=1)
    while trial := search.ask():
        kind, x = trial.params["kind"], float(trial.params.get("x", 0))
        search.tell(trial.number, 3.0 if kind == "c" else abs(x - (0.2 if kind == "a" else 5.7)))
    late = [one for one in search.told[100:] if one.params["kind"] != "c"]
    assert len(late) > 30
    assert sum((one.value or 0) < 0.05 for one in late) > len(late) / 2


def test_cma_walks_spaces_in_python() -> None:
    """Also where what exists follows from a number."""

    def space(suggest: Suggest) -> None:
        for layer in range(suggest.int("layers", 1, 3)):
            suggest.float(f"width {layer}", 1, 9)

    search = Search(space, sampler="cmaes", trials=40, seed=1)
    while trial := search.ask():
        assert len(trial.params) == 1 + int(trial.params["layers"])
        search.tell(trial.number, sum(float(value) for value in trial.params.values()))
    assert len(search.told) == 40
