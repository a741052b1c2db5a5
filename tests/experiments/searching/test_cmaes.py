"""CMA-ES closes in on an optimum, and its state follows from what was told."""

import math

from heptad.experiments import Choice, Float, Search, Told
from heptad.experiments.searching.samplers import SamplerName

SPACE = {"x": Float(-5, 5), "y": Float(1e-3, 1e3, log=True), "k": Choice(("a", "b"))}


def loss(params: dict[str, object]) -> float:
    return (float(str(params["x"])) - 2) ** 2 + math.log10(float(str(params["y"])) / 30) ** 2 + (params.get("k") == "b")


def run(trials: int, told: list[Told] | None = None) -> list[Told]:
    search = Search(SPACE, sampler="cmaes", trials=trials, seed=5, told=told or ())
    while trial := search.ask():
        search.tell(trial.number, None if trial.number % 11 == 5 else loss(trial.params))
    return search.told


def test_it_comes_much_nearer_than_chance() -> None:
    """With as many trials, the last generation is nearer to the optimum than the best of random ones."""
    numbers = {"x": SPACE["x"], "y": SPACE["y"]}

    def best(sampler: SamplerName) -> float:
        search = Search(numbers, sampler=sampler, trials=120, seed=5)
        while trial := search.ask():
            search.tell(trial.number, loss(trial.params))
        return min(one.value for one in search.told if one.value is not None)

    assert best("cmaes") < best("random") / 10


def test_a_sampler_that_was_rebuilt_draws_the_same() -> None:
    """In the middle of a generation, at its end, and after failed trials."""
    whole = run(40)
    for stop in (0, 3, 6, 17, 30):
        assert run(40, whole[:stop]) == whole


def test_it_begins_at_the_best_of_the_given_points() -> None:
    """The first generation lies around it."""
    search = Search(SPACE, sampler="cmaes", trials=7, seed=1, first=[{"x": 4.5, "y": 1.0, "k": "a"}])
    drawn = []
    while trial := search.ask():
        search.tell(trial.number, loss(trial.params))
        drawn.append(float(trial.params["x"]))
    assert sum(drawn[1:]) / 6 > 1.5


def test_where_it_has_converged_it_begins_anew() -> None:
    """At the optimum a run of it ends, and the next one looks elsewhere."""
    search = Search({"x": Float(0, 1)}, sampler="cmaes", trials=400, seed=2)
    drawn = []
    while trial := search.ask():
        search.tell(trial.number, (float(trial.params["x"]) - 0.5) ** 2)
        drawn.append(abs(float(trial.params["x"]) - 0.5))
    converged = next(place for place, away in enumerate(drawn) if away < 1e-7)
    assert max(drawn[converged:]) > 0.1
