"""Follows LightGBM: metrics and learning rate after each round, where it stopped early, and the model as text."""

from typing import Any

from heptad.experiments import ActiveRun, ModelField, ModelSignature, WrittenModel, features


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


def write_model(model: Any) -> WrittenModel:
    """A booster, or an estimator that has one, as LightGBM's own text."""
    booster = getattr(model, "booster_", model)
    text: str = booster.model_to_string()
    return WrittenModel({"model.txt": text.encode()}, _signature(booster, text))


def _signature(booster: Any, text: str) -> ModelSignature:
    """What a booster takes and predicts; its text has for each column a range, categories, or `none` for no split."""
    names = booster.feature_name()
    infos = next((line for line in text.splitlines() if line.startswith("feature_infos=")), "").partition("=")[2]
    coded = "category" if booster.pandas_categorical else "integer"
    types = ["number" if one[0] == "[" else "" if one == "none" else coded for one in infos.split()]
    # Columns of an array are called so by LightGBM itself.
    named = names != [f"Column_{place}" for place in range(len(names))]
    outputs = booster.num_model_per_iteration()
    return ModelSignature(
        inputs=features(len(names), names if named else None, types),
        outputs=[ModelField(type="float64", shape=[-1] if outputs == 1 else [-1, outputs])],
    )
