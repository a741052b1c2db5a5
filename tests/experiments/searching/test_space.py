"""Spaces know their points, refuse what is outside, and walk themselves as a grid."""

import math
from collections.abc import Callable

import msgspec
import numpy as np
import pytest

from heptad.core.errors import InputError
from heptad.experiments import Branches, Choice, Float, Int, Suggest, check_params, describe_space
from heptad.experiments.searching.space import check_space, grid, located

SPACE = Branches(
    "estimator",
    {"linear": {"penalty": Float(0.01, 100, log=True)}, "tree": {"depth": Int(2, 6), "kind": Choice(("a", "b"))}},
)


def test_points_of_a_range_reach_from_end_to_end() -> None:
    """A range gives both of its ends and evenly spaced points between, by magnitude where it is logarithmic."""
    assert Float(0, 1).points(3) == [0, 0.5, 1]
    assert Float(0.01, 100, log=True).points(3) == [0.01, pytest.approx(1), 100]
    assert Int(2, 6).points(3) == [2, 4, 6]
    assert Int(1, 2).points(5) == [1, 2]
    assert Float(3, 3).points(4) == [3]


def test_a_grid_holds_every_combination_of_each_branch() -> None:
    """Each branch brings its own parameters and no others."""
    points = grid(SPACE, 3)
    assert len(points) == 3 + 3 * 2
    assert {"estimator": "tree", "depth": 4, "kind": "b"} in points
    assert all(("penalty" in point) == (point["estimator"] == "linear") for point in points)
    assert grid({"x": Int(0, 1), "y": Int(0, 1)}, 2) == [{"x": x, "y": y} for x in (0, 1) for y in (0, 1)]


def test_every_point_of_a_grid_is_in_its_space() -> None:
    """What the grid proposes is what the space allows."""
    for point in grid(SPACE, 4):
        check_params(SPACE, point)


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"estimator": "tree", "depth": 7, "kind": "a"}, "depth = 7"),
        ({"estimator": "tree", "depth": 3.0, "kind": "a"}, "depth = 3.0"),
        ({"estimator": "tree", "depth": True, "kind": "a"}, "depth = True"),
        ({"estimator": "tree", "kind": "a"}, "depth = None"),
        ({"estimator": "tree", "depth": 3, "kind": "c"}, "kind = 'c'"),
        ({"estimator": "forest"}, "estimator = 'forest'"),
        ({"estimator": "linear", "penalty": 1, "depth": 3}, "depth is not in the space"),
        ({"estimator": "linear", "penalty": math.nan}, "penalty = nan"),
    ],
)
def test_what_is_outside_is_refused_by_name(params: dict[str, object], named: str) -> None:
    """Missing, unknown and outlying values are refused, and the message says which."""
    with pytest.raises(InputError, match=named):
        check_params(SPACE, params)


def test_impossible_spaces_are_refused() -> None:
    """Empty ranges, logarithms from zero, choices of nothing, and a branch that chooses itself."""
    for make in (
        lambda: Float(1, 0),
        lambda: Float(0, math.inf),
        lambda: Int(0, 10, log=True),
        lambda: Choice(()),
        lambda: Branches("x", {}),
        lambda: Branches("x", {"a": {"x": Int(0, 1)}}),
    ):
        with pytest.raises(InputError):
            make()


def test_a_space_is_written_as_plain_data() -> None:
    """A study records its space as JSON that reads by itself."""
    described = describe_space(SPACE)
    assert described["branches"]["tree"]["depth"] == {"type": "int", "low": 2, "high": 6, "log": False}
    assert msgspec.json.decode(msgspec.json.encode(described)) == described


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda: Int(0.5, 3), "Int cannot range to 0.5"),  # type: ignore[arg-type]
        (lambda: Int(True, 3), "Int cannot range to True"),
        (lambda: Float("a", 3), "Float cannot range to 'a'"),  # type: ignore[arg-type]
        (lambda: Choice(("a", "b", "a")), "equal options"),
        (lambda: Choice((1, True)), "equal options"),
        (lambda: Choice("ab"), "is one text"),  # type: ignore[arg-type]
        (lambda: Choice(([1], [2])), r"option \[1\] of a choice"),  # type: ignore[arg-type]
        (lambda: Choice(((64, 64), (32,))), r"option \(64, 64\) of a choice(.|\n)*name it by a text"),  # type: ignore[arg-type]
        (lambda: Choice((1.0, math.nan)), "option nan of a choice"),
        (lambda: Choice((b"a",)), "option b'a' of a choice"),  # type: ignore[arg-type]
        (lambda: Branches("m", {1: {}}), "branch 1 of 'm' has no name"),  # type: ignore[dict-item]
        (lambda: check_space({"x": 3}), "dimension 'x' is 3"),  # type: ignore[dict-item]
        (lambda: check_space(None), "None is no space"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_dimension_is_refused(made: Callable[[], object], told: str) -> None:
    """Where it is written, with what is allowed."""
    with pytest.raises(InputError, match=told):
        made()


@pytest.mark.parametrize("kind", ["int64", "float32", "float64", "bool", "str"])
def test_values_of_numpy_are_options_and_bounds(kind: str) -> None:
    """They become Python's, so that they can be recorded, and come back equal."""
    given = np.array([0, 1]).astype(kind)
    options = Choice(given)  # type: ignore[arg-type]
    assert options == Choice(tuple(given.tolist()))
    assert describe_space({"x": options}) == describe_space({"x": Choice(tuple(given.tolist()))})
    assert all(type(value).__module__ == "builtins" for value in options.values)
    if kind.startswith(("int", "float")):
        space = {"x": (Int if kind == "int64" else Float)(*given)}
        assert {type(space["x"].low), type(space["x"].high)} <= {int, float}
        describe_space(space)


def test_a_number_may_be_logarithmic_in_one_branch_and_linear_in_another() -> None:
    """In a space in Python, where both have one name: the two are learnt apart."""

    def space(suggest: Suggest) -> None:
        if suggest.choice("kind", ("a", "b")) == "a":
            suggest.float("x", 0.01, 1, log=True)
        else:
            suggest.float("x", -2, 1)

    one, other = (located(space, {"kind": kind, "x": 0.5}) for kind in "ab")
    assert set(one) & set(other) == {"kind of ('a', 'b')"}


def test_numbers_of_numpy_are_bounds() -> None:
    """As they come out of a computation."""
    assert Int(np.int64(1), np.int64(3)).points(3) == [1, 2, 3]  # type: ignore[arg-type]
    assert Float(np.float32(1), 3).holds(2.0)  # type: ignore[arg-type]
