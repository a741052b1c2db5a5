"""Follows XGBoost: metrics and learning rate after each round, where it stopped early, and the model as JSON."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from xgboost.callback import TrainingCallback

from heptad.experiments import ActiveRun, ModelField, ModelSignature, WrittenModel, features

_TYPES = {"int": "integer", "i": "boolean", "c": "category"}
"""XGBoost's types of columns that are not numbers of any kind."""


class Follower(TrainingCallback):
    """A callback of `xgboost.train` and, given as `callbacks` to an estimator, of its `fit`."""

    def __init__(self, run: ActiveRun, *, model: str = "model") -> None:
        super().__init__()
        self._run, self._path = run, model

    def before_training(self, model: Any) -> Any:
        if hasattr(model, "save_config"):  # cross-validation has several
            learner = json.loads(model.save_config())["learner"]
            trees = learner["gradient_booster"].get("tree_train_param", {})
            self._run.set_params(objective=learner["objective"]["name"], booster=_numbers(trees))
        return model

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        values = {f"{data}/{name}": _last(series) for data, one in evals_log.items() for name, series in one.items()}
        if hasattr(model, "save_config"):
            trees = json.loads(model.save_config())["learner"]["gradient_booster"].get("tree_train_param")
            if trees:
                values["learning_rate"] = float(_value(trees["learning_rate"]))
        self._run.log(values, step=epoch)
        return False

    def after_training(self, model: Any) -> Any:
        if hasattr(model, "save_raw"):
            best = model.attr("best_iteration")
            if best is not None:
                self._run.log(best_iteration=int(best))
            self._run.model(self._path, model)
        return model


def write_model(model: Any) -> WrittenModel:
    """A booster, or an estimator that has one, as JSON."""
    booster = model.get_booster() if hasattr(model, "get_booster") else model
    return WrittenModel({"model.json": bytes(booster.save_raw("json"))}, _signature(booster))


def _signature(booster: Any) -> ModelSignature:
    """What a booster takes and predicts."""
    count = booster.num_features()
    types = [_TYPES.get(one, "number") for one in booster.feature_types or ["float"] * count]
    learner = json.loads(booster.save_config())["learner"]
    sizes = learner["learner_model_param"]
    # `multi:softmax` answers the class, `multi:softprob` a probability of each.
    classes = int(sizes["num_class"]) if learner["objective"]["name"] != "multi:softmax" else 0
    width = max(classes, int(sizes.get("num_target", 1)))
    return ModelSignature(
        inputs=features(count, booster.feature_names, types),
        outputs=[ModelField(type="float32", shape=[-1] if width <= 1 else [-1, width])],
    )


def _numbers(params: dict[str, str]) -> dict[str, int | float | str]:
    return {name: _value(text) for name, text in params.items()}


def _value(text: str) -> int | float | str:
    """What a text of XGBoost's configuration says: a number where it is one.

    Fractions are of 32 bits there, and become the shortest number that is this one: `0.300000012` is 0.3.
    """
    readers: tuple[Callable[[str], int | float], ...] = (int, lambda digits: float(str(np.float32(digits))))
    for read in readers:
        with suppress(ValueError):
            return read(text)
    return text


def _last(series: Any) -> float:
    value = series[-1]
    # Of cross-validation, the mean and its deviation.
    return float(value[0] if isinstance(value, tuple) else value)
