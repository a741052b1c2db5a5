"""What a trial runs: a function of the user's, what it may tell on the way, and what its answer comes to."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from heptad.core.errors import InputError
from heptad.experiments.searching.space import Value
from heptad.experiments.searching.told import Trial

_CONSTRAINT = re.compile(r"\s*([^<>=\s]+)\s*(<=|>=)\s*(\S+)\s*")


class TrialPruned(BaseException):
    """The pruner has ended this trial."""


class TrialFailed(Exception):  # noqa: N818 - an outcome as the one above
    """Raised by an objective: the trial has failed, for this reason in plain words."""


class ActiveTrial:
    """A trial while it runs: its `params`, its `number`, and what it tells."""

    def __init__(self, trial: Trial, seed: int, reported: Callable[[int, float], bool]) -> None:
        self.number, self.params, self.seed = trial.number, trial.params, seed
        self.figures: dict[str, float] = {}
        self.series: dict[str, list[tuple[int, float]]] = {}
        self.cost = 0.0
        self._reported = reported

    def __getitem__(self, name: str) -> Value:
        return self.params[name]

    def report(self, value: float, step: int) -> None:
        """What the first objective is at a step. Where the pruner ends the trial here, this does not return."""
        if self._reported(step, float(value)):
            raise TrialPruned

    def log(self, step: int | None = None, **figures: float) -> None:
        """Metrics of the trial's run; with `step`, points of a series."""
        for name, value in figures.items():
            if step is None:
                self.figures[name] = float(value)
            else:
                self.series.setdefault(name, []).append((step, float(value)))

    def spend(self, cost: float) -> None:
        """What the trial costs more, in a unit of your own; a search may have a budget of it.

        Raises `InputError` for less than 0, and for what is no finite number.
        """
        try:
            amount = float(cost)
        except (TypeError, ValueError):
            amount = math.nan
        if not 0 <= amount < math.inf:
            raise InputError(f"A trial cannot spend {cost!r}.", allowed="a number, 0 or more")
        self.cost += amount


Objective: TypeAlias = Callable[[ActiveTrial], Any]


class Constraint(msgspec.Struct, frozen=True):
    """A figure of the trial and its limit: `latency_ms <= 5`."""

    figure: str
    sign: int
    limit: float

    def violation(self, value: float) -> float:
        """0 or less where it is met."""
        return self.sign * (value - self.limit)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a trial came to; without values it failed, for `reason`, or was pruned."""

    values: tuple[float, ...] | None = None
    violations: dict[str, float] = {}
    """Figure to the most by which it misses one of its limits; 0 or less: it meets all."""
    figures: dict[str, float] = {}
    series: dict[str, list[tuple[int, float]]] = {}
    cost: float = 0.0
    pruned: bool = False
    reason: str = ""


def constraint(text: str) -> Constraint:
    """`"latency_ms <= 5"`; raises `InputError`."""
    found = _CONSTRAINT.fullmatch(text)
    try:
        limit = float(found[3]) if found else math.nan
    except ValueError:
        limit = math.nan
    if found is None or not math.isfinite(limit):
        raise InputError(f"{text!r} is not a constraint.", allowed="a figure, <= or >=, a number: latency_ms <= 5")
    return Constraint(found[1], 1 if found[2] == "<=" else -1, limit)


def conduct(objective: Objective, trial: ActiveTrial, names: Sequence[str], limits: Sequence[Constraint]) -> Outcome:
    """Run the objective; whatever it raises is the trial's failure, but for an interruption by hand."""
    pruned, reason, found = False, "", None
    try:
        found = _figures(objective(trial), names)
    except TrialPruned:
        pruned = True
    except TrialFailed as error:
        reason = str(error)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a trial raises, the search goes on
        reason = f"{type(error).__name__}: {error}"
    figures = {**trial.figures, **(found or {})}
    violations: dict[str, float] = {}
    if found is not None:
        reason = _wrong(figures, names, limits)
    if found is not None and not reason:
        for one in limits:
            # Of several limits of one figure, the one that is missed most.
            by = one.violation(figures[one.figure])
            violations[one.figure] = max(by, violations.get(one.figure, by))
    fine = found is not None and not reason
    return Outcome(
        values=tuple(figures[name] for name in names) if fine else None,
        violations=violations,
        # The store keeps figures that are not finite, but nobody could order by them.
        figures={name: value for name, value in figures.items() if math.isfinite(value)},
        series=trial.series,
        cost=trial.cost,
        pruned=pruned,
        reason="ended early by the pruner" if pruned else reason,
    )


def _figures(answer: Any, names: Sequence[str]) -> dict[str, float]:
    if answer is None:
        return {}
    if isinstance(answer, Mapping):
        pairs = list(answer.items())
    elif isinstance(answer, Sequence) and not isinstance(answer, str):
        pairs = list(zip(names, answer, strict=False))
        if len(answer) != len(names):
            raise TrialFailed(f"The objective gave {len(answer)} values, not one for each of {', '.join(names)}.")
    else:
        pairs = [(names[0], answer)]
    try:
        return {str(name): float(value) for name, value in pairs}
    except (TypeError, ValueError):
        raise TrialFailed(f"The objective gave {answer!r}, which is no number.") from None


def _wrong(figures: Mapping[str, float], names: Sequence[str], limits: Sequence[Constraint]) -> str:
    for name in names:
        if name not in figures:
            return f"The objective gave no {name}."
        if not math.isfinite(figures[name]):
            return f"The objective gave {figures[name]} for {name}."
    missing = [one.figure for one in limits if not math.isfinite(figures.get(one.figure, math.nan))]
    return f"The objective gave no {missing[0]}, which has a limit." if missing else ""
