"""What a trial runs: a function of the user's, what it may tell on the way, and what its answer comes to."""

import math
import os
import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from heptad.core.errors import InputError
from heptad.experiments.journal.journal import check_names
from heptad.experiments.logged import number, whole_step
from heptad.experiments.searching.space import Value
from heptad.experiments.searching.told import Trial

_CONSTRAINT = re.compile(r"\s*([^<>=\s]+)\s*(<=|>=)\s*(\S+)\s*")


class TrialPruned(BaseException):
    """The pruner has ended this trial."""


class TrialFailed(Exception):  # noqa: N818 - an outcome as the one above
    """Raised by an objective: the trial has failed, for this reason in plain words."""


class ActiveTrial:
    """A trial while it runs: its `params`, its `number`, and what it tells.

    Only its own process may tell anything: one that it forked raises `InputError`.
    """

    def __init__(
        self,
        trial: Trial,
        seed: int,
        reported: Callable[[int, float], bool],
        spent: Callable[[float], None] | None = None,
    ) -> None:
        self.number, self.params, self.seed = trial.number, dict(trial.params), seed
        self.figures: dict[str, float] = {}
        self.series: dict[str, list[tuple[int, float]]] = {}
        self.cost = 0.0
        self._reported, self._spent, self._process = reported, spent, os.getpid()

    def __getitem__(self, name: str) -> Value:
        return self.params[name]

    def report(self, value: float, step: int) -> None:
        """What the first objective is at a step. Where the pruner ends the trial here, this does not return."""
        self._require_own_process()
        if self._reported(whole_step(step), float(value)):
            raise TrialPruned

    def log(self, step: int | None = None, **figures: float) -> None:
        """Metrics of the trial's run; with `step`, points of a series."""
        self._require_own_process()
        check_names(figures)
        at = None if step is None else whole_step(step)
        for name, value in figures.items():
            if at is None:
                self.figures[name] = number(name, value)
            else:
                self.series.setdefault(name, []).append((at, number(name, value)))

    def spend(self, cost: float) -> None:
        """What the trial costs more, in a unit of your own; a search may have a budget of it.

        Raises `InputError` for less than 0, and for what is no finite number.
        """
        self._require_own_process()
        try:
            amount = float(cost)
        except (TypeError, ValueError):
            amount = math.nan
        if not 0 <= amount < math.inf:
            raise InputError(f"A trial cannot spend {cost!r}.", allowed="a number, 0 or more")
        self.cost += amount
        if self._spent is not None:
            self._spent(amount)

    def _require_own_process(self) -> None:
        if os.getpid() != self._process:
            raise InputError(
                "A process that was forked off a trial tells something of it.",
                allowed="report, log and spend in the process that runs the objective",
            )


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
    """Run the objective; whatever it raises is the trial's failure, but for an interruption by hand.

    A process that the objective forked, and that comes back from it, ends here: it would be a second search.
    """
    own = os.getpid()
    pruned, reason, found = False, "", None
    try:
        found = _figures(objective(trial), names)
    except BaseException as error:
        _end_if_forked(own, error)
        if isinstance(error, KeyboardInterrupt):
            raise
        pruned = isinstance(error, TrialPruned)
        reason = "" if pruned else _words(error)
    _end_if_forked(own, None)
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


def _end_if_forked(own: int, error: BaseException | None) -> None:
    if os.getpid() == own:
        return
    if isinstance(error, SystemExit) and isinstance(error.code, int | None):
        os._exit(error.code or 0)
    if error is not None:
        traceback.print_exception(error)
    os.write(2, b"heptad: a process that the objective forked came back from it, and was ended.\n")
    os._exit(1)


def _words(error: BaseException) -> str:
    """Why the trial failed, as the store can hold it."""
    try:
        said = str(error)
    except Exception as odd:  # noqa: BLE001 - the text of an error is the user's code as well
        said = f"its text cannot be read, as that raises {type(odd).__name__}"
    if not isinstance(error, TrialFailed) or not said:
        said = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return said.encode(errors="backslashreplace").decode().replace("\0", "\\x00")


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
        figures = {str(name): float(value) for name, value in pairs}
    except (TypeError, ValueError):
        raise TrialFailed(f"The objective gave {answer!r}, which is no number.") from None
    check_names(figures)
    return figures


def _wrong(figures: Mapping[str, float], names: Sequence[str], limits: Sequence[Constraint]) -> str:
    for name in names:
        if name not in figures:
            return f"The objective gave no {name}."
        if not math.isfinite(figures[name]):
            return f"The objective gave {figures[name]} for {name}."
    missing = [one.figure for one in limits if not math.isfinite(figures.get(one.figure, math.nan))]
    return f"The objective gave no {missing[0]}, which has a limit." if missing else ""
