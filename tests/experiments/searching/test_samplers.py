"""Samplers learn what there is to learn: constraints, several objectives, trials that ended early."""

import math
import statistics
from collections.abc import Mapping

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


def valley(params: Mapping[str, object]) -> float:
    """Rosenbrock's: where it is best for one number depends on the other."""
    x, y = float(str(params["x"])), float(str(params["y"]))
    return 100 * (y - x**2) ** 2 + (1 - x) ** 2


def test_tpe_learns_together_what_depends_on_each_other() -> None:
    """As near to the end of a narrow valley as Optuna's own TPE comes; each number by itself ends at 0.8."""

    def end(seed: int) -> float:
        search = Search({"x": Float(-2, 2), "y": Float(-2, 2)}, trials=60, seed=seed)
        while trial := search.ask():
            search.tell(trial.number, valley(trial.params))
        return min(one.value for one in search.told if one.value is not None)

    assert statistics.median(end(seed) for seed in range(7)) < 0.3


def test_points_that_are_open_at_once_lie_apart() -> None:
    """Also those of a conditional space: whoever asks for several is not given the same point several times."""
    nested = Branches("kind", {"a": {"x": Float(-2, 2), "y": Float(-2, 2)}, "b": {}})
    for space in ({"x": Float(-2, 2), "y": Float(-2, 2)}, nested):
        search = Search(space, trials=100, seed=3)
        for number in range(40):
            trial = search.ask()
            assert trial is not None
            search.tell(number, valley(trial.params) if "x" in trial.params else 900.0)
        places = [
            (float(one.params["x"]), float(one.params["y"]))
            for _ in range(8)
            if (one := search.ask())
            if "x" in one.params
        ]
        assert len(places) > 3
        assert min(math.dist(a, b) for n, a in enumerate(places) for b in places[:n]) > 0.02


def test_what_is_asked_does_not_depend_on_the_order_of_telling() -> None:
    """Told the same trials in another order, with the same ones open, TPE proposes the same."""

    def asked(order: list[int]) -> list[dict[str, object]]:
        search = Search({"x": Float(-2, 2), "y": Float(-2, 2)}, trials=60, seed=3)
        points = {trial.number: trial.params for _ in range(40) if (trial := search.ask())}
        for number in order:
            search.tell(number, valley(points[number]))
        return [dict(trial.params) for _ in range(4) if (trial := search.ask())]

    assert asked(list(range(36))) == asked(list(range(36))[::-1])


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
