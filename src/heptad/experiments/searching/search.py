"""Ask-and-tell search over a space: it proposes parameters and is told values, and never runs a trial itself."""

from collections.abc import Mapping, Sequence
from typing import get_args

import msgspec

from heptad.core.errors import InputError, nearest
from heptad.core.records import canonical_json, digest_of
from heptad.experiments.searching.pruners import PrunerName, pruner_named
from heptad.experiments.searching.samplers import SamplerName, open_sampler, rest_of_grid
from heptad.experiments.searching.space import Space, Value, check_params, check_space
from heptad.experiments.searching.told import Direction, Told, Trial, pareto_front, sign_of


class Search:
    """Proposes `trials` points of `space`, the ones in `first` before all others.

    What is asked depends on the seed, the trial's number and the values told before, and on nothing else: each trial
    samples with a seed of its own. So a search that is rebuilt from the trials that ended (`told`) asks a trial that
    was cut off again, under the same number and with the same parameters, and then goes on as if nothing had been.
    Where several trials are open at once, it goes by the values told by then, and `tpe` by which points are open. A
    failed trial teaches nothing.

    `tpe` learns from what it was told (Bergstra et al., 2011; what every trial had together, conditional parameters
    each by itself from the trials that had them), `random` does not, `grid` walks three points a number and all values
    of a choice in an order shuffled by the seed, and ends where the grid ends; `cmaes` adapts a covariance matrix over
    the numbers of each branch, `gp` a Gaussian process over everything. With several directions trials have as many
    values, and there is a `front` beside the `best`. A `pruner` says whether a trial that reports ends early.

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
        pruner: PrunerName = "none",
        trials: int,
        seed: int,
        direction: Direction | Sequence[Direction] = "minimize",
        first: Sequence[Mapping[str, Value]] = (),
        told: Sequence[Told] = (),
    ) -> None:
        for name, given_name, allowed in (("sampler", sampler, SamplerName), ("pruner", pruner, PrunerName)):
            if given_name not in get_args(allowed):
                raise InputError(
                    f"There is no {name} {given_name!r}.", allowed=nearest(str(given_name), get_args(allowed))
                )
        check_space(space)
        for params in first:
            check_params(space, params)
        self.space = space
        self.directions: tuple[Direction, ...] = (direction,) if isinstance(direction, str) else tuple(direction)
        self._seed = seed
        self._sign = sign_of(self.directions[0])
        given = [dict(params) for params in first]
        self._fixed = given + rest_of_grid(space, given, seed) if sampler == "grid" else given
        self.trials = min(trials, len(self._fixed)) if sampler == "grid" else trials
        self._sampler = open_sampler(sampler, space, self.directions, seed, len(given))
        if pruner != "none" and len(self.directions) > 1:
            raise InputError("Trials of several objectives cannot be ended early.", allowed='pruner = "none"')
        self._pruner = pruner_named(pruner)
        self._open: dict[int, dict[str, Value]] = {}
        self._reports: dict[int, dict[int, float]] = {}
        self._told: dict[int, Told] = {}
        self._losses: list[Told] = []
        self._lowest = 0
        for one in sorted(told, key=lambda one: one.number):
            self.learn(one)

    @property
    def told(self) -> list[Told]:
        return [self._told[number] for number in sorted(self._told)]

    def waiting(self, behind: int = -1) -> int | None:
        """The lowest number above `behind` that was neither told nor asked; `None` where all were."""
        while self._lowest in self._told:
            self._lowest += 1
        numbers = range(max(self._lowest, behind + 1), self.trials)
        return next((n for n in numbers if n not in self._told and n not in self._open), None)

    def ask(self, number: int | None = None, params: Mapping[str, Value] | None = None) -> Trial | None:
        """The trial of that number, or of the lowest that waits; `None` where none does.

        With `params` it is the point that somebody was asked before, under this number.
        """
        number = self.waiting() if number is None else number
        if number is None:
            return None
        if params is None:
            running = {one: params for one, params in self._open.items() if one != number}
            given = number < len(self._fixed)
            params = self._fixed[number] if given else self._sampler.sample(self._seed_of(number), running)
        else:
            check_params(self.space, params)
        self._open[number] = dict(params)
        self._reports.pop(number, None)
        return Trial(number, dict(params))

    def report(self, number: int, step: int, value: float) -> bool:
        """What an open trial has come to at a step; answers whether it should end here."""
        self._require_open(number)
        reports = self._reports.setdefault(number, {})
        if reports and step <= max(reports):
            raise InputError(f"A trial reports step {step} after step {max(reports)}.", allowed="rising steps")
        reports[step] = float(value)
        losses = {step: self._sign * value for step, value in reports.items()}
        return self._pruner.prunes(number, losses, self._losses)

    def tell(
        self,
        number: int,
        value: float | Sequence[float] | None,
        *,
        violations: Mapping[str, float] | None = None,
        pruned: bool = False,
        seconds: float = 0.0,
        cost: float = 0.0,
        at_once: int = 1,
    ) -> Told:
        """What an open trial came to: a value for each direction; `None` or NaN where it failed."""
        self._require_open(number)
        values = () if value is None or pruned else (value,) if isinstance(value, int | float) else tuple(value)
        if values and len(values) != len(self.directions):
            raise InputError(f"Trial {number} has {len(values)} values.", allowed=f"{len(self.directions)} of them")
        if any(one != one for one in values):  # noqa: PLR0124 - NaN
            values = ()
        told = Told(
            number,
            self._open.pop(number),
            float(values[0]) if values else None,
            tuple(map(float, values)) if len(values) > 1 else (),
            dict(violations or {}),
            self._reports.pop(number, {}),
            pruned,
            seconds,
            cost,
            at_once,
        )
        self.learn(told)
        return told

    def learn(self, told: Told) -> None:
        """A trial that ended, here before or elsewhere."""
        check_params(self.space, told.params)
        if told.number in self._told:
            return
        self._open.pop(told.number, None)
        self._told[told.number] = told
        losses = {step: self._sign * value for step, value in told.reports.items()}
        self._losses.append(msgspec.structs.replace(told, reports=losses))
        self._sampler.learn(told)

    def drop(self, number: int) -> None:
        """An open trial is somebody else's now."""
        self._open.pop(number, None)

    def best(self) -> Told | None:
        """The trial with the best first value of those that meet the constraints, the earliest of equals."""
        ended = [one for one in self._told.values() if one.value is not None and one.feasible]
        return min(ended, key=lambda one: (self._sign * (one.value or 0.0), one.number), default=None)

    def front(self) -> list[Told]:
        """The trials that no other beats in every objective, by number; of one objective, the best."""
        return pareto_front(self.told, self.directions)

    def _seed_of(self, number: int) -> int:
        return int(digest_of(canonical_json([self._seed, number]))[:8], 16)

    def _require_open(self, number: int) -> None:
        if number not in self._open:
            raise InputError(f"Trial {number} is not open.", allowed=", ".join(map(str, self._open)) or "none is")
