"""Samplers: who proposes the next point, from the trials that were told and a seed of the point's own."""

import logging
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal, Protocol, TypeAlias, cast

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from heptad.core.errors import InputError
from heptad.experiments.searching.scaling import numbers_of
from heptad.experiments.searching.space import Choice, Dimension, Float, Int, Space, Value, grid, located, walk
from heptad.experiments.searching.told import Direction, Told, sign_of

SamplerName: TypeAlias = Literal["tpe", "random", "grid", "cmaes", "gp"]
_GRID_POINTS = 3


class Sampler(Protocol):
    """Proposes points. What it proposes follows from what it learnt, in the order of the numbers, and the seed."""

    def learn(self, told: Told) -> None:
        """Another trial has ended."""
        ...

    def sample(self, seed: int) -> dict[str, Value]:
        """A point of the space."""
        ...


class OptunaSampler:
    """TPE or random search of Optuna, its study kept in memory; each parameter is learnt by itself."""

    def __init__(self, space: Space, name: Literal["tpe", "random"], directions: Sequence[Direction]) -> None:
        self._space, self._name = space, name
        self._study = quiet_study(directions)
        self._asked = optuna.trial.create_trial(state=optuna.trial.TrialState.RUNNING)

    def learn(self, told: Told) -> None:
        if self._name == "tpe" and (told.value is not None or told.pruned):
            self._study.add_trial(as_optuna_trial(self._space, told))

    def sample(self, seed: int) -> dict[str, Value]:
        """The sampler is asked without a trial of Optuna's: making one and throwing it away took half of the time."""
        study = self._study
        # What `Study.ask` does: the list of trials is made anew, and then kept for all parameters of a point.
        study._thread_local.cached_all_trials = None  # noqa: SLF001
        sampler = (
            optuna.samplers.TPESampler(seed=seed, multivariate=False, constant_liar=False)
            if self._name == "tpe"
            else optuna.samplers.RandomSampler(seed=seed)
        )

        def pick(path: str, _: str, dimension: Dimension) -> Value:
            distribution = _distribution(dimension)
            if distribution.single():
                return dimension.points(1)[0]
            found = sampler.sample_independent(study, self._asked, path, distribution)
            return int(found) if isinstance(dimension, Int) else cast(Value, found)

        return walk(self._space, pick)


class ModelSampler:
    """CMA-ES for the numbers outside of branches, TPE for all else; or a Gaussian process for everything."""

    def __init__(self, space: Space, name: Literal["cmaes", "gp"], direction: Direction, seed: int, given: int) -> None:
        self._space, self._name, self._sign = space, name, sign_of(direction)
        self._seed, self._given = seed, given
        self._numbers = numbers_of(space)
        self._rest = OptunaSampler(space, "tpe", [direction])
        self._told: dict[int, tuple[Told, float]] = {}
        if name == "cmaes" and not len(self._numbers):
            raise InputError(
                "The space has no number outside of branches, so there is nothing that CMA-ES could adapt.",
                allowed="a declared space with a Float or Int; or the samplers tpe, gp, random",
            )
        self._model = self._opened()

    def learn(self, told: Told) -> None:
        loss = math.inf if told.value is None else self._sign * told.value
        self._told[told.number] = told, loss if told.feasible else math.inf
        self._rest.learn(told)

    def sample(self, seed: int) -> dict[str, Value]:
        losses = [self._told[number] for number in sorted(self._told)]
        found = self._model.sample(losses, seed)
        whole = self._name == "gp" or len(found) == len(cast("Mapping[str, object]", self._space))
        return found if whole else {**self._rest.sample(seed), **found}

    def _opened(self) -> "_Model":
        # Both load what others do not need.
        if self._name == "gp":
            from heptad.experiments.searching.gaussian_process import GpSampler  # noqa: PLC0415

            return GpSampler(self._space)
        from heptad.experiments.searching.cmaes import CmaSampler  # noqa: PLC0415

        return CmaSampler(self._numbers, self._seed, self._given)


class _Model(Protocol):
    def sample(self, losses: Sequence[tuple[Told, float]], seed: int) -> dict[str, Value]: ...


def open_sampler(
    name: SamplerName, space: Space, directions: Sequence[Direction], seed: int, given: int = 0
) -> Sampler:
    """A sampler by its name; `given` trials come before all that are sampled. A grid has none: its points are given.

    Raises `InputError` where the sampler cannot do what is asked.
    """
    if name in ("cmaes", "gp"):
        if len(directions) > 1:
            raise InputError(f"The sampler {name!r} has one objective.", allowed="tpe, random or grid for several")
        return ModelSampler(space, name, directions[0], seed, given)
    return OptunaSampler(space, "tpe" if name == "tpe" else "random", directions)


def rest_of_grid(space: Space, first: Sequence[dict[str, Value]], seed: int) -> list[dict[str, Value]]:
    """The points of the grid that are not `first`, shuffled."""
    points = [point for point in grid(space, _GRID_POINTS) if point not in first]
    random.Random(seed).shuffle(points)
    return points


def as_optuna_trial(space: Space, told: Told) -> "optuna.trial.FrozenTrial":
    """A trial that ended, as Optuna's study takes it; its names are those under which dimensions are learnt."""
    places = located(space, told.params)
    return optuna.trial.create_trial(
        params={path: value for path, (_, value) in places.items()},
        distributions={path: _distribution(dimension) for path, (dimension, _) in places.items()},
        state=optuna.trial.TrialState.PRUNED if told.pruned else optuna.trial.TrialState.COMPLETE,
        intermediate_values=dict(told.reports),
        constraints=told.violations or None,
        values=None if told.pruned else list(told.all_values),
    )


def quiet_study(directions: Sequence[Direction]) -> "optuna.Study":
    """A study in memory, of which Optuna says nothing."""
    with _quiet():
        return optuna.create_study(directions=list(directions))


def _distribution(dimension: Dimension) -> BaseDistribution:
    match dimension:
        case Float(low, high, log):
            return FloatDistribution(low, high, log=log)
        case Int(low, high, log):
            return IntDistribution(low, high, log=log)
        case Choice(values):
            return CategoricalDistribution(values)


@contextmanager
def _quiet() -> Iterator[None]:
    """Optuna announces each study on stderr; its level is put back, as the user may use Optuna too."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
