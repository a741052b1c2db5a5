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
    """A loss that never changes, and a range of one value, are searched to the end."""
    space = {"x": Float(2, 2), "k": Choice(("a", "b"))}
    search = Search(space, sampler="gp", trials=14, seed=1)
    while trial := search.ask():
        search.tell(trial.number, 1.0)
    assert len(search.told) == 14


def test_several_objectives_are_refused() -> None:
    """It and CMA-ES have one; the message names who can do more."""
    for sampler in ("gp", "cmaes"):
        with pytest.raises(InputError, match="tpe, random or grid"):
            Search({"x": Float(0, 1)}, sampler=sampler, trials=3, seed=1, direction=["minimize", "minimize"])  # type: ignore[arg-type]
