"""What an objective answers becomes values, figures and violations, or a reason."""

import math
from typing import Any

import pytest

from heptad.core.errors import InputError
from heptad.experiments import ActiveTrial, Trial, TrialFailed
from heptad.experiments.searching.objectives import Outcome, conduct, constraint


def outcome(answer: Any, names: tuple[str, ...] = ("loss",), limits: tuple[str, ...] = (), ends: int = -1) -> Outcome:
    trial = ActiveTrial(Trial(0, {"x": 1.0}), 7, lambda step, _: step == ends)

    def objective(trial: ActiveTrial) -> Any:
        trial.log(ms=4)
        trial.log(0, fold=0.5)
        for step in range(3):
            trial.report(1.0, step)
        trial.spend(2)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return conduct(objective, trial, names, [constraint(one) for one in limits])


@pytest.mark.parametrize("answer", [2, 2.0, [2.0], {"loss": 2}, {"loss": 2, "more": 3}])
def test_an_answer_may_be_a_number_or_have_names(answer: Any) -> None:
    """One value for each objective, in order or by name; whatever else is named is a figure."""
    found = outcome(answer)
    assert (found.values, found.figures["ms"], found.series, found.cost) == ((2.0,), 4.0, {"fold": [(0, 0.5)]}, 2.0)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "The objective gave no loss."),
        ("2", ""),
        ([1.0, 2.0], "The objective gave 2 values, not one for each of loss."),
        (float("inf"), "The objective gave inf for loss."),
        ({"other": 1}, "The objective gave no loss."),
        (ValueError("bad"), "ValueError: bad"),
        (TrialFailed("there is no fold"), "there is no fold"),
    ],
)
def test_what_is_no_answer_is_a_failure_that_says_why(answer: Any, reason: str) -> None:
    """Without values, and with the reason."""
    found = outcome(answer)
    if reason:
        assert (found.values, found.reason) == (None, reason)
    else:
        assert found.values == (2.0,)


def test_a_pruner_ends_the_objective_where_it_reports() -> None:
    """Nothing behind that report is done."""
    found = outcome(1.0, ends=1)
    assert (found.pruned, found.values, found.cost) == (True, None, 0.0)


def test_constraints_are_about_figures() -> None:
    """By how much each is missed; one whose figure is missing is a failure."""
    assert outcome(1.0, limits=("ms <= 3", "loss >= 1")).violations == {"ms": 1.0, "loss": 0.0}
    assert "no gb, which has a limit" in outcome(1.0, limits=("gb <= 3",)).reason


@pytest.mark.parametrize(
    ("limits", "by"),
    [
        (("ms >= 5", "ms <= 6"), 1.0),
        (("ms <= 6", "ms >= 5"), 1.0),
        (("ms <= 3", "ms <= 1"), 3.0),
        (("ms >= 3", "ms <= 6"), -1.0),
    ],
)
def test_several_constraints_on_one_figure_all_count(limits: tuple[str, ...], by: float) -> None:
    """In any order; the figure (4 here) misses them by as much as the one that it misses most."""
    assert outcome(1.0, limits=limits).violations == {"ms": by}


@pytest.mark.parametrize("text", ["", "ms", "ms < 5", "ms <= many", "ms <= nan", "<= 5"])
def test_what_is_no_constraint_is_refused(text: str) -> None:
    """With an example of one."""
    with pytest.raises(InputError, match="latency_ms <= 5"):
        constraint(text)


@pytest.mark.parametrize("cost", [-3, math.nan, math.inf, "much"])
def test_a_trial_cannot_spend_less_than_nothing(cost: float) -> None:
    """A budget would grow by it; the trial has failed, and what it had spent before counts."""

    def objective(trial: ActiveTrial) -> float:
        trial.spend(2)
        trial.spend(cost)
        return 1.0

    outcome = conduct(objective, ActiveTrial(Trial(0, {}), 0, lambda *_: False), ["value"], [])
    assert outcome.values is None
    assert "A trial cannot spend" in outcome.reason
    assert outcome.cost == 2.0
