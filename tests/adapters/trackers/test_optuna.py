"""A study of Optuna is followed by one callback: every trial is a run inside of the run."""

import optuna
import pytest


def objective(trial: optuna.Trial) -> float:
    x = trial.suggest_float("x", -1, 1)
    trial.report(x, 0)
    if trial.number == 2:
        raise optuna.TrialPruned
    if trial.number == 3:
        raise ValueError("no value")
    return x**2


@pytest.fixture
def study():
    """A quiet one."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=7))


def test_trials_are_runs_inside_of_the_run(run, experiments, study, attributes, series):
    """With their parameters, values and states; the best so far is a metric of the run."""
    study.optimize(objective, n_trials=5, callbacks=[run.watch("optuna")], catch=(ValueError,))
    run.finish()
    links = experiments.workspace.store.trace([run.id], "in", ["parent"])
    children = sorted((experiments.show(link.source) for link in links), key=lambda child: child.body.name)
    assert [child.attributes["tags.state"] for child in children] == [
        "complete",
        "complete",
        "pruned",
        "fail",
        "complete",
    ]
    assert children[3].attributes["status"] == "failed"
    assert children[0].body.params == study.trials[0].params
    assert children[0].attributes["metrics.value"] == study.trials[0].value
    assert children[2].attributes["metrics.intermediate"] == study.trials[2].intermediate_values[0]
    assert series("best_value")[-1] == study.best_value
    assert attributes()["params.best.x"] == study.best_params["x"]


def test_trials_may_be_points_only(run, experiments, study, series):
    """Without runs of their own; several objectives have a value each."""
    both = optuna.create_study(directions=["minimize", "maximize"])
    both.optimize(
        lambda trial: (trial.suggest_float("x", 0, 1), 1.0), 3, callbacks=[run.watch("optuna", children=False)]
    )
    run.finish()
    assert series("value_1") == [1.0, 1.0, 1.0]
    assert experiments.workspace.store.trace([run.id], "in", ["parent"]) == []
