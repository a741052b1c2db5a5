"""Trains one model: transformation and estimator learned from a frame, then written as one graph."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import msgspec
import numpy as np
import polars as pl

from heptad.core.errors import DataError, nearest
from heptad.data import Column, Schema
from heptad.training.balance import BALANCE, NONE, PriorCorrected, balance
from heptad.training.columns import Array, Columns, columns_of
from heptad.training.estimators import Estimator, complete_params, estimator_named
from heptad.training.learners import NativeModel, Problem, Rescaled, without_units
from heptad.training.model import DEFAULT_THRESHOLD, Scores, decide
from heptad.training.onnx_graph import GraphWriter, digest_of_numbers
from heptad.training.preprocessing import Matrix, Preprocessing, Recipe, learn_preprocessing
from heptad.training.records import Input, Signature

CATEGORIES_KEPT = 20_000
"""Where a column has more values than this, the signature lists none, and unseen ones go without a warning."""
_ATTRIBUTION_ROWS = 200
USE = "use."
"""Begins the names of parameters that say whether a feature is used."""
UNBALANCED = 'leave [search] balance out, or set it to ["none"]'


@dataclass(frozen=True)
class Fitted:
    """A trained model in both forms: the graph that is served, and the native one that it is compared with."""

    onnx: bytes
    signature: Signature
    model_digest: str
    """Digest of everything the graph computes with: equal models have equal digests."""
    preprocessing: Preprocessing
    native: NativeModel

    def predict_native(self, frame: pl.DataFrame) -> Scores:
        """Scores by the library that trained the model, from the matrix that the transformation makes of the frame."""
        return decide(self.predict_outputs(frame), self.signature)

    def predict_outputs(self, frame: pl.DataFrame) -> Array:
        """Probabilities `(n, k)`, or numbers `(n, 1)`, of the library that trained the model."""
        return self.native.predict(self.preprocessing.transform(columns_of(frame, self.signature)))

    def attributions(self, frame: pl.DataFrame) -> dict[str, float]:
        """How much each input moves the raw score, on average over at most 200 rows of the frame; largest first.

        The contributions of all columns that come from an input are added up row by row, and the mean is that of
        their absolute values (over the classes too, where there are more than two).
        """
        sample = frame.gather_every(max(1, -(-len(frame) // _ATTRIBUTION_ROWS)))
        matrix = self.preprocessing.transform(columns_of(sample, self.signature))
        names = [column.name for column in self.signature.inputs]
        sums = np.zeros((len(self.preprocessing.origins), len(names)))
        for position, origin in enumerate(self.preprocessing.origins):
            sums[position, names.index(origin)] = 1.0
        means = np.mean([np.abs(each @ sums).mean(axis=0) for each in self.native.contributions(matrix)], axis=0)
        return dict(sorted(zip(names, means.tolist(), strict=True), key=lambda one: (-one[1], one[0])))


def fit(frame: pl.DataFrame, schema: Schema, estimator: str, params: dict[str, Any], seed: int) -> Fitted:
    """Train on the labelled rows of the frame.

    Equal frames, parameters and seeds give equal models. Raises `InputError` for an unknown estimator or parameter,
    and `DataError` where there is nothing to learn: no feature, no label, or one class only.
    """
    return TrainingTable(frame, schema).fit(estimator, params, seed)


class PreparedFold:
    """A fold whose frames have become arrays once, for many estimators and parameters to be tried on.

    They learn from the labelled rows of `train`, and score all rows of `judged`.
    """

    def __init__(self, train: pl.DataFrame, judged: pl.DataFrame, schema: Schema) -> None:
        self._table = TrainingTable(train, schema)
        self._judged = columns_of(judged, self._table.signature)
        self._prepared: dict[tuple[Recipe, tuple[str, ...]], _Prepared] = {}

    def score(self, estimator: str, params: dict[str, Any], seed: int) -> Scores:
        """Scores of the judged rows by a model trained now, in its own library; no graph is written of it."""
        chosen, unused = estimator_named(estimator), unused_in(params)
        if (chosen.recipe, unused) not in self._prepared:
            table = self._table.without(unused)
            learned, matrix = table.prepared(chosen.recipe)
            judged = learned.transform({one.name: self._judged[one.name] for one in table.signature.inputs})
            self._prepared[chosen.recipe, unused] = table, learned, matrix, judged
        table, learned, matrix, judged = self._prepared[chosen.recipe, unused]
        native = table.learnt(chosen, params, learned, matrix, seed)
        return decide(native.predict(judged), table.signature)


class TrainingTable:
    """The labelled rows of a frame as arrays, for one training or several; safe to share between threads."""

    def __init__(self, frame: pl.DataFrame, schema: Schema) -> None:
        labelled = frame.filter(pl.col(schema.target).is_not_null())
        self.classes = len(schema.classes) if schema.task == "classification" else 0
        self.target = target_of(labelled, schema)
        self.signature = signature_of(labelled, schema)
        self.columns: Columns = columns_of(labelled, self.signature)
        self._robust = frozenset(column.name for column in schema.columns if column.robust)

    def fit(self, estimator: str, params: dict[str, Any], seed: int) -> Fitted:
        """Train on all rows; see `fit`."""
        if unused := unused_in(params):
            used = {name: value for name, value in params.items() if not name.startswith(USE)}
            return self.without(unused).fit(estimator, used, seed)
        chosen = estimator_named(estimator)
        learned, matrix = self.prepared(chosen.recipe)
        native = self.learnt(chosen, params, learned, matrix, seed)
        graph = GraphWriter(self.signature.inputs)
        onnx = graph.finish(native.write(graph, learned.write(graph)), max(1, self.classes))
        return Fitted(onnx, self.signature, digest_of_numbers(onnx), learned, native)

    def without(self, unused: Sequence[str]) -> "TrainingTable":
        """The same rows without some of the features."""
        if not unused:
            return self
        found = copy(self)
        inputs = [one for one in self.signature.inputs if one.name not in unused]
        found.signature = msgspec.structs.replace(self.signature, inputs=inputs)
        found.columns = {one.name: self.columns[one.name] for one in inputs}
        return found

    def prepared(self, recipe: Recipe) -> tuple[Preprocessing, Matrix]:
        """A transformation that is learnt from the rows, and the matrix to learn from."""
        wide = np.eye(self.classes)[self.target] if self.classes else self.target.reshape(-1, 1)
        return learn_preprocessing(self.columns, self.signature, wide, recipe, self._robust)

    def learnt(
        self, estimator: Estimator, params: dict[str, Any], learned: Preprocessing, matrix: Matrix, seed: int
    ) -> NativeModel:
        """A model of the matrix."""
        own = {name: value for name, value in params.items() if name != BALANCE and not name.startswith(USE)}
        complete, how = complete_params(estimator, own), params.get(BALANCE, NONE)
        bears = self.signature.target in self._robust
        problem = Problem(matrix, self.target, self.classes, learned.code_columns, seed, robust=bears)
        if self.classes:
            return self._classifier(estimator, problem, complete, how)
        if how != NONE:
            raise DataError("Classes cannot be balanced where the target is a number.", remedy=UNBALANCED)
        target, middle, size = without_units(self.target)
        return Rescaled(estimator.fit(replace(problem, target=target), complete), middle, size)

    def _classifier(self, estimator: Estimator, problem: Problem, params: dict[str, Any], how: str) -> NativeModel:
        if how == NONE:
            return estimator.fit(problem, params)
        made = balance(problem.matrix, problem.target, self.classes, problem.code_columns, how, problem.seed)
        balanced = replace(problem, matrix=made.matrix, target=made.target, weights=made.weights)
        return PriorCorrected(estimator.fit(balanced, params), made.ratios)


_Prepared: TypeAlias = tuple[TrainingTable, Preprocessing, Matrix, Matrix]


def unused_in(params: Mapping[str, Any]) -> tuple[str, ...]:
    """The features that parameters leave out."""
    return tuple(name.removeprefix(USE) for name, used in params.items() if name.startswith(USE) and not used)


def target_of(frame: pl.DataFrame, schema: Schema) -> Array:
    """Numbers of the classes, or the values of a regression; raises `DataError` for what cannot be learnt from."""
    values = frame.get_column(schema.target)
    if not len(values):
        raise DataError(f"No row has a label in {schema.target!r}.", allowed="at least one labelled row to learn from")
    if schema.task == "regression":
        numbers = np.asarray(values.cast(pl.Float64).to_numpy())
        if not np.isfinite(numbers).all():
            raise DataError(
                f"The target {schema.target!r} holds numbers that are not finite.", allowed="finite numbers"
            )
        return numbers
    numbered = {name: number for number, name in enumerate(schema.classes)}
    labels = values.cast(pl.String).to_list()
    unknown = next((label for label in labels if label not in numbered), None)
    if unknown is not None:
        raise DataError(
            f"The target {schema.target!r} holds {unknown!r}, which is none of its classes.",
            allowed=nearest(unknown, schema.classes),
        )
    target = np.array([numbered[label] for label in labels])
    if (target == target[0]).all():
        raise DataError(
            f"All {len(labels):,} rows to learn from have the label {labels[0]!r}: there is nothing to tell apart.",
            remedy="learn from more rows, or from a longer window",
        )
    return target


def signature_of(frame: pl.DataFrame, schema: Schema) -> Signature:
    """What a model of these rows takes: every feature, with the categories that the rows show."""
    features = schema.features()
    if not features:
        raise DataError("The table has no feature: every column is target, key, time, or ignored.")
    return Signature(
        inputs=[_input(column, frame) for column in features],
        task=schema.task,
        target=schema.target,
        classes=list(schema.classes),
        threshold=DEFAULT_THRESHOLD if len(schema.classes) == 2 else None,
    )


def _input(column: Column, frame: pl.DataFrame) -> Input:
    values = frame.get_column(column.name)
    categories = column.categories if column.closed else None
    if column.type == "category" and not column.closed:
        seen = values.drop_nulls().cast(pl.String).unique().sort().to_list()
        categories = seen if len(seen) <= CATEGORIES_KEPT else None
    return Input(
        name=column.name,
        type=column.type,
        required=not column.nullable,
        closed=column.closed,
        categories=categories,
        nulls_seen=values.null_count() > 0,
    )
