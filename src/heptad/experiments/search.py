"""Ask-and-tell search over a space: it proposes parameters and is told values, and never calls anybody's code."""

import logging
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal, TypeAlias, cast

import msgspec
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from heptad.core.errors import InputError
from heptad.core.records import canonical_json, digest_of
from heptad.experiments.space import (
    Branches,
    Choice,
    Dimension,
    Dimensions,
    Float,
    Int,
    Space,
    Value,
    check_params,
    grid,
)

SamplerName: TypeAlias = Literal["tpe", "random", "grid"]
_GRID_POINTS = 3


class Trial(msgspec.Struct, frozen=True):
    """Parameters to try; `number` counts from 0."""

    number: int
    params: dict[str, Value]


class Told(msgspec.Struct, frozen=True):
    """How a trial ended; without a value it failed."""

    number: int
    params: dict[str, Value]
    value: float | None


class Search:
    """Proposes `trials` points of `space`, the ones in `first` before all others.

    What is asked depends on the seed, the trial's number and the values told before, and on nothing else: each trial
    samples with a seed of its own. So a search that is rebuilt from the trials that ended (`told`) asks a trial that
    was cut off again, under the same number and with the same parameters, and then goes on as if nothing had been.
    Where several trials are open at once, it goes by the values told by then. A failed trial teaches nothing.

    `tpe` learns from what it was told (Bergstra et al., 2011; each parameter by itself, so that conditional ones are
    learnt from the trials that had them), `random` does not, `grid` walks three points a number and all values of a
    choice in an order shuffled by the seed, and ends where the grid ends.

    >>> search = Search({"x": Float(-1, 1)}, sampler="random", trials=2, seed=7)
    >>> trial = search.ask()
    >>> search.tell(trial.number, trial.params["x"] ** 2)
    >>> search.best().number
    0
    """

    def __init__(
        self,
        space: Space,
        *,
        sampler: SamplerName = "tpe",
        trials: int,
        seed: int,
        direction: Literal["maximize", "minimize"] = "minimize",
        first: Sequence[Mapping[str, Value]] = (),
        told: Sequence[Told] = (),
    ) -> None:
        for params in first:
            check_params(space, params)
        self.space = space
        self.direction = direction
        self._sampler = sampler
        self._seed = seed
        self._first = [dict(params) for params in first]
        self._fixed = self._first + _rest_of_grid(space, self._first, seed) if sampler == "grid" else self._first
        self.trials = min(trials, len(self._fixed)) if sampler == "grid" else trials
        self._open: dict[int, dict[str, Value]] = {}
        self._told: dict[int, Told] = {}
        self._study = _quiet_study(direction)
        for one in sorted(told, key=lambda one: one.number):
            self._record(one)

    def ask(self) -> Trial | None:
        """The lowest-numbered trial that was neither told nor asked; `None` where all were."""
        number = next((n for n in range(self.trials) if n not in self._told and n not in self._open), None)
        if number is None:
            return None
        params = dict(self._fixed[number]) if number < len(self._fixed) else self._sample(number)
        self._open[number] = params
        return Trial(number, params)

    def tell(self, number: int, value: float | None) -> None:
        """What an asked trial came to; `None` or NaN where it failed."""
        if number not in self._open:
            raise InputError(f"Trial {number} is not open.", allowed=", ".join(map(str, self._open)) or "none is")
        params = self._open.pop(number)
        self._record(Told(number, params, None if value is None or value != value else value))  # noqa: PLR0124 - NaN

    def best(self) -> Told | None:
        """The trial with the best value, the earliest of equals; `None` while none has a value."""
        sign = -1 if self.direction == "maximize" else 1
        ended = [one for one in self._told.values() if one.value is not None]
        return min(ended, key=lambda one: (sign * (one.value or 0.0), one.number), default=None)

    @property
    def told(self) -> list[Told]:
        return [self._told[number] for number in sorted(self._told)]

    def _record(self, told: Told) -> None:
        check_params(self.space, told.params)
        self._told[told.number] = told
        if told.value is not None:
            self._study.add_trial(
                optuna.trial.create_trial(
                    params={_qualified(self.space, told.params, name): value for name, value in told.params.items()},
                    distributions=_distributions(self.space, told.params),
                    value=told.value,
                )
            )

    def _sample(self, number: int) -> dict[str, Value]:
        """One point by the sampler. Optuna's own trial is thrown away: only ended trials are kept in its study."""
        seed = int(digest_of(canonical_json([self._seed, number]))[:8], 16)
        study = self._study
        study.sampler = (
            optuna.samplers.TPESampler(seed=seed, multivariate=False, constant_liar=False)
            if self._sampler == "tpe"
            else optuna.samplers.RandomSampler(seed=seed)
        )
        trial = study.ask()
        params: dict[str, Value] = {}
        dimensions: Dimensions
        if isinstance(self.space, Branches):
            branch = trial.suggest_categorical(self.space.name, list(self.space.branches))
            params[self.space.name] = branch
            dimensions = self.space.dimensions(branch)
        else:
            dimensions = self.space
        for name, dimension in dimensions.items():
            params[name] = _suggest(trial, _qualified(self.space, params, name), dimension)
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
        return params


def _suggest(trial: "optuna.Trial", name: str, dimension: Dimension) -> Value:
    match dimension:
        case Float(low, high, log):
            return trial.suggest_float(name, low, high, log=log)
        case Int(low, high, log):
            return trial.suggest_int(name, low, high, log=log)
        case Choice(values):
            return cast(Value, trial.suggest_categorical(name, values))


def _qualified(space: Space, params: Mapping[str, Value], name: str) -> str:
    """The name under which Optuna knows a parameter: branches may share names and differ in ranges."""
    if isinstance(space, Branches) and name != space.name:
        return f"{params[space.name]}.{name}"
    return name


def _distributions(space: Space, params: Mapping[str, Value]) -> dict[str, BaseDistribution]:
    if not isinstance(space, Branches):
        return {name: _distribution(dimension) for name, dimension in space.items()}
    dimensions = space.dimensions(str(params[space.name]))
    own = {_qualified(space, params, name): _distribution(dimension) for name, dimension in dimensions.items()}
    return {space.name: _distribution(Choice(tuple(space.branches)))} | own


def _distribution(dimension: Dimension) -> BaseDistribution:
    match dimension:
        case Float(low, high, log):
            return FloatDistribution(low, high, log=log)
        case Int(low, high, log):
            return IntDistribution(low, high, log=log)
        case Choice(values):
            return CategoricalDistribution(values)


def _rest_of_grid(space: Space, first: Sequence[dict[str, Value]], seed: int) -> list[dict[str, Value]]:
    points = [point for point in grid(space, _GRID_POINTS) if point not in first]
    random.Random(seed).shuffle(points)
    return points


def _quiet_study(direction: Literal["maximize", "minimize"]) -> "optuna.Study":
    with _quiet():
        return optuna.create_study(direction=direction)


@contextmanager
def _quiet() -> Iterator[None]:
    """Optuna announces each study on stderr; its level is put back, as the user may use Optuna too."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
