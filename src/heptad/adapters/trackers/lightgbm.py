"""Follows LightGBM: metrics and learning rate after each round, where it stopped early, and the model as text."""

from typing import Any

from heptad.experiments import ActiveRun


class Follower:
    """A callback of `lightgbm.train`, `lightgbm.cv` and the `fit` of its estimators; for one training."""

    order = 25
    """Before `early_stopping`, which ends the round in which it stops."""
    before_iteration = False

    def __init__(self, run: ActiveRun, *, model: str = "model") -> None:
        self._run, self._path = run, model
        self._booster: Any = None

    def __call__(self, env: Any) -> None:
        if self._booster is None:
            self._booster = env.model
            self._run.set_params(**{name: value for name, value in env.params.items() if not callable(value)})
            self._run.ending.append(self._end)
        values = {f"{one[0]}/{one[1]}": one[2] for one in env.evaluation_result_list or []}
        if "learning_rate" in env.params:
            values["learning_rate"] = env.params["learning_rate"]
        self._run.log(values, step=env.iteration)

    def _end(self) -> None:
        if self._booster.best_iteration > 0:
            self._run.log(best_iteration=self._booster.best_iteration)
        # What `cv` trains are several boosters, which answer to every name.
        if not hasattr(self._booster, "boosters"):
            self._run.model(self._path, self._booster)


def write_model(model: Any) -> dict[str, bytes]:
    """A booster, or an estimator that has one, as LightGBM's own text."""
    return {"model.txt": getattr(model, "booster_", model).model_to_string().encode()}
