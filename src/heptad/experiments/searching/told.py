"""What is asked and what is told in a search."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from heptad.experiments.searching.space import Value

Direction: TypeAlias = Literal["maximize", "minimize"]


class Trial(msgspec.Struct, frozen=True):
    """Parameters to try; `number` counts from 0."""

    number: int
    params: dict[str, Value]


class Told(msgspec.Struct, frozen=True):
    """How a trial ended; without a value it failed, or was stopped early."""

    number: int
    params: dict[str, Value]
    value: float | None
    """Of the first objective."""
    values: tuple[float, ...] = ()
    """Of all objectives, where there are several."""
    violations: dict[str, float] = {}
    """Figure to the most by which it misses one of its constraints; 0 or less: it meets all."""
    reports: dict[int, float] = {}
    """Step to the first objective as it was then."""
    pruned: bool = False
    seconds: float = 0.0
    cost: float = 0.0
    at_once: int = 1
    """How many trials ran at once where it did: a budget of time counts that part of its seconds."""

    @property
    def feasible(self) -> bool:
        return all(by <= 0 for by in self.violations.values())

    @property
    def all_values(self) -> tuple[float, ...]:
        return self.values or (() if self.value is None else (self.value,))


def sign_of(direction: Direction) -> int:
    """What a value is multiplied by so that less is better."""
    return -1 if direction == "maximize" else 1


def pareto_front(told: Sequence[Told], directions: Sequence[Direction]) -> list[Told]:
    """The feasible trials that no other is at least as good as in every objective and better in one, by number."""
    signs = [sign_of(direction) for direction in directions]
    costs = {
        one.number: [sign * value for sign, value in zip(signs, one.all_values, strict=True)]
        for one in told
        if one.value is not None and one.feasible
    }

    def is_beaten(mine: list[float]) -> bool:
        return any(other != mine and all(a <= b for a, b in zip(other, mine, strict=True)) for other in costs.values())

    return [one for one in told if one.number in costs and not is_beaten(costs[one.number])]
