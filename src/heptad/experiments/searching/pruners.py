"""Pruners: whether a trial that begins badly is ended early, by what trials reported on the way."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, TypeAlias

from blake3 import blake3

from heptad.experiments.searching.told import Told

PrunerName: TypeAlias = Literal["none", "median", "halving", "hyperband"]


class Pruner(Protocol):
    """Decides by what was reported and told alone, never by time or chance: equal reports give equal decisions."""

    def prunes(self, number: int, reports: Mapping[int, float], told: Sequence[Told]) -> bool:
        """Whether the trial ends here. `reports` are its own, step to loss (less is better), the newest last.

        Reports in `told` are losses too. NaN is worse than every number.
        """
        ...


class Never:
    """Every trial goes on to its end."""

    def prunes(self, number: int, reports: Mapping[int, float], told: Sequence[Told]) -> bool:  # noqa: ARG002
        return False


class Median:
    """Ends a trial whose best report so far is worse than the median of finished trials at the same step.

    The first `startup` trials that finish are compared with nobody. The rule of Google Vizier (Golovin et al., 2017),
    with the best report instead of the mean, as Optuna has it.
    """

    def __init__(self, startup: int = 5) -> None:
        self._startup = startup

    def prunes(self, number: int, reports: Mapping[int, float], told: Sequence[Told]) -> bool:  # noqa: ARG002
        finished = [one for one in told if one.value is not None]
        if len(finished) < self._startup:
            return False
        step = max(reports)
        own = [value for value in reports.values() if not math.isnan(value)]
        if not own:
            return True
        others = [one.reports[step] for one in finished if not math.isnan(one.reports.get(step, math.nan))]
        return bool(others) and min(own) > statistics.median(others)


class Halving:
    """Asynchronous successive halving (ASHA, Li et al., 2020): only the best of each rung go on to the next.

    Rungs are the steps `least * eta ** k`. Without `least`, the first lies at a hundredth of the last step that the
    first finished trial reported, at step 1 at least, as Optuna has it; before a trial has finished, nobody is ended.
    At a rung a trial goes on where its report is among the best `1 / eta` of all that got there, itself included; the
    first `eta - 1` go on where they are the best so far. `bracket` leaves out as many rungs at the start.
    """

    def __init__(self, eta: int = 4, least: int = 0, bracket: int = 0) -> None:
        self._eta, self._least, self._bracket = eta, least, bracket

    def prunes(self, number: int, reports: Mapping[int, float], told: Sequence[Told]) -> bool:  # noqa: ARG002
        first = _first_finished(told)
        if not self._least and first is None:
            return False
        rung = (self._least or max(first // 100 if first else 0, 1)) * self._eta**self._bracket
        *before, newest = sorted(reports)
        while rung <= newest:
            if (not before or before[-1] < rung) and not self._goes_on(
                reports[newest], [value for one in told if (value := _report_at(rung, one.reports)) is not None]
            ):
                return True
            rung *= self._eta
        return False

    def _goes_on(self, value: float, others: Sequence[float]) -> bool:
        if math.isnan(value):
            return False
        competing = sorted([value, *(math.inf if math.isnan(one) else one for one in others)])
        return value <= competing[max(0, len(competing) // self._eta - 1)]


class Hyperband:
    """Several successive halvings side by side, from strict to patient (Li et al., 2018).

    Each trial belongs to a bracket by the hash of its number, and competes with those of its bracket only. How many
    brackets there are follows from the last step of the first trial that finished; before one has, nobody is ended.
    """

    def __init__(self, eta: int = 3) -> None:
        self._eta = eta

    def prunes(self, number: int, reports: Mapping[int, float], told: Sequence[Told]) -> bool:
        last = _first_finished(told)
        if last is None:
            return False
        brackets = int(math.log(last + 1, self._eta) + 1e-9) + 1
        own = self._bracket(number, brackets)
        rivals = [one for one in told if self._bracket(one.number, brackets) == own]
        return Halving(self._eta, least=1, bracket=own).prunes(number, reports, rivals)

    def _bracket(self, number: int, brackets: int) -> int:
        """Strict brackets get more trials, as each of theirs costs less."""
        sizes = [math.ceil(brackets * self._eta**s / (s + 1)) for s in range(brackets)][::-1]
        place = int.from_bytes(blake3(str(number).encode()).digest(8)) % sum(sizes)
        for bracket, size in enumerate(sizes):
            place -= size
            if place < 0:
                return bracket
        raise AssertionError


class ToTheEnd:
    """Another pruner, but for trials that have come as far as any that finished: their value is all but there."""

    def __init__(self, pruner: Pruner) -> None:
        self._pruner = pruner

    def prunes(self, number: int, reports: Mapping[int, float], told: Sequence[Told]) -> bool:
        lasts = [max(one.reports) for one in told if one.value is not None and one.reports]
        return max(reports) < max(lasts, default=math.inf) and self._pruner.prunes(number, reports, told)


def _first_finished(told: Sequence[Told]) -> int | None:
    """The last step that the first finished trial reported."""
    return next((max(one.reports) for one in told if one.value is not None and one.reports), None)


def _report_at(rung: int, reports: Mapping[int, float]) -> float | None:
    """The first report at or behind a step."""
    step = min((one for one in reports if one >= rung), default=None)
    return None if step is None else reports[step]


def pruner_named(name: PrunerName) -> Pruner:
    """A pruner with its defaults."""
    pruners: dict[PrunerName, Pruner] = {
        "none": Never(),
        "median": ToTheEnd(Median()),
        "halving": ToTheEnd(Halving()),
        "hyperband": ToTheEnd(Hyperband()),
    }
    return pruners[name]
