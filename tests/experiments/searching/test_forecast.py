"""Whether more trials help is said with how often it was so, and not where nothing can be said."""

import math

import numpy as np

from heptad.experiments import Float, Search
from heptad.experiments.searching.forecast import forecast


def test_after_a_few_trials_nothing_is_said() -> None:
    """The sentence says how many it takes."""
    found = forecast([1.0] * 11, "minimize", learns=True)
    assert (found.verdict, "it takes 12" in found.sentence) == ("cannot say", True)


def test_a_search_that_has_come_together_is_told_from_one_that_has_not() -> None:
    """In either direction, where the sampler learns."""
    apart = [100.0 - one for one in range(40)]
    together = [*np.linspace(100, 1, 20), *np.linspace(1, 0, 20)]
    for direction, sign in (("minimize", 1.0), ("maximize", -1.0)):
        assert forecast([sign * one for one in apart], direction, learns=True).verdict == "yes"  # type: ignore[arg-type]
        assert forecast([sign * one for one in together], direction, learns=True).verdict == "no"  # type: ignore[arg-type]


def test_of_a_search_by_chance_it_is_said_that_it_cannot_be_told() -> None:
    """With how often more trials helped: whether the next beats the best does not follow from those before."""
    found = forecast([100.0 - one for one in range(40)], "minimize", learns=False)
    assert (found.verdict, 0.2 < found.chance < 0.3) == ("cannot say", True)


def test_a_gain_below_the_noise_is_none() -> None:
    """Folds that differ more than the best trials do leave nothing to see, whoever proposes."""
    for learns in (True, False):
        found = forecast([100.0 - one for one in range(40)], "minimize", learns=learns, noise=50.0)
        assert (found.verdict, "noise" in found.sentence) == ("no", True)


def test_equal_values_are_no_trouble() -> None:
    """There is nothing to gain."""
    assert forecast([1.0] * 20, "minimize", learns=True).verdict == "no"


def test_the_most_that_is_said_holds_in_most_searches() -> None:
    """By chance: over many of them, what follows is more in few."""
    choice, right = np.random.default_rng(7), 0
    for _ in range(100):
        values = ((choice.uniform(0, 1, (60, 3)) - 0.3) ** 2).sum(axis=1)
        found = forecast(list(values[:40]), "minimize", learns=False)
        right += values[:40].min() - values.min() <= found.high
    assert right >= 85


def waves(place: list[float]) -> float:
    """Ackley's function: a hole among many."""
    squares = sum((10 * (one - 0.3)) ** 2 for one in place) / len(place)
    cosines = sum(math.cos(20 * math.pi * (one - 0.3)) for one in place) / len(place)
    return -20 * math.exp(-0.2 * math.sqrt(squares)) - math.exp(cosines)


def bowl(place: list[float]) -> float:
    return sum((one - 0.3) ** 2 for one in place)


def test_yes_is_followed_by_a_gain_more_often_than_no() -> None:
    """Counted over searches with TPE that have not come together after 40 trials and such that have."""
    gained: dict[str, list[bool]] = {"yes": [], "perhaps": [], "no": []}
    for seed in range(8):
        for loss, names in ((bowl, "x"), (waves, "xyzuvw")):
            search = Search({name: Float(0, 1) for name in names}, trials=60, seed=seed)
            values = []
            while trial := search.ask():
                values.append(loss([float(value) for value in trial.params.values()]))
                search.tell(trial.number, values[-1])
            found = forecast(values[:40], "minimize", learns=True)
            worth = 0.02 * (float(np.median(values[:13])) - min(values[:40]))
            gained[found.verdict].append(min(values[:40]) - min(values) > worth)
    assert min(len(gained["yes"]), len(gained["no"])) >= 6
    assert np.mean(gained["yes"]) > np.mean(gained["no"]) + 0.3
