"""Follows scikit-learn: parameters, the rounds of estimators that tell them, a search's candidates, the model."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from heptad.core.errors import InputError
from heptad.experiments import ActiveRun

CURVES = {
    "train_score_": "train/score",
    "validation_score_": "validation/score",
    "validation_scores_": "validation/score",
    "loss_curve_": "train/loss",
    "oob_scores_": "oob/score",
    "estimator_errors_": "estimator/error",
}
"""Attributes in which estimators keep a value for each of their rounds, and the metric that it becomes."""
_ENDS = {"n_iter_": "rounds", "n_estimators_": "rounds"}


def follow(run: ActiveRun, estimator: Any, *, model: str = "model") -> Any:
    """Log what the estimator tells: now where it is fitted, else when the run ends; answers the estimator."""
    if not hasattr(estimator, "get_params"):
        raise InputError(f"A {type(estimator).__qualname__} is no estimator of scikit-learn.")
    if _is_fitted(estimator):
        _tell(run, estimator, model)
    else:
        run.ending.append(lambda: _tell(run, estimator, model) if _is_fitted(estimator) else None)
    return estimator


def _tell(run: ActiveRun, estimator: Any, path: str) -> None:
    run.tag(estimator=type(estimator).__name__)
    run.set_params(**{name: _plain(value) for name, value in estimator.get_params(deep=True).items()})
    for step, values in _rounds(estimator):
        run.log(values, step=step)
    if isinstance(getattr(estimator, "cv_results_", None), Mapping):
        _tell_search(run, estimator)
    for attribute, name in _ENDS.items():
        value: Any = getattr(estimator, attribute, None)
        if np.ndim(value) == 0 and isinstance(value, int | np.integer):
            run.log({name: int(value)})
            break
    run.model(path, estimator)


def _rounds(estimator: Any) -> Iterator[tuple[int, dict[str, float]]]:
    curves = {name: _curve(estimator, attribute) for attribute, name in CURVES.items()}
    for step in range(max(map(len, curves.values()), default=0)):
        yield step, {name: float(curve[step]) for name, curve in curves.items() if step < len(curve)}


def _curve(estimator: Any, attribute: str) -> "np.ndarray[Any, Any]":
    values: Any = getattr(estimator, attribute, None)
    return np.array([]) if values is None or np.ndim(values) != 1 else np.asarray(values, dtype=float)


def _tell_search(run: ActiveRun, search: Any) -> None:
    """Each candidate is a step; the best one's parameters are those of the run."""
    results = search.cv_results_
    scores = {
        name.replace("mean_test_", "cv/"): np.asarray(values, dtype=float)
        for name, values in results.items()
        if name.startswith("mean_test_")
    }
    for step in range(len(results["params"])):
        run.log({name: float(values[step]) for name, values in scores.items()}, step=step)
    if hasattr(search, "best_params_"):
        run.set_params(best={name: _plain(value) for name, value in search.best_params_.items()})
        run.log({"cv/best_score": float(search.best_score_)})


def _is_fitted(estimator: Any) -> bool:
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def _plain(value: Any) -> Any:
    """A parameter as it is, an estimator among them by its name."""
    return type(value).__name__ if hasattr(value, "get_params") or callable(value) else value
