"""Samplers: who proposes the next point, from the trials that were told and a seed of the point's own."""

import logging
import math
import random
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, cast

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from heptad.core.errors import InputError
from heptad.experiments.searching.finite import GRID_POINTS
from heptad.experiments.searching.scaling import Numbers, drawn
from heptad.experiments.searching.space import Choice, Dimension, Float, Int, Space, Value, grid, located, walk
from heptad.experiments.searching.told import Direction, Told, sign_of

if TYPE_CHECKING:
    from heptad.experiments.searching.cmaes import CmaSampler

SamplerName: TypeAlias = Literal["tpe", "random", "grid", "cmaes", "gp"]
Running: TypeAlias = Mapping[int, Mapping[str, Value]]
"""Number to parameters, of trials that are open."""


class Sampler(Protocol):
    """Proposes points. What it proposes follows from what it learnt, by number, from what runs, and the seed."""

    def learn(self, told: Told) -> None:
        """Another trial has ended."""
        ...

    def sample(self, seed: int, running: Running) -> dict[str, Value]:
        """A point of the space, beside those that are being tried."""
        ...


class OptunaSampler:
    """TPE or random search of Optuna.

    TPE learns together what every trial had (Falkner et al., 2018), and by itself what exists only beside a choice.
    Trials that are open count as bad ones, so that several asked at once lie apart. Of several objectives, each
    parameter is learnt by itself, as Optuna does.
    """

    def __init__(self, space: Space, name: Literal["tpe", "random"], directions: Sequence[Direction]) -> None:
        self._space, self._name = space, name
        self._told: dict[int, optuna.trial.FrozenTrial] = {}
        self._together = len(directions) == 1
        self._common: dict[str, Dimension] | None = None
        """What every trial had, by the names under which dimensions are learnt; `None` before the first."""
        with _quiet():
            self._study = _Trials(directions)

    def learn(self, told: Told) -> None:
        if self._name == "random" or (told.value is None and not told.pruned):
            return
        self._told[told.number] = as_optuna_trial(self._space, told)
        if self._together:
            own = {path: dimension for path, (dimension, _) in located(self._space, told.params).items()}
            known = own if self._common is None else self._common
            self._common = {path: dimension for path, dimension in known.items() if own.get(path) == dimension}

    def sample(self, seed: int, running: Running) -> dict[str, Value]:
        """The sampler is asked without a trial of Optuna's: making one and throwing it away took half of the time."""
        study = self._study
        sampler: optuna.samplers.BaseSampler = optuna.samplers.RandomSampler(seed=seed)
        if self._name == "tpe":
            sampler = optuna.samplers.TPESampler(seed=seed, multivariate=self._together, constant_liar=True)
            begun = {number: _optuna_trial(self._space, number, params) for number, params in running.items()}
            study.known = [one for _, one in sorted({**begun, **self._told}.items())]
        common = {path: _distribution(dimension) for path, dimension in sorted((self._common or {}).items())}
        varying = {path: distribution for path, distribution in common.items() if not distribution.single()}
        found = sampler.sample_relative(study, study.asked, varying)

        def pick(path: str, _: str, dimension: Dimension) -> Value:
            distribution = _distribution(dimension)
            if distribution.single():
                return dimension.points(1)[0]
            if path not in found or common[path] != distribution:
                # A range of a space in Python, which may have moved.
                found[path] = sampler.sample_independent(study, study.asked, path, distribution)
            return int(found[path]) if isinstance(dimension, Int) else cast(Value, found[path])

        return walk(self._space, pick)


class _Trials(optuna.Study):
    """A study of the trials that it is given: those of Optuna's storages are in the order in which they were told."""

    def __init__(self, directions: Sequence[Direction]) -> None:
        storage = optuna.storages.InMemoryStorage()
        study = storage.create_new_study([optuna.study.StudyDirection[one.upper()] for one in directions], "trials")
        super().__init__("trials", storage)
        self.known: list[optuna.trial.FrozenTrial] = []
        self.asked = storage.get_trial(storage.create_new_trial(study))
        self.asked.number = -1  # It is none of the known ones.

    def _get_trials(
        self,
        deepcopy: bool = True,  # noqa: ARG002 - the samplers' own way to ask
        states: "Container[optuna.trial.TrialState] | None" = None,
        use_cache: bool = False,  # noqa: ARG002
    ) -> "list[optuna.trial.FrozenTrial]":
        return [one for one in self.known if states is None or one.state in states]


