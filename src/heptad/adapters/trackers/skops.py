"""Keeps estimators of scikit-learn without pickle, by skops."""

import pkgutil
from collections.abc import Sequence
from typing import Any

import numpy as np
import skops.io
from sklearn.base import is_classifier, is_clusterer, is_regressor
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from heptad.core.errors import InputError
from heptad.experiments import ModelField, ModelSignature, WrittenModel, features, kind_of


def write_model(model: Any) -> WrittenModel:
    """An estimator as skops writes it; whoever loads it says which types may be made.

    Functions and classes of its own are kept by name only. Raises `InputError` where another process would not find
    one by it.
    """
    written = skops.io.dumps(model)
    lost = [name for name in skops.io.get_untrusted_types(data=written) if not _is_found(name)]
    if lost:
        raise InputError(
            f"The model needs {', '.join(lost)}, which is kept by name only and which no other process would find.",
            allowed="functions and classes at the top of a module that can be imported",
            remedy="move it into a .py file beside the script, and import it from there",
        )
    return WrittenModel({"model.skops": written}, _signature(model))


def _is_found(name: str) -> bool:
    """Whether another process that imports the module finds this there; the script that runs is nobody's module."""
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError):
        return False
    return not name.startswith("__main__.")


def _signature(model: Any) -> ModelSignature:
    """What an estimator takes, and what its `predict` answers."""
    count = getattr(model, "n_features_in_", None)
    if count is None:
        return ModelSignature(outputs=_outputs(model))
    names = getattr(model, "feature_names_in_", None)
    return ModelSignature(inputs=features(count, names, _types(model, count)), outputs=_outputs(model))


def _outputs(model: Any) -> list[ModelField]:
    width = getattr(model, "n_outputs_", 1)
    shape = [-1] if width == 1 else [-1, width]
    if is_classifier(model):
        classes: Any = model.classes_
        return [ModelField(type=kind_of((classes[0] if isinstance(classes, list) else classes).dtype), shape=shape)]
    if is_regressor(model):
        return [ModelField(type="number", shape=shape)]
    return [ModelField(type="integer", shape=shape)] if is_clusterer(model) else []


def _types(estimator: Any, count: int) -> list[str]:
    """What each column holds, by the estimator that takes it first; empty where that does not tell.

    A fitted estimator forgets the types that it was given. One that takes numbers only says so.
    """
    if isinstance(estimator, ColumnTransformer):
        return _types_of_parts(estimator, count)
    if isinstance(estimator, Pipeline):
        inner: Any = next((one for _, one in estimator.steps if one not in (None, "passthrough")), None)
    else:
        inner = getattr(estimator, "best_estimator_", None) or getattr(estimator, "estimator", None)
    if inner is not None and not isinstance(inner, str):
        return _types(inner, count)
    if len(known := getattr(estimator, "categories_", ())) == count:
        return ["category" if kind_of(one.dtype) == "text" else kind_of(one.dtype) for one in known]
    if (marked := getattr(estimator, "is_categorical_", None)) is not None:
        return ["category" if one else "number" for one in marked]
    tags = getattr(estimator, "__sklearn_tags__", lambda: None)()
    if tags is None or tags.no_validation or hasattr(estimator, "estimators") or tags.input_tags.categorical:
        return [""] * count
    filled = getattr(estimator, "statistics_", np.zeros(0))
    numeric = tags.input_tags.two_d_array and not tags.input_tags.string and kind_of(filled.dtype) == "number"
    return ["number" if numeric else "text" if tags.input_tags.string else ""] * count


def _types_of_parts(transformer: ColumnTransformer, count: int) -> list[str]:
    types, names = [""] * count, list(getattr(transformer, "feature_names_in_", ()))
    for _, part, columns in transformer.transformers_:
        chosen: Any = [columns] if isinstance(columns, str | int) else columns
        by_name = isinstance(chosen, Sequence) and len(chosen) > 0 and isinstance(chosen[0], str)
        places = [names.index(one) for one in chosen] if by_name else np.arange(count)[chosen]
        for place, one in zip(places, _types(part, len(places)), strict=True):
            types[place] = one
    return types
