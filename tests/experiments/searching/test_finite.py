"""Whether a space or its grid has come to an end."""

from typing import Any

import pytest

from heptad.experiments import Branches, Choice, Float, Int, Space, Study, describe_space
from heptad.experiments.searching.finite import points_left
from heptad.experiments.searching.search import Search

NESTED = Branches("m", {"a": {"n": Int(1, 9), "deep": Branches("deep", {"p": {"x": Float(0, 1)}, "q": {}})}, "b": {}})


def study(space: Space, sampler: str) -> Study:
    return Study(
        name="s", metric="v", direction="minimize", sampler=sampler, seed=1, space=describe_space(space), first=[]
    )


@pytest.mark.parametrize("space", [NESTED, {"x": Float(0, 1), "c": Choice(("a", "b"))}, {}])
def test_a_grid_has_as_many_points_as_it_is_searched_with(space: Space) -> None:
    """In spaces of any shape."""
    params: list[dict[str, Any]] = []
    search = Search(space, sampler="grid", trials=1000, seed=1)
    assert points_left(study(space, "grid"), []) == search.trials
    while trial := search.ask():
        params.append(trial.params)
        search.tell(trial.number, 1.0)
    assert points_left(study(space, "grid"), params) == 0


def test_points_that_were_given_beside_a_grid_are_none_of_it() -> None:
    """They do not bring its end nearer."""
    given = study({"x": Float(0, 1)}, "grid")
    assert points_left(given, [{"x": 0.123}, {"x": 0.0}, {"x": 0.0}]) == 2


def test_a_space_without_ranges_of_numbers_ends_for_every_sampler() -> None:
    """The same point counts once; where a number can be anything between, or a function decides, there is no end."""
    finite = {"n": Int(1, 3), "c": Choice(("a", "b"))}
    tried = [{"n": 1, "c": "a"}, {"n": 1, "c": "a"}, {"n": 3, "c": "b"}]
    assert points_left(study(finite, "tpe"), tried) == 4
    assert points_left(study({"x": Float(0, 1)}, "tpe"), []) is None
    assert points_left(study(lambda suggest: suggest.int("n", 1, 2), "grid"), []) is None
    assert points_left(study({"function": Choice(("a", "b"))}, "random"), []) == 2
