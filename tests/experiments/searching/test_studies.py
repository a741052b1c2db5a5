"""A study is begun once and gone on with; its rules are checked before anything is written."""

from typing import Any

import pytest
from tests.experiments.searching.functions import SPACE, conditional, square, two

from heptad.core.errors import InputError, NotFoundError
from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.experiments import Experiments, Float, SearchSettings


def test_called_again_it_goes_on_where_it_ended(experiments: Experiments) -> None:
    """More trials are added, none is run again; another seed, space or objective is another study."""
    first = experiments.search(SPACE, square, trials=3)
    more = experiments.search(SPACE, square, trials=5)
    assert (first.study, first.finished, more.finished) == (more.study, 3, 5)
    others = [
        experiments.search(SPACE, square, trials=1, seed=99),
        experiments.search(conditional, lambda trial: trial["x"], trials=1),
        experiments.search(SPACE, two, trials=1, objectives={"a": "minimize", "b": "minimize"}),
    ]
    assert len({first.study, *(one.study for one in others)}) == 4


def test_several_objectives_give_a_front(experiments: Experiments) -> None:
    """Its trials have all values, and the best is the one with the best first."""
    report = experiments.search(SPACE, two, trials=15, objectives={"near": "minimize", "far": "minimize"})
    assert report.best is not None
    assert report.best.values["near"] == min(one.values["near"] for one in report.front)
    assert len(report.front) > 1


def test_constraints_decide_what_is_the_best(experiments: Experiments) -> None:
    """The best keeps to them, and what does not is counted."""
    report = experiments.search(
        {"x": SPACE["x"]},
        lambda trial: {"value": trial["x"], "ms": -float(trial["x"])},
        trials=15,
        constraints=["ms <= 0"],
    )
    assert report.best is not None
    assert report.best.values["value"] >= 0
    assert report.infeasible > 0


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ({"sampler": "magic"}, "sampler"),
        ({"trails": 3}, "trials"),
        ({"timeout": "long"}, "timeout"),
        ({"constraints": ["ms < 3"]}, "not a constraint"),
        ({"objectives": ()}, "objective"),
        ({"objectives": {"loss": "min"}}, "The direction of 'loss' is 'min'"),
        ({"name": 5}, "study cannot be recorded"),
        ({"memory": "much"}, "memory"),
        ({"sampler": "gp", "objectives": {"a": "minimize", "b": "minimize"}}, "gp"),
        ({"pruner": "median", "objectives": {"a": "minimize", "b": "minimize"}}, "pruner"),
    ],
)
def test_rules_that_cannot_be_used_are_refused(experiments: Experiments, rules: dict[str, object], named: str) -> None:
    """The message names what is wrong, and no study is left behind that nobody could read."""
    with pytest.raises(InputError, match=named):
        experiments.search(SPACE, square, **rules)  # type: ignore[arg-type]
    with pytest.raises(NotFoundError, match="newest"):
        experiments.study()


@pytest.mark.parametrize("rule", [{"isolated": True}, {"processes": 2}, {"timeout": "1s"}, {"memory": "1GB"}])
def test_an_objective_that_no_other_process_can_have_is_refused_first(
    experiments: Experiments, rule: dict[str, Any]
) -> None:
    """No study is begun that could not go on."""
    with pytest.raises(InputError, match="no lambda"):
        experiments.search(SPACE, lambda _: 1.0, trials=2, **rule)
    with pytest.raises(NotFoundError, match="newest"):
        experiments.study()


def test_a_space_in_python_is_walked_as_it_asks(experiments: Experiments) -> None:
    """What a trial has follows from what it got before."""
    report = experiments.search(conditional, lambda trial: trial["x"], trials=12)
    for run in experiments.trials(report.study):
        assert ("n" in run.body.params) == (run.body.params["kind"] == "b")


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({"sampler": "tpee"}, r"sampler = 'tpee'(.|\n)*did you mean 'tpe'"),
        ({"budget": "0s"}, r"budget = '0s'(.|\n)*a duration above zero"),
        ({"timeout": "0h0m"}, r"timeout = '0h0m'(.|\n)*a duration above zero"),
        ({"timeout": 2}, r"timeout = 2(.|\n)*30s, 90m"),
        ({"memory": "0.0GB"}, r"memory = '0.0GB'(.|\n)*above zero"),
        ({"trials": "2"}, r"trials = '2'(.|\n)*a whole number, 1 or more"),
        ({"cost": -1}, r"cost = -1(.|\n)*a number, 0 or more"),
        ({"constraints": 3}, r"constraints = 3(.|\n)*a list of texts"),
        ({"warm_start": 3}, r"warm_start = 3(.|\n)*text"),
        ({"objectives": ["loss"]}, r"objectives are \['loss'\](.|\n)*minimize"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_in_plain_words(
    workspace: Workspace, rules: dict[str, Any], told: str
) -> None:
    """What is wrong with which value, and what is allowed; no study is begun."""
    experiments = Experiments(workspace, ProjectSettings(), SearchSettings())
    with pytest.raises(InputError, match=told):
        experiments.search({"x": Float(0, 1)}, lambda _: 1.0, **rules)
    with pytest.raises(NotFoundError):
        experiments.study()
