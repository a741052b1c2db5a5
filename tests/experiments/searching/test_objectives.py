"""What an objective answers becomes values, figures and violations, or a reason."""

import asyncio
import math
import os
import sys
from collections.abc import Callable
from typing import Any

import pytest

from heptad.core.errors import InputError
from heptad.experiments import ActiveTrial, Trial, TrialFailed
from heptad.experiments.searching.objectives import Outcome, conduct, constraint


class SpeechlessError(Exception):
    """Its text cannot be had."""

    def __str__(self) -> str:
        return str(1 / 0)


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
        (TrialFailed(), "TrialFailed"),
        (asyncio.CancelledError(), "CancelledError"),
        (GeneratorExit("over"), "GeneratorExit: over"),
        (ValueError("a\x00b\ud800"), "ValueError: a\\x00b\\ud800"),
        (SpeechlessError(), "SpeechlessError: its text cannot be read, as that raises ZeroDivisionError"),
        ({"": 1.0}, "InputError: '' is no name for a metric."),
    ],
)
def test_what_is_no_answer_is_a_failure_that_says_why(answer: Any, reason: str) -> None:
    """Without values, and with the reason."""
    found = outcome(answer)
    if reason:
        assert (found.values, found.reason.splitlines()[0]) == (None, reason)
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


@pytest.mark.parametrize("step", [0.5, None, "epoch1", 2**70])
def test_a_step_that_is_no_whole_number_is_a_failure_that_names_it(step: Any) -> None:
    """The trial has failed, instead of the search."""
    assert "The step" in conducted(lambda trial: trial.report(1.0, step)).reason
    if step is not None:
        assert "The step" in conducted(lambda trial: trial.log(step, loss=1.0)).reason


class Telling:
    """An objective that does something, and then has a value."""

    def __init__(self, act: Callable[[ActiveTrial], object]) -> None:
        self._act = act

    def __call__(self, trial: ActiveTrial) -> float:
        self._act(trial)
        return 1.0


@pytest.mark.parametrize("name", ["a\x00b", "a" * 600])
def test_a_figure_that_cannot_be_recorded_is_a_failure(name: str) -> None:
    """The trial has failed, instead of the search."""
    assert "no name for a metric" in conducted(lambda trial: trial.log(**{name: 1.0})).reason


def test_what_a_trial_does_to_its_parameters_stays_its_own() -> None:
    """They are a copy."""
    asked = Trial(0, {"x": 1.0})
    conduct(lambda trial: trial.params.pop("x"), ActiveTrial(asked, 0, lambda *_: False), ["value"], [])
    assert asked.params == {"x": 1.0}


def conducted(act: Callable[[ActiveTrial], object]) -> Outcome:
    return conduct(Telling(act), ActiveTrial(Trial(0, {}), 0, lambda *_: False), ["value"], [])


@pytest.mark.parametrize(
    ("leave", "code"),
    [(lambda: None, 1), (lambda: sys.exit(3), 3), (lambda: 1 / 0, 1)],
    ids=["returns", "exits", "raises"],
)
def test_a_forked_process_that_comes_back_from_the_objective_ends(
    leave: Callable[[], object], code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """It has its own exit code where it asked for one, and neither reports nor goes on."""
    told: list[str] = []

    def fork(trial: ActiveTrial) -> None:
        child = os.fork()
        if child == 0:
            for tell in (lambda: trial.report(9.0, 1), lambda: trial.log(loss=9.0), lambda: trial.spend(9.0)):
                with pytest.raises(InputError, match="forked off a trial"):
                    tell()
            leave()
            return
        told.append(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))

    found = conducted(fork)
    assert (found.values, found.cost, told) == ((1.0,), 0.0, [str(code)])
    assert ("came back from it" in capfd.readouterr().err) == (code == 1)
