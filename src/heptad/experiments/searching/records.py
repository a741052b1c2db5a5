"""What came of a study, as a reader wants it: the best, what mattered, and whether more trials would help."""

from typing import Literal

import msgspec

from heptad.core.records import Id
from heptad.core.shown import Shown
from heptad.experiments.searching.space import Value
from heptad.experiments.searching.told import Direction


class TrialResult(msgspec.Struct, frozen=True, kw_only=True):
    """A trial that finished: its run, its parameters, and its value of each objective."""

    run: Id
    number: int
    params: dict[str, Value]
    values: dict[str, float]


class Importance(msgspec.Struct, frozen=True):
    """How much of what trials came to followed from a parameter, as a share of 1."""

    param: str
    share: float


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What `trials` more would add to the best: how often, and at most how much, they did in searches like it.

    `chance` is the share of such searches that gained noticeably; `high`, in the unit of the objective, is what nine
    of ten gained at most. Both are 0 where nothing can be said.
    """

    verdict: Literal["yes", "perhaps", "no", "cannot say"]
    trials: int = 0
    chance: float = 0.0
    high: float = 0.0
    sentence: str
    evidence: list[str] = []


class StudyReport(Shown, msgspec.Struct, frozen=True, kw_only=True):
    """The result of a search. `front` are the trials that none beats in every objective; of one objective, the best."""

    study: Id
    name: str
    objectives: dict[str, Direction]
    sampler: str
    pruner: str
    constraints: list[str]
    finished: int
    failed: int
    pruned: int
    running: int
    infeasible: int
    """Finished, and outside of the constraints."""
    seconds: float
    """Of all trials together."""
    reasons: dict[str, int]
    """Why trials failed, and how many for each reason; the most frequent ten."""
    best: TrialResult | None
    front: list[TrialResult]
    importances: list[Importance]
    importance_by: str
    """How importance was measured, or why it was not."""
    more: Forecast
    warm_start: dict[Id, float]
    """Earlier studies whose best points came first, and how similar their data was."""
    taken: dict[Id, str] = {}
    """Of earlier studies whose points did not lie in the space whole: the parameters that were taken over."""
