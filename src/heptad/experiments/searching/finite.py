"""Spaces and grids that come to an end: how many of their points nobody has tried."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from heptad.experiments.records import Study
from heptad.experiments.searching.space import Branches, Choice, Dimension, Dimensions, Float, Space, Value, located

GRID_POINTS = 3
"""Of a number, in a grid."""


def points_left(study: Study, tried: Sequence[Mapping[str, Value]]) -> int | None:
    """How many points of a study's space, or of its grid, were not tried; `None` where there is no end of them.

    Of a space that is a function it cannot be known.
    """
    if "function" in study.space and not isinstance(study.space["function"], Mapping):
        return None
    space, of_grid = _read(study.space), study.sampler == "grid"
    size = _size(space, _of_grid if of_grid else _of_space)
    if not math.isfinite(size):
        return None
    seen = {
        tuple(sorted(params.items()))
        for params in tried
        if not of_grid
        or all(value in dimension.points(GRID_POINTS) for dimension, value in located(space, params).values())
    }
    return int(size) - len(seen)


def _read(described: Mapping[str, Any]) -> Dimensions | Branches:
    """A space, from what its study records of it."""
    if isinstance(described.get("name"), str):
        return Branches(described["name"], {name: _dimensions(one) for name, one in described["branches"].items()})
    return _dimensions(described)


def _dimensions(described: Mapping[str, Any]) -> Dimensions:
    read: dict[str, Dimension | Branches] = {}
    for name, one in described.items():
        if "type" in one and isinstance(one["type"], str):
            read[name] = msgspec.convert(one, Dimension)
        else:
            inner = _read(one)
            assert isinstance(inner, Branches)
            read[name] = inner
    return read


def _size(space: Space, count: Callable[[Dimension], float]) -> float:
    if isinstance(space, Branches):
        return sum(_size(one, count) for one in space.branches.values())
    assert isinstance(space, Mapping)
    return math.prod(_size(one, count) if isinstance(one, Branches) else count(one) for one in space.values())


def _of_grid(dimension: Dimension) -> float:
    return len(dimension.points(GRID_POINTS))


def _of_space(dimension: Dimension) -> float:
    match dimension:
        case Choice(values):
            return len(values)
        case Float(low, high):
            return 1 if low == high else math.inf
        case _:
            return dimension.high - dimension.low + 1
