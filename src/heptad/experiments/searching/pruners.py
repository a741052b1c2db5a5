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

    Rungs are the steps `least * eta ** k`, from 1 counted. At a rung a trial goes on where its report is among the
    best `1 / eta` of all that got there, itself included; the first `eta - 1` go on where they are the best so far.
    `bracket` leaves out as many rungs at the start.
    """

    def __init__(self, eta: int = 4, least: int = 1, bracket: int = 0) -> None:
        self._eta, self._least, self._bracket = eta, least, bracket

    def prunes(self, number: int, reports: Mapping[int, float], told: Sequence[Told]) -> bool:  # noqa: ARG002
        own = self._rungs(reports)
        before = self._rungs({step: reports[step] for step in sorted(reports)[:-1]})
        others = [self._rungs(one.reports) for one in told]
        return any(
            not self._goes_on(own[rung], [one[rung] for one in others if rung in one])
            for rung in own
            if rung not in before
        )

    def _rungs(self, reports: Mapping[int, float]) -> dict[int, float]:
        """Rung to the first report at or behind its step; steps count from 0, so that step 0 is the first resource."""
        found: dict[int, float] = {}
        for step in sorted(reports):
            while step + 1 >= self._least * self._eta ** (self._bracket + len(found)):
                found[len(found)] = math.inf if math.isnan(reports[step]) else reports[step]
        return found

    def _goes_on(self, value: float, others: Sequence[float]) -> bool:
        if value == math.inf:
            return False
        competing = sorted([value, *others])
        return value <= competing[max(0, len(competing) // self._eta - 1)]


class Hyperband:
    """Several successive halvings side by side, from strict to patient (Li et al., 2018).

    Each trial belongs to a bracket by the hash of its number, and competes with those of its bracket only. How many
    brackets there are follows from the most steps that a finished trial has reported; before one has, nobody is ended.
    """

    def __init__(self, eta: int = 3) -> None:
        self._eta = eta

    def prunes(self, number: int, reports: Mapping[int, float], told: Sequence[Told]) -> bool:
        first = next((one for one in told if one.value is not None and one.reports), None)
        if first is None:
            return False
        brackets = int(math.log(max(first.reports) + 1, self._eta) + 1e-9) + 1
        own = self._bracket(number, brackets)
        rivals = [one for one in told if self._bracket(one.number, brackets) == own]
        return Halving(self._eta, bracket=own).prunes(number, reports, rivals)

    def _bracket(self, number: int, brackets: int) -> int:
        """Strict brackets get more trials, as each of theirs costs less."""
        sizes = [math.ceil(brackets * self._eta**s / (s + 1)) for s in range(brackets)][::-1]
        place = int.from_bytes(blake3(str(number).encode()).digest(8)) % sum(sizes)
        for bracket, size in enumerate(sizes):
            place -= size
            if place < 0:
                return bracket
        raise AssertionError


def pruner_named(name: PrunerName) -> Pruner:
    """A pruner with its defaults."""
    pruners: dict[PrunerName, Pruner] = {
        "none": Never(),
        "median": Median(),
        "halving": Halving(),
        "hyperband": Hyperband(),
    }
    return pruners[name]
