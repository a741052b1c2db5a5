"""A search proposes the same trials whenever it is told the same, also after it was cut off."""

import logging
import math
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptad.core.errors import InputError
from heptad.experiments import Branches, Choice, Float, Int, Search, Told
from heptad.experiments.searching.samplers import SamplerName

SPACE = Branches(
    "estimator",
    {
        "linear": {"size": Float(0.001, 100, log=True)},
        "tree": {"size": Int(2, 10), "rate": Float(0.01, 0.5, log=True), "kind": Choice(("a", "b"))},
    },
)
FIRST = [{"estimator": "linear", "size": 1.0}, {"estimator": "tree", "size": 5, "rate": 0.1, "kind": "a"}]


def loss(params: dict[str, object]) -> float:
    size = float(str(params["size"]))
    return abs(math.log(size) - 1) + (0.5 if params["estimator"] == "linear" else float(str(params["rate"])))


def finished(
    sampler: SamplerName = "tpe", trials: int = 30, seed: int = 3, told: list[Told] | None = None, stop: int = -1
) -> list[Told]:
    """Everything told to a search that ran to its end, or that was cut off in the middle of trial `stop`."""
    search = Search(SPACE, sampler=sampler, trials=trials, seed=seed, first=FIRST, told=told or ())
    while trial := search.ask():
        if trial.number == stop:
            break
        search.tell(trial.number, None if trial.number % 7 == 3 else loss(trial.params))
    return search.told


@settings(max_examples=12, deadline=None)
@given(sampler=st.sampled_from(["tpe", "random", "grid"]), stop=st.integers(0, 20), seed=st.integers(0, 1000))
def test_a_search_that_was_cut_off_goes_on_as_if_nothing_had_been(sampler: SamplerName, stop: int, seed: int) -> None:
    """Rebuilt from the trials that ended, a search asks the cut-off trial again and then all others alike."""
    undisturbed = finished(sampler, 21, seed)
    resumed = finished(sampler, 21, seed, told=finished(sampler, 21, seed, stop=stop))
    assert resumed == undisturbed


def test_the_same_trial_is_asked_again_with_the_same_parameters() -> None:
    """Two searches that were told the same ask the same, under the same number."""
    told = finished(stop=15)
    first, second = (Search(SPACE, trials=30, seed=3, first=FIRST, told=told).ask() for _ in range(2))
    assert first == second
    assert first is not None
    assert first.number == 15


def test_the_defaults_come_first() -> None:
    """The points that are given come before all that is sampled."""
    assert [one.params for one in finished()[:2]] == FIRST


def test_other_seeds_ask_other_points() -> None:
    """The seed decides what is sampled."""
    assert finished(seed=1)[2:] != finished(seed=2)[2:]


def test_learning_finds_better_points_than_chance() -> None:
    """Over several seeds, TPE ends nearer to the optimum than random search with as many trials."""

    def end(sampler: SamplerName, seed: int) -> float:
        return min(one.value for one in finished(sampler, 40, seed) if one.value is not None)

    tpe, chance = (sorted(end(sampler, seed) for seed in range(5))[2] for sampler in ("tpe", "random"))
    assert tpe < chance


def test_a_grid_ends_where_its_points_end() -> None:
    """A grid walks each of its points once, the given ones first, and then asks nothing more."""
    told = finished("grid", trials=1000)
    points = [tuple(sorted(one.params.items())) for one in told]
    assert len(set(points)) == len(points) == 2 + 3 + 3 * 3 * 2
    assert Search(SPACE, sampler="grid", trials=1000, seed=3, first=FIRST, told=told).ask() is None


def test_several_trials_may_be_open_and_end_in_any_order() -> None:
    """Open trials are different ones; what was told last is not lost."""
    search = Search(SPACE, sampler="random", trials=4, seed=1)
    open_trials = [search.ask() for _ in range(5)]
    assert [trial.number for trial in open_trials if trial] == [0, 1, 2, 3]
    for number in (2, 0, 3, 1):
        search.tell(number, float(number))
    assert [one.number for one in search.told] == [0, 1, 2, 3]
    assert search.ask() is None


def test_the_best_is_the_earliest_of_equals_and_never_a_failed_one() -> None:
    """Direction decides which is best; failed trials and NaN do not count."""
    told = [Told(n, FIRST[0], value) for n, value in enumerate([None, 2.0, 3.0, 3.0, 1.0])]
    for direction, best in (("maximize", 2), ("minimize", 4)):
        search = Search(SPACE, trials=6, seed=1, direction=direction, told=told)
        trial = search.ask()
        assert trial is not None
        search.tell(trial.number, math.nan)
        found = search.best()
        assert found is not None
        assert found.number == best
    assert Search(SPACE, trials=1, seed=1).best() is None


def test_wrong_use_is_refused() -> None:
    """A trial that is not open cannot be told, and a given point must lie in the space."""
    with pytest.raises(InputError, match="not open"):
        Search(SPACE, trials=1, seed=1).tell(0, 1.0)
    with pytest.raises(InputError, match="outside"):
        Search(SPACE, trials=1, seed=1, first=[{"estimator": "linear", "size": 1000.0}])


def test_nothing_is_printed_and_the_users_own_logging_stays(capfd: pytest.CaptureFixture[str]) -> None:
    """Optuna keeps quiet for us and keeps the level that the user gave it."""
    import optuna

    optuna.logging.set_verbosity(logging.INFO)
    finished(trials=12)
    assert optuna.logging.get_verbosity() == logging.INFO
    assert capfd.readouterr() == ("", "")


@settings(max_examples=10, deadline=None)
@given(
    sampler=st.sampled_from(["tpe", "random", "grid", "gp"]),
    order=st.randoms(use_true_random=False),
    seed=st.integers(0, 1000),
)
def test_what_was_told_is_what_was_asked(sampler: SamplerName, order: random.Random, seed: int) -> None:
    """However many are open at once and in whatever order they end, each is told once, with what it was asked."""
    search = Search(SPACE, sampler=sampler, trials=25, seed=seed)
    asked: dict[int, dict[str, object]] = {}
    waiting: list[int] = []
    while True:
        trial = search.ask() if len(waiting) < 4 else None
        if trial is not None:
            asked[trial.number] = dict(trial.params)
            waiting.append(trial.number)
        elif not waiting:
            break
        else:
            number = waiting.pop(order.randrange(len(waiting)))
            search.tell(number, None if order.random() < 0.2 else loss(asked[number]))
    assert {one.number: one.params for one in search.told} == asked
    assert sorted(asked) == list(range(len(asked)))


@pytest.mark.parametrize("names", [{"sampler": "tpee"}, {"pruner": "meidan"}])
def test_a_mistyped_name_is_refused(names: dict[str, Any]) -> None:
    """With the nearest that there is."""
    with pytest.raises(InputError, match=r"did you mean '(tpe|median)'"):
        Search({"x": Float(0, 1)}, trials=1, seed=1, **names)
