"""Finds labels that are likely wrong: what a row is called against what models say of it that have not seen it."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import msgspec
import numpy as np
import polars as pl

from heptad.core import catalogue
from heptad.core.records import Record
from heptad.data import DatasetVersion, Schema
from heptad.training.columns import Array
from heptad.training.fitting import target_of
from heptad.training.number_errors import rounded, usual_errors
from heptad.training.out_of_fold import Model, out_of_fold
from heptad.training.parting import Parting

FINDER = "cleanlab"
Finder: TypeAlias = Callable[[Any, Any], tuple[Any, Any]]
"""Labels and what models say of them to which are likely wrong `(n,)` and how likely each is right `(n,)`."""


class LabelError(msgspec.Struct, frozen=True, kw_only=True):
    """A row whose label is likely wrong. `quality` is how likely the given label is right, 0 to 1, least first."""

    key: dict[str, str | int | float | bool | None]
    given: str
    likely: str
    given_probability: float | None = None
    likely_probability: float | None = None
    """Of classes only, as the one above."""
    usual_error: float | None = None
    """Of numbers: the standard deviation of what models say of such rows, in units of the target."""
    quality: float

    @property
    def reason(self) -> str:
        """Why it is doubted, in words."""
        if self.usual_error is not None:
            usual = rounded(self.usual_error, self.usual_error)
            return f"a model that had not seen it says {self.likely}, and is usually off by {usual} there"
        return (
            f"a model that had not seen it says {self.likely} with {self.likely_probability:.1%}, "
            f"{self.given} with {self.given_probability:.1%}"
        )


class LabelErrors(msgspec.Struct, frozen=True, kw_only=True):
    """What was found among the labelled rows of a version, the least credible label first."""

    version: str
    target: str
    rows: int
    estimator: str
    agreement: float
    """Share of the rows that the models call as they are labelled; of numbers, the share of the variance of those
    that are not doubted which the models explain."""
    numbers: bool = False
    """Whether the target is a number."""
    errors: list[LabelError]

    @property
    def sentence(self) -> str:
        told = f"{len(self.errors):,} of {self.rows:,} labels of {self.version} are likely wrong."
        if self.numbers:
            return f"{told} {self.estimator} explains {self.agreement:.1%} of the variance of the others."
        return f"{told} {self.estimator} calls {self.agreement:.1%} of the rows as they are labelled."

    def table(self) -> pl.DataFrame:
        """A line for each, as `heptad data correct` reads it.

        The likely class is proposed as the right one. What a model says of a number is no measurement of it, so that
        `value` is left open there, with `likely` beside it.
        """
        lines = [
            {
                **one.key,
                "column": self.target,
                "value": None if self.numbers else one.likely,
                "reason": one.reason,
                "given": one.given,
                "quality": one.quality,
                **({"likely": one.likely} if self.numbers else {}),
            }
            for one in self.errors
        ]
        return pl.DataFrame(lines, infer_schema_length=None, schema_overrides={"value": pl.String} if lines else None)


def find_label_errors(
    parting: Parting, version: Record[DatasetVersion], model: Model, seed: int, *, finder: str = FINDER
) -> LabelErrors:
    """The labels that are likely wrong, by what models of a cross-validation say of rows that they have not seen.

    Classes by confident learning, numbers by how far they are from what is predicted. Raises `WorkspaceError` where
    the finder is not installed.
    """
    schema = version.body.schema
    kind = "label_errors" if schema.task == "classification" else "number_errors"
    find: Finder = catalogue.find(kind, finder)
    frame = parting.labelled(version)

    def judge(doubted: Array | None = None) -> Array:
        return out_of_fold(parting, version, frame, model, seed, others=frame.head(0), doubted=doubted)[0]

    made = _of_classes if schema.task == "classification" else _of_numbers
    agreement, rows, errors = made(frame, schema, judge, find)
    return LabelErrors(
        version=f"{version.body.name}@{version.body.version}",
        target=schema.target,
        rows=rows,
        estimator=model.estimator,
        agreement=agreement,
        numbers=schema.task != "classification",
        errors=errors,
    )


def _of_classes(
    frame: pl.DataFrame, schema: Schema, judge: Callable[[], Array], find: Finder
) -> tuple[float, int, list[LabelError]]:
    labels, probabilities = target_of(frame, schema), judge()
    judged = np.flatnonzero(~np.isnan(probabilities).any(axis=1))
    present, numbers = np.unique(labels[judged], return_inverse=True)
    # A class that no labelled row has can be nobody's right label either.
    shares = probabilities[judged][:, present] + 1e-12
    shares /= shares.sum(axis=1, keepdims=True)
    suspects, quality = find(numbers, shares)
    names, agreement = [schema.classes[one] for one in present], float((shares.argmax(axis=1) == numbers).mean())
    errors = [
        _error(frame[int(judged[row])], schema, names, int(numbers[row]), shares[row], float(quality[row]))
        for row in _worst_first(suspects, quality)
    ]
    return agreement, len(judged), errors


def _of_numbers(
    frame: pl.DataFrame, schema: Schema, judge: Callable[[Array | None], Array], find: Finder
) -> tuple[float, int, list[LabelError]]:
    """Twice: models that have learnt from wrong values are drawn to them, so the second ones learn from the others."""
    values = target_of(frame, schema)

    def found(doubted: Array | None) -> tuple[Array, Array, Array, Array]:
        predicted = judge(doubted)[:, 0]
        judged = np.flatnonzero(~np.isnan(predicted))
        usual = usual_errors(values[judged], predicted[judged])
        suspects, quality = find(values[judged] / usual, predicted[judged] / usual)
        doubts = np.zeros(len(values), dtype=bool)
        doubts[judged] = suspects
        scattered = np.full((2, len(values)), np.nan)
        scattered[:, judged] = usual, quality
        return doubts, predicted, *scattered

    first, *_ = found(None)
    doubts, predicted, usual, quality = found(first if first.any() else None)
    credible = np.isfinite(predicted) & ~doubts
    left = np.sum((values - predicted)[credible] ** 2)
    whole = np.sum((values[credible] - values[credible].mean()) ** 2)
    errors = [
        LabelError(
            key=_key(frame[row], schema),
            given=str(frame[schema.target][row]),
            likely=rounded(predicted[row], usual[row]),
            usual_error=float(usual[row]),
            quality=float(quality[row]),
        )
        for row in _worst_first(doubts, quality)
    ]
    return float(1 - left / whole) if whole else 0.0, int(np.isfinite(predicted).sum()), errors


def _worst_first(suspects: Array, quality: Array) -> list[int]:
    found = np.flatnonzero(suspects)
    return [int(row) for row in found[np.argsort(quality[found], kind="stable")]]


def _key(row: pl.DataFrame, schema: Schema) -> dict[str, Any]:
    names = schema.named("key")
    told = [pl.col(name) if not row[name].dtype.is_temporal() else pl.col(name).cast(pl.String) for name in names]
    return row.select(told).row(0, named=True)


def _error(
    row: pl.DataFrame, schema: Schema, names: Sequence[str], given: int, shares: np.ndarray, quality: float
) -> LabelError:
    others = shares.copy()
    others[given] = -1
    likely = int(others.argmax())
    return LabelError(
        key=_key(row, schema),
        given=names[given],
        likely=names[likely],
        given_probability=float(shares[given]),
        likely_probability=float(shares[likely]),
        quality=quality,
    )
