"""Follows XGBoost: metrics and learning rate after each round, where it stopped early, and the model as JSON."""

import json
from typing import Any

from xgboost.callback import TrainingCallback

from heptad.experiments import ActiveRun


class Follower(TrainingCallback):
    """A callback of `xgboost.train` and, given as `callbacks` to an estimator, of its `fit`."""

    def __init__(self, run: ActiveRun, *, model: str = "model") -> None:
        super().__init__()
        self._run, self._path = run, model

    def before_training(self, model: Any) -> Any:
        if hasattr(model, "save_config"):  # cross-validation has several
            learner = json.loads(model.save_config())["learner"]
            trees = learner["gradient_booster"].get("tree_train_param", {})
            self._run.set_params(objective=learner["objective"]["name"], booster=trees)
        return model

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        values = {f"{data}/{name}": _last(series) for data, one in evals_log.items() for name, series in one.items()}
        if hasattr(model, "save_config"):
            trees = json.loads(model.save_config())["learner"]["gradient_booster"].get("tree_train_param")
            if trees:
                values["learning_rate"] = float(trees["learning_rate"])
        self._run.log(values, step=epoch)
        return False

    def after_training(self, model: Any) -> Any:
        if hasattr(model, "save_raw"):
            best = model.attr("best_iteration")
            if best is not None:
                self._run.log(best_iteration=int(best))
            self._run.model(self._path, model)
        return model


def write_model(model: Any) -> dict[str, bytes]:
    """A booster, or an estimator that has one, as JSON."""
    booster = model.get_booster() if hasattr(model, "get_booster") else model
    return {"model.json": bytes(booster.save_raw("json"))}


def _last(series: Any) -> float:
    value = series[-1]
    # Of cross-validation, the mean and its deviation.
    return float(value[0] if isinstance(value, tuple) else value)
