"""Search spaces: which values a parameter may take, and which parameters exist only beside a choice."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from numbers import Integral
from numbers import Real as AnyReal
from typing import Any, TypeAlias

import msgspec

from heptad.core.code_digest import CodeReader
from heptad.core.errors import InputError
from heptad.core.records import canonical_json, digest_of

Value: TypeAlias = str | float | int | bool
_OPTIONS = (str, float, int, bool, type(None))
"""Types of options that come back from the store as they were."""
_GRID_MOST, _GRID_DEPTH = 100_000, 10_000


class Float(msgspec.Struct, frozen=True, tag="float"):
    """A number between `low` and `high`, both included; `log` searches orders of magnitude evenly."""

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        _check_bounds(self, AnyReal, "numbers")
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
        _check_bounds(self, Integral, "whole numbers")
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
        given: Any = self.values
        if isinstance(given, str):
            raise InputError(f"The choice {given!r} is one text.", allowed="several options: Choice(('a', 'b'))")
        values = tuple(_plain(value) for value in given)
        if not values:
            raise InputError("A choice without values cannot be searched.", allowed="at least one value")
        for value in values:
            if type(value) not in _OPTIONS or (isinstance(value, float) and not math.isfinite(value)):
                raise InputError(
                    f"The option {value!r} of a choice cannot be recorded as it is.",
                    allowed="texts, finite numbers, True, False, None",
                    remedy="name it by a text, and let the objective look up what that means",
                )
        if len(set(values)) < len(values):
            raise InputError(f"The choice has equal options: {values!r}.", allowed="each option once")
        msgspec.structs.force_setattr(self, "values", values)

    def holds(self, value: Any) -> bool:
        return any(value == known and type(value) is type(known) for known in self.values)

    def points(self, most: int) -> list[Value]:  # noqa: ARG002 - every value of a choice is a point
        """All values."""
        return list(self.values)


Dimension: TypeAlias = Float | Int | Choice


class Branches(msgspec.Struct, frozen=True):
    """A conditional space: `name` chooses a branch, and only the chosen branch's dimensions exist beside it.

    A dimension of a branch may be `Branches` again, to any depth, under the name that it has itself.

    >>> space = Branches("estimator", {"linear": {"c": Float(0.01, 10, log=True)}, "tree": {"depth": Int(2, 8)}})
    >>> space.dimensions("tree")
    {'depth': Int(low=2, high=8, log=False)}
    """

    name: str
    branches: "Mapping[str, Dimensions]"

    def __post_init__(self) -> None:
        if not self.branches:
            raise InputError(f"The space has no branch for {self.name!r}.", allowed="at least one branch")
        for branch, dimensions in self.branches.items():
            if not isinstance(branch, str):
                raise InputError(f"The branch {branch!r} of {self.name!r} has no name.", allowed="a text")
            for name in _names(dimensions):
                if name == self.name:
                    raise InputError(f"Branch {branch!r} has a dimension {name!r}, which chooses the branch.")

    def dimensions(self, branch: str) -> "Dimensions":
        return self.branches[branch]


Dimensions: TypeAlias = Mapping[str, Dimension | Branches]
Real: TypeAlias = float
Whole: TypeAlias = int


class Suggest:
    """What a space that is a Python function asks for its values; the values it got decide what it asks next.

    >>> def space(suggest: Suggest) -> None:
    ...     if suggest.choice("kind", ("linear", "tree")) == "tree":
    ...         suggest.int("depth", 2, 8)
    """

    def __init__(self, pick: "Pick", params: dict[str, Value]) -> None:
        self._pick, self._params = pick, params
        self._asked: dict[str, Dimension] = {}

    def float(self, name: str, low: Real, high: Real, *, log: bool = False) -> Real:
        return float(self._value(name, Float(low, high, log)))

    def int(self, name: str, low: Whole, high: Whole, *, log: bool = False) -> Whole:
        return int(self._value(name, Int(low, high, log)))

    def choice(self, name: str, values: Sequence[Value]) -> Value:
        return self._value(name, Choice(tuple(values)))

    def _value(self, name: str, dimension: Dimension) -> Value:
        known = self._asked.setdefault(name, dimension)
        if known != dimension:
            raise InputError(f"The space asks for {name!r} as {known} and as {dimension}.", allowed="one range a name")
        if name not in self._params:
            self._params[name] = self._pick(_learnt_as(name, dimension), name, dimension)
        return self._params[name]


def _learnt_as(name: str, dimension: Dimension) -> str:
    """Choices of other values, and scales of another kind, are learnt apart; ranges of numbers may move."""
    if isinstance(dimension, Choice):
        return f"{name} of {dimension.values}"
    return f"{name} {type(dimension)}{' log' if dimension.log else ''}"


SpaceFunction: TypeAlias = Callable[[Suggest], Any]
Space: TypeAlias = Dimensions | Branches | SpaceFunction
Pick: TypeAlias = Callable[[str, str, Dimension], Value]
"""The value of a dimension, by the name under which it is learnt, its own name, and what it may be."""


def walk(space: Space, pick: Pick) -> dict[str, Value]:
    """One point of the space: `pick` is asked for each value that exists beside those it has chosen before."""
    params: dict[str, Value] = {}
    if isinstance(space, Branches):
        _walk({space.name: space}, "", pick, params)
    elif isinstance(space, Mapping):
        _walk(space, "", pick, params)
    else:
        space(Suggest(pick, params))
    return params


def located(space: Space, params: Mapping[str, Value]) -> dict[str, tuple[Dimension, Value]]:
    """The dimensions of a point by the names under which they are learnt, each with its value."""
    found: dict[str, tuple[Dimension, Value]] = {}

    def given(path: str, name: str, dimension: Dimension) -> Value:
        found[path] = dimension, params[name]
        return params[name]

    walk(space, given)
    return found


def check_space(space: Space) -> None:
    """Raise `InputError` for what is no space, names that clash, and branches under another name than their own."""
    if isinstance(space, Branches):
        _check_names({space.name: space}, frozenset())
    elif isinstance(space, Mapping):
        _check_names(space, frozenset())
    elif not callable(space):
        raise InputError(
            f"{space!r} is no space.", allowed='dimensions by name, as {"x": Float(0, 1)}; Branches; or a function'
        )


def check_params(space: Space, params: Mapping[str, Any]) -> None:
    """Raise `InputError` where `params` is not one point of the space: a missing, unknown or outlying value."""
    wrong: list[str] = []
    visited: set[str] = set()

    def given(_: str, name: str, dimension: Dimension) -> Value:
        visited.add(name)
        if name in params and dimension.holds(params[name]):
            value: Value = params[name]
            return value
        wrong.append(f"{name} = {params.get(name)!r} (allowed: {dimension})")
        if isinstance(dimension, Choice):
            # What would exist beside it cannot be known.
            raise _UnknownBranchError
        return dimension.points(1)[0]

    try:
        walk(space, given)
    except _UnknownBranchError:
        pass
    else:
        wrong += [f"{name} is not in the space" for name in params if name not in visited]
    if wrong:
        raise InputError("These parameters are outside of the space: " + "; ".join(wrong))


class _UnknownBranchError(Exception):
    """A choice was given no value of its own."""


def grid(space: Space, points: int) -> list[dict[str, Value]]:
    """Every combination of at most `points` values a number and all values of a choice, in a fixed order.

    Raises `InputError` for more than 100,000 of them.
    """
    found: list[dict[str, Value]] = []
    trail: list[list[int]] = []
    while True:
        place = iter(range(_GRID_DEPTH))

        def pick(_: str, __: str, dimension: Dimension, place: Iterator[int] = place) -> Value:
            values, depth = dimension.points(points), next(place)
            if depth == len(trail):
                trail.append([0, len(values)])
            return values[trail[depth][0]]

        found.append(walk(space, pick))
        if len(found) > _GRID_MOST:
            raise InputError(
                f"The grid has more than {_GRID_MOST:,} points.", remedy="fewer dimensions, or another sampler: random"
            )
        while trail and trail[-1][0] + 1 == trail[-1][1]:
            trail.pop()
        if not trail:
            return found
        trail[-1][0] += 1


def describe_space(space: Space) -> dict[str, Any]:
    """The space as JSON data, as a `Study` records it; of a function, what it is called and what it computes."""
    if not isinstance(space, Branches | Mapping):
        return {"function": getattr(space, "__qualname__", type(space).__name__), "code": code_of(space)}
    described: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(space))
    return described


def code_of(function: Any) -> str:
    """A digest of what a function computes, with everything of the project that it reaches."""
    return digest_of(canonical_json(CodeReader().parts(function)))[:16]


def _walk(dimensions: Dimensions, path: str, pick: Pick, params: dict[str, Value]) -> None:
    for name, dimension in dimensions.items():
        if isinstance(dimension, Branches):
            branch = str(pick(path + name, name, Choice(tuple(dimension.branches))))
            params[name] = branch
            _walk(dimension.dimensions(branch), f"{path}{name}={branch}/", pick, params)
        else:
            params[name] = pick(path + name, name, dimension)


def _names(dimensions: Dimensions) -> Iterator[str]:
    for name, dimension in dimensions.items():
        yield name
        if isinstance(dimension, Branches):
            for inner in dimension.branches.values():
                yield from _names(inner)


def _check_names(dimensions: Dimensions, outer: frozenset[str]) -> None:
    taken = set(outer)
    for name, dimension in dimensions.items():
        if not isinstance(dimension, Float | Int | Choice | Branches):
            raise InputError(f"The dimension {name!r} is {dimension!r}.", allowed="a Float, Int, Choice or Branches")
        own = {name, *_names({name: dimension})}
        if own & taken:
            raise InputError(f"The name {min(own & taken)!r} is in the space twice.", allowed="one dimension a name")
        if isinstance(dimension, Branches):
            if dimension.name != name:
                raise InputError(f"The branches {dimension.name!r} lie under the name {name!r}.", allowed="their own")
            for inner in dimension.branches.values():
                _check_names(inner, outer | taken | {name})
        taken |= own


def _spread(low: float, high: float, most: int, *, log: bool) -> list[float]:
    if low == high or most == 1:
        return [low]
    steps = [step / (most - 1) for step in range(most)]
    inner = [low * (high / low) ** step if log else low + (high - low) * step for step in steps[1:-1]]
    return [low, *inner, high]


def _check_bounds(dimension: Float | Int, kind: type, allowed: str) -> None:
    """Refuse bounds of another kind; those of NumPy, and fractions, become Python's numbers."""
    for name in ("low", "high"):
        bound = getattr(dimension, name)
        if not isinstance(bound, kind) or isinstance(bound, bool):
            raise InputError(f"{type(dimension).__name__} cannot range to {bound!r}.", allowed=allowed)
        if type(bound) not in (int, float):
            as_python = int if isinstance(bound, Integral) else float
            msgspec.structs.force_setattr(dimension, name, as_python(getattr(dimension, name)))


def _plain(value: Any) -> Any:
    """A number, text or boolean of NumPy as Python's; anything else as it is."""
    return value.item() if type(value).__module__ == "numpy" and value.ndim == 0 else value


def _check_range(low: float, high: float, *, log: bool) -> None:
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise InputError(f"The range from {low} to {high} is empty or not finite.", allowed="low <= high, both finite")
    if log and low <= 0:
        raise InputError(f"A logarithmic range cannot start at {low}.", allowed="low > 0")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
