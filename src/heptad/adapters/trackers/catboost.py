"""Follows CatBoost: metrics after each round, where it stopped early, and the model in CatBoost's format."""

import tempfile
from pathlib import Path
from typing import Any

from heptad.experiments import ActiveRun, ModelField, ModelSignature, WrittenModel, features, kind_of


class Follower:
    """A callback of `fit` of the `subject`, which is kept when the run ends."""

    def __init__(self, run: ActiveRun, subject: Any = None, *, model: str = "model") -> None:
        self._run, self._subject, self._path = run, subject, model
        if subject is not None:
            run.set_params(**subject.get_params())
            run.ending.append(self._end)

    def after_iteration(self, info: Any) -> bool:
        values = {
            f"{data}/{name}": series[-1]
            for data, one in (info.metrics or {}).items()
            for name, series in one.items()
            if series
        }
        # It counts rounds from 1 here, and from 0 where it names the best one and in what it prints.
        self._run.log(values, step=info.iteration - 1)
        return True

    def _end(self) -> None:
        if not self._subject.is_fitted():
            return
        best = self._subject.get_best_iteration()
        if best is not None:
            self._run.log(best_iteration=best)
        rate = self._subject.learning_rate_
        if rate is not None:
            self._run.log(learning_rate=rate)
        self._run.model(self._path, self._subject)


def write_model(model: Any) -> WrittenModel:
    """Any model of CatBoost as `.cbm`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.cbm"
        model.save_model(str(path))
        return WrittenModel({path.name: path.read_bytes()}, _signature(model))


def _signature(model: Any) -> ModelSignature:
    """What a model takes, and what its `predict` answers."""
    names = model.feature_names_
    special = dict.fromkeys(model.get_cat_feature_indices(), "category")
    special |= dict.fromkeys(model.get_text_feature_indices(), "text")
    # Columns of an array are called by their places.
    named = names != [str(place) for place in range(len(names))]
    classes: Any = getattr(model, "classes_", ())
    answer = kind_of(classes.dtype) if len(classes) else "float64"
    return ModelSignature(
        inputs=features(
            len(names), names if named else None, [special.get(place, "number") for place in range(len(names))]
        ),
        outputs=[ModelField(type=answer, shape=[-1, 1] if len(classes) > 2 else [-1])],
    )
