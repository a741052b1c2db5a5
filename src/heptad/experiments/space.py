"""Search spaces: which values a parameter may take, and which parameters exist only beside a choice."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from heptad.core.errors import InputError

Value: TypeAlias = str | float | int | bool


class Float(msgspec.Struct, frozen=True, tag="float"):
    """A number between `low` and `high`, both included; `log` searches orders of magnitude evenly."""

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        _check_range(self.low, self.high, log=self.log)

    def holds(self, value: Any) -> bool:
        return _is_number(value) and self.low <= value <= self.high

    def points(self, most: int) -> list[float]:
        """At most `most` values, evenly from `low` to `high`."""
        return _spread(self.low, self.high, most, log=self.log)


class Int(msgspec.Struct, frozen=True, tag="int"):
    """A whole number between `low` and `high`, both included; `log` searches orders of magnitude evenly."""

    low: int
    high: int
    log: bool = False

    def __post_init__(self) -> None:
        _check_range(self.low, self.high, log=self.log)

    def holds(self, value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high

    def points(self, most: int) -> list[int]:
        """At most `most` values, evenly from `low` to `high`."""
        spread = _spread(self.low, self.high, most, log=self.log)
        return list(dict.fromkeys(round(value) for value in spread))


class Choice(msgspec.Struct, frozen=True, tag="choice"):
    """One of the given values, without an order."""

    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise InputError("A choice without values cannot be searched.", allowed="at least one value")

    def holds(self, value: Any) -> bool:
        return any(value == known and type(value) is type(known) for known in self.values)

    def points(self, most: int) -> list[Value]:  # noqa: ARG002 - every value of a choice is a point
        """All values."""
        return list(self.values)


Dimension: TypeAlias = Float | Int | Choice
Dimensions: TypeAlias = Mapping[str, Dimension]


class Branches(msgspec.Struct, frozen=True):
    """A conditional space: `name` chooses a branch, and only the chosen branch's dimensions exist beside it.

    >>> space = Branches("estimator", {"linear": {"c": Float(0.01, 10, log=True)}, "tree": {"depth": Int(2, 8)}})
    >>> space.dimensions("tree")
    {'depth': Int(low=2, high=8, log=False)}
    """

    name: str
    branches: Mapping[str, Dimensions]

    def __post_init__(self) -> None:
        if not self.branches:
            raise InputError(f"The space has no branch for {self.name!r}.", allowed="at least one branch")
        for branch, dimensions in self.branches.items():
            if self.name in dimensions:
                raise InputError(f"Branch {branch!r} has a dimension {self.name!r}, which chooses the branch.")

    def dimensions(self, branch: str) -> Dimensions:
        return self.branches[branch]


Space: TypeAlias = Dimensions | Branches


def check_params(space: Space, params: Mapping[str, Any]) -> None:
    """Raise `InputError` where `params` is not one point of the space: a missing, unknown or outlying value."""
    dimensions = dict(space) if isinstance(space, Mapping) else _with_branch(space, params)
    wrong = [
        f"{name} = {params.get(name)!r} (allowed: {dimension})"
        for name, dimension in dimensions.items()
        if name not in params or not dimension.holds(params[name])
    ]
    wrong += [f"{name} is not in the space" for name in params if name not in dimensions]
    if wrong:
        raise InputError("These parameters are outside of the space: " + "; ".join(wrong))


def grid(space: Space, points: int) -> list[dict[str, Value]]:
    """Every combination of at most `points` values a number and all values of a choice, in a fixed order."""
    if isinstance(space, Mapping):
        return list(_product(space, points))
    return [
        {space.name: branch, **params}
        for branch, dimensions in space.branches.items()
        for params in _product(dimensions, points)
    ]


def describe_space(space: Space) -> dict[str, Any]:
    """The space as JSON data, as a `Study` records it."""
    described: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(space))
    return described


def _with_branch(space: Branches, params: Mapping[str, Any]) -> dict[str, Dimension]:
    branch = str(params.get(space.name))
    chooser: dict[str, Dimension] = {space.name: Choice(tuple(space.branches))}
    return chooser | dict(space.branches[branch]) if branch in space.branches else chooser


def _product(dimensions: Dimensions, points: int) -> Iterator[dict[str, Value]]:
    lists: Sequence[Sequence[Value]] = [dimension.points(points) for dimension in dimensions.values()]
    for values in itertools.product(*lists):
        yield dict(zip(dimensions, values, strict=True))


def _spread(low: float, high: float, most: int, *, log: bool) -> list[float]:
    if low == high or most == 1:
        return [low]
    steps = [step / (most - 1) for step in range(most)]
    inner = [low * (high / low) ** step if log else low + (high - low) * step for step in steps[1:-1]]
    return [low, *inner, high]


def _check_range(low: float, high: float, *, log: bool) -> None:
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise InputError(f"The range from {low} to {high} is empty or not finite.", allowed="low <= high, both finite")
    if log and low <= 0:
        raise InputError(f"A logarithmic range cannot start at {low}.", allowed="low > 0")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
