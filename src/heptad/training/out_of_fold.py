"""What models that have not seen a row say of it: predictions of a cross-validation over all labelled rows."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from heptad.core.records import Record
from heptad.data import DatasetVersion
from heptad.training.columns import Array
from heptad.training.estimators import estimator_named
from heptad.training.fitting import PreparedFold
from heptad.training.parallel import on_all_cores
from heptad.training.parting import Parting
from heptad.training.records import Candidate

FOLDS = 5
ESTIMATOR = "lightgbm"
"""Who judges labels where no candidate has been trained yet."""


class Model(NamedTuple):
    """An estimator and the parameters that it is trained with."""

    estimator: str
    params: Mapping[str, Any]


def model_of(candidates: list[Record[Candidate]], estimator: str = "") -> Model:
    """The model of the newest candidate that was trained here, of the named estimator if any; else its defaults.

    Raises `NotFoundError` for an estimator that does not exist.
    """
    for one in candidates:
        if estimator in {"", one.body.estimator} and not one.body.external:
            return Model(one.body.estimator, one.body.params)
    known = estimator_named(estimator or ESTIMATOR)
    return Model(known.name, known.defaults)


def out_of_fold(
    parting: Parting,
    version: Record[DatasetVersion],
    frame: pl.DataFrame,
    model: Model,
    seed: int,
    *,
    others: pl.DataFrame,
    doubted: Array | None = None,
) -> tuple[Array, Array]:
    """Probabilities `(n, k)` of the frame's rows, each by a model that has not seen it; `(folds, m, k)` of `others`.

    Where the target is a number, predictions: `k` is 1. Nobody learns from rows that are `doubted` `(n,)`.

    Rows are dealt by hash also where they have a time: what is asked is which label is wrong, not what comes next.
    """
    schema = version.body.schema
    folds = parting.dealt(version, frame, FOLDS)

    def scored(fold: Any) -> tuple[Array, Array]:
        asked = pl.concat([frame[fold.judge], others]) if len(others) else frame[fold.judge]
        learnt = fold.train if doubted is None else fold.train[~doubted[fold.train]]
        scores = PreparedFold(frame[learnt], asked, schema).score(model.estimator, dict(model.params), seed)
        found = scores.scores.reshape(-1, 1) if scores.probabilities is None else scores.probabilities
        return found[: len(fold.judge)], found[len(fold.judge) :]

    made = on_all_cores(scored, folds)
    own = np.full((len(frame), max(1, len(schema.classes))), np.nan)
    for fold, (judged, _) in zip(folds, made, strict=True):
        own[fold.judge] = judged
    return own, np.stack([rest for _, rest in made])
