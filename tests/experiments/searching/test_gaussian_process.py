"""The Gaussian process learns quickly, in spaces of any shape, and proposes the same of the same."""

import math

import pytest
from tests.experiments.searching.functions import conditional

from heptad.core.errors import InputError
from heptad.experiments import Branches, Choice, Float, Int, Search, Told
from heptad.experiments.searching.space import Space

NESTED = Branches(
    "model",
    {
        "linear": {"c": Float(1e-3, 1e3, log=True)},
        "svm": {
            "kernel": Branches("kernel", {"rbf": {"gamma": Float(1e-3, 1e3, log=True)}, "flat": {}}),
            "n": Int(1, 9),
        },
    },
)


def nested_loss(params: dict[str, object]) -> float:
    if params["model"] == "linear":
        return 1 + abs(math.log10(float(str(params["c"]))))
    return abs(math.log10(float(str(params.get("gamma", 1e3))) * 10)) + abs(int(str(params["n"])) - 4) / 4


def run(space: Space, sampler: str, trials: int, told: list[Told] | None = None) -> Search:
    search = Search(space, sampler=sampler, trials=trials, seed=3, told=told or ())  # type: ignore[arg-type]
    while trial := search.ask():
        search.tell(
            trial.number, nested_loss(trial.params) if "model" in trial.params else float(trial.params["x"]) ** 2
        )
    return search


def test_it_finds_better_points_than_chance_in_a_nested_space() -> None:
    """With as many trials."""
    found, chance = run(NESTED, "gp", 25).best(), run(NESTED, "random", 25).best()
    assert found is not None
    assert chance is not None
    assert (found.value or 0) < (chance.value or 0)


def test_a_sampler_that_was_rebuilt_draws_the_same() -> None:
    """Also in a space that is a Python function."""
    whole = run(conditional, "gp", 16).told
    for stop in (0, 9, 12):
        assert run(conditional, "gp", 16, whole[:stop]).told == whole


def test_equal_values_and_single_values_are_no_trouble() -> None:
    """A loss that never changes, a range of one value, and a space of one point are searched to the end."""
    spaces: list[Space] = [{"x": Float(2, 2), "k": Choice(("a", "b"))}, {}]
    for space in spaces:
        search = Search(space, sampler="gp", trials=14, seed=1)
        while trial := search.ask():
            search.tell(trial.number, 1.0)
        assert len(search.told) == 14


def test_it_learns_what_is_feasible() -> None:
    """Most of the later points keep to a constraint that a tenth of the space does, and the best is near its edge."""
    search = Search({name: Float(0, 1) for name in "xyz"}, sampler="gp", trials=28, seed=2)
    while trial := search.ask():
        place = [float(value) for value in trial.params.values()]
        search.tell(
            trial.number,
            sum((one - 0.3) ** 2 for one in place),
            violations={"far": math.dist(place, [0.7] * 3) - 0.3},
        )
    assert sum(one.feasible for one in search.told[18:]) > 4
    best = search.best()
    assert best is not None
    assert (best.value or 1.0) < 0.2


def test_it_does_not_stay_in_one_branch() -> None:
    """A branch whose first points were bad is tried again and again, as it may hold the best of all."""
    space = Branches("kind", {"flat": {"u": Float(0, 1)}, "deep": {"v": Float(0, 1), "w": Float(0, 1)}})

    def loss(params: dict[str, object]) -> float:
        if params["kind"] == "flat":
            return 0.5 + 0.1 * float(str(params["u"]))
        return 4 * (abs(float(str(params["v"])) - 0.2) + abs(float(str(params["w"])) - 0.8))

    search = Search(space, sampler="gp", trials=36, seed=5)
    while trial := search.ask():
        search.tell(trial.number, loss(dict(trial.params)))
    assert all(sum(one.params["kind"] == kind for one in search.told[15:]) > 1 for kind in ("flat", "deep"))
    best = search.best()
    assert best is not None
    assert (best.value or 0) < 0.5


def test_several_objectives_are_refused() -> None:
    """It and CMA-ES have one; the message names who can do more."""
    for sampler in ("gp", "cmaes"):
        with pytest.raises(InputError, match="tpe, random or grid"):
            Search({"x": Float(0, 1)}, sampler=sampler, trials=3, seed=1, direction=["minimize", "minimize"])  # type: ignore[arg-type]
