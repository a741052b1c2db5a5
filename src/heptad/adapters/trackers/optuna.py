"""Follows a study of Optuna: each trial is a run inside of the run, the best value so far a metric."""

from typing import Any

from optuna.trial import TrialState

from heptad.experiments import ActiveRun, Status

_STATUS: dict[TrialState, Status] = {
    TrialState.COMPLETE: "finished",
    TrialState.PRUNED: "finished",
    TrialState.FAIL: "failed",
}


class Follower:
    """A callback of `study.optimize`; with `children=False` trials are points of the run only."""

    def __init__(self, run: ActiveRun, *, children: bool = True) -> None:
        self._run, self._children = run, children

    def __call__(self, study: Any, trial: Any) -> None:
        values = _values(trial)
        if trial.duration is not None:
            values["seconds"] = trial.duration.total_seconds()
        self._run.log(values, step=trial.number)
        if self._children:
            self._add(trial, values)
        if len(study.directions) == 1 and any(one.state == TrialState.COMPLETE for one in study.trials):
            self._run.log({"best_value": study.best_value}, step=trial.number)
            self._run.set_params(best=study.best_params)

    def _add(self, trial: Any, values: dict[str, float]) -> None:
        child = self._run.child(f"trial {trial.number}", params=trial.params)
        for step, value in sorted(trial.intermediate_values.items()):
            child.log({"intermediate": value}, step=step)
        child.log(values)
        child.tag(state=trial.state.name.lower())
        child.finish(_STATUS.get(trial.state, "finished"))


def _values(trial: Any) -> dict[str, float]:
    if trial.values is None:
        return {}
    names = ["value"] if len(trial.values) == 1 else [f"value_{number}" for number in range(len(trial.values))]
    return dict(zip(names, trial.values, strict=True))
