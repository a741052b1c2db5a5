"""Keeps estimators of scikit-learn without pickle, by skops."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import skops.io
from sklearn.base import is_classifier, is_clusterer, is_regressor
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from heptad.experiments import ModelField, ModelSignature, WrittenModel, features, kind_of


def write_model(model: Any) -> WrittenModel:
    """An estimator as skops writes it; whoever loads it says which types may be made."""
    return WrittenModel({"model.skops": skops.io.dumps(model)}, _signature(model))


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
