"""Whether more trials help is said with evidence, and not where nothing can be said."""

import numpy as np

from heptad.experiments.searching.forecast import forecast


def test_after_a_few_trials_nothing_is_said() -> None:
    """The sentence says how many it takes."""
    found = forecast([1.0] * 11, "minimize")
    assert (found.verdict, "it takes 12" in found.sentence) == ("cannot say", True)


def test_a_search_that_still_gains_is_told_from_one_that_does_not() -> None:
    """In either direction."""
    gaining = [100.0 - one for one in range(40)]
    done = [1.0, *np.random.default_rng(1).uniform(2, 3, 39)]
    for direction, sign in (("minimize", 1.0), ("maximize", -1.0)):
        assert forecast([sign * one for one in gaining], direction).verdict == "yes"  # type: ignore[arg-type]
        assert forecast([sign * one for one in done], direction).verdict == "no"  # type: ignore[arg-type]


def test_a_gain_below_the_noise_is_none() -> None:
    """Folds that differ more than what is to be gained leave nothing to see."""
    gaining = [100.0 - one for one in range(40)]
    found = forecast(gaining, "minimize", noise=50.0)
    assert (found.verdict, "noise" in found.sentence) == ("no", True)


def test_the_estimate_holds_for_random_search_about_as_often_as_it_says() -> None:
    """Over many searches by chance, what follows lies within the interval in most cases."""
    choice, right = np.random.default_rng(7), 0
    for _ in range(100):
        values = choice.uniform(0, 1, 90)
        found = forecast(list(values[:60]), "minimize")
        gained = values[:60].min() - values.min()
        right += found.low - 1e-12 <= gained <= found.high + 1e-12
    assert right >= 75