class BranchwiseCma:
    """CMA-ES for the numbers of each branch by themselves; TPE chooses the branch, and whatever is no number."""

    def __init__(self, space: Space, direction: Direction, seed: int, given: int) -> None:
        self._space, self._sign, self._seed, self._given = space, sign_of(direction), seed, given
        self._rest = OptunaSampler(space, "tpe", [direction])
        self._models: dict[tuple[str, ...], CmaSampler] = {}
        self._told: dict[tuple[str, ...], dict[int, tuple[Told, float]]] = {}

    def learn(self, told: Told) -> None:
        branch, _ = self._numbers(told.params)
        self._told.setdefault(branch, {})[told.number] = told, _loss(told, self._sign)
        self._rest.learn(told)

    def sample(self, seed: int, running: Running) -> dict[str, Value]:
        point = self._rest.sample(seed, running)
        branch, numbers = self._numbers(point)
        if not numbers:
            return point
        if branch not in self._models:
            from heptad.experiments.searching.cmaes import CmaSampler  # noqa: PLC0415 - others do without it

            self._models[branch] = CmaSampler(Numbers(numbers), self._seed, self._given)
        told = self._told.get(branch, {})
        point |= self._models[branch].sample([told[number] for number in sorted(told)], seed)
        choice = random.Random(seed)

        def pick(_: str, name: str, dimension: Dimension) -> Value:
            # In a space in Python, what exists may follow from a number, too.
            return point[name] if name in point and dimension.holds(point[name]) else drawn(dimension, choice)

        return walk(self._space, pick)

    def _numbers(self, params: Mapping[str, Value]) -> tuple[tuple[str, ...], dict[str, Float | Int]]:
        """The numbers of a point that can vary: the names that stand for its branch, and their ranges."""
        paths: list[str] = []
        numbers: dict[str, Float | Int] = {}

        def given(path: str, name: str, dimension: Dimension) -> Value:
            if isinstance(dimension, Float | Int) and dimension.low < dimension.high:
                paths.append(path)
                numbers[name] = dimension
            return params[name]

        walk(self._space, given)
        return tuple(paths), numbers


class GaussianProcess:
    """A Gaussian process over the whole space."""

    def __init__(self, space: Space, direction: Direction) -> None:
        from heptad.experiments.searching.gaussian_process import GpSampler  # noqa: PLC0415 - others do without SciPy

        self._sign = sign_of(direction)
        self._told: dict[int, tuple[Told, float]] = {}
        self._model = GpSampler(space)

    def learn(self, told: Told) -> None:
        # What breaks a constraint has a value to learn from, and which constraint it breaks is learnt beside it.
        self._told[told.number] = told, math.inf if told.value is None else self._sign * told.value

    def sample(self, seed: int, running: Running) -> dict[str, Value]:  # noqa: ARG002
        return self._model.sample([self._told[number] for number in sorted(self._told)], seed)


def _loss(told: Told, sign: int) -> float:
    """Less is better; infinite for what failed, was ended early, or breaks a constraint."""
    return math.inf if told.value is None or not told.feasible else sign * told.value


def open_sampler(
    name: SamplerName, space: Space, directions: Sequence[Direction], seed: int, given: int = 0
) -> Sampler:
    """A sampler by its name; `given` trials come before all that are sampled. A grid has none: its points are given.

    Raises `InputError` where the sampler cannot do what is asked.
    """
    if name in ("cmaes", "gp"):
        if len(directions) > 1:
            raise InputError(f"The sampler {name!r} has one objective.", allowed="tpe, random or grid for several")
        if name == "gp":
            return GaussianProcess(space, directions[0])
        return BranchwiseCma(space, directions[0], seed, given)
    return OptunaSampler(space, "tpe" if name == "tpe" else "random", directions)


def rest_of_grid(space: Space, first: Sequence[dict[str, Value]], seed: int) -> list[dict[str, Value]]:
    """The points of the grid that are not `first`, shuffled."""
    points = [point for point in grid(space, GRID_POINTS) if point not in first]
    random.Random(seed).shuffle(points)
    return points


def as_optuna_trial(space: Space, told: Told) -> "optuna.trial.FrozenTrial":
    """A trial that ended, as Optuna takes it; its names are those under which dimensions are learnt."""
    return _optuna_trial(
        space,
        told.number,
        told.params,
        state=optuna.trial.TrialState.PRUNED if told.pruned else optuna.trial.TrialState.COMPLETE,
        intermediate_values=dict(told.reports),
        constraints=told.violations or None,
        values=None if told.pruned else list(told.all_values),
    )


def _optuna_trial(space: Space, number: int, params: Mapping[str, Value], **ended: Any) -> "optuna.trial.FrozenTrial":
    """A trial as Optuna takes it; it is open where it is not said how it ended."""
    places = located(space, params)
    trial = optuna.trial.create_trial(
        params={path: value for path, (_, value) in places.items()},
        distributions={path: _distribution(dimension) for path, (dimension, _) in places.items()},
        **{"state": optuna.trial.TrialState.RUNNING, **ended},
    )
    trial.number = number
    return trial


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
