"""What to label next: the unlabelled rows whose label would teach a model most.

B. Settles, "Active Learning Literature Survey" (2009): margin and entropy of uncertainty; I. Dagan and S. Engelson,
"Committee-Based Sampling for Training Probabilistic Classifiers" (1995): the entropy of votes for disagreement.
"""

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias, get_args

import msgspec
import numpy as np
import polars as pl

from heptad.core.errors import DataError
from heptad.core.records import Record
from heptad.data import DatasetVersion, Schema, row_ids, unit_hashes
from heptad.training.columns import Array
from heptad.training.out_of_fold import Model, model_of, out_of_fold
from heptad.training.parting import Parting

By: TypeAlias = Literal["uncertainty", "entropy", "disagreement", "random"]
WAYS: tuple[By, ...] = get_args(By)
_COMMITTEE = ("linear", "random_forest", "lightgbm")


class QueuedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row to label: what models think it is, with which probability, and why it is asked for, most first."""

    key: dict[str, str | int | float | bool | None]
    likely: str
    probability: float | None = None
    """Of a class; numbers have none."""
    score: float
    """Of numbers, by how much models differ: a standard deviation, in units of the target."""


class LabelQueue(msgspec.Struct, frozen=True, kw_only=True):
    """Rows to label, the most telling first, out of `unlabelled`; `labelled` are those that models learnt from."""

    version: str
    target: str
    by: By
    labelled: int
    unlabelled: int
    rows: list[QueuedRow]


def label_queue(
    parting: Parting, version: Record[DatasetVersion], model: Model, seed: int, *, count: int, by: By = "uncertainty"
) -> LabelQueue:
    """The `count` rows to label next.

    `uncertainty`: the two likeliest classes are close; `entropy`: all classes are; `disagreement`: models of three
    families answer different things; `random`: by hash, to compare with. Five models of a cross-validation are
    asked. Of numbers, `uncertainty` is how far these differ, each having learnt from other rows, and `disagreement`
    how far families do. Raises `DataError` for the entropy of numbers, and where no row is without a label.
    """
    schema = version.body.schema
    scores_by = _SCORES if schema.task == "classification" else _SPREADS
    if by != "random" and by not in scores_by:
        raise DataError(
            f"{schema.target!r} is a number, of which there is no {by}.", allowed=", ".join([*scores_by, "random"])
        )
    frame, rest = parting.labelled(version), parting.unlabelled(version)
    if rest.is_empty():
        raise DataError(
            f"Every row of {version.body.name}@{version.body.version} has a label.",
            remedy='rows without one are set aside by default: keep them with [clean] missing_target = "keep"',
        )
    asked = [model_of([], one) for one in _COMMITTEE] if by == "disagreement" else [model]
    votes = np.concatenate([out_of_fold(parting, version, frame, one, seed, others=rest)[1] for one in asked])
    mean = votes.mean(axis=0)
    scores = unit_hashes(row_ids(rest, schema), seed) if by == "random" else scores_by[by](votes, mean)
    first = np.argsort(-scores, kind="stable")[:count]
    return LabelQueue(
        version=f"{version.body.name}@{version.body.version}",
        target=schema.target,
        by=by,
        labelled=len(frame),
        unlabelled=len(rest),
        rows=[_queued(rest[row], schema, mean[row], float(scores[row])) for row in first.tolist()],
    )


def queue_table(queue: LabelQueue, rows: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """A line for each, as `heptad data correct` reads it: `value` is empty and waits for a label.

    The row's own columns stand beside it, for whoever has to decide; those with a name of the queue's have `row ` in
    front.
    """
    key = schema.named("key")
    asked = pl.DataFrame(
        [
            {**one.key, "column": queue.target, "value": None, "reason": f"labelled, asked for by {queue.by}",
             "likely": one.likely, "probability": one.probability, "score": one.score}
            for one in queue.rows
        ],
        infer_schema_length=None,
        schema_overrides={"value": pl.String, "probability": pl.Float64},
    )  # fmt: skip
    others = [one.name for one in schema.columns if one.role not in {"key", "target"}]
    shown = rows.select(*_as_told(rows, key), *(pl.col(name).alias(_beside(name, asked)) for name in others))
    return asked.join(shown, on=key, how="left", maintain_order="left")


def _beside(name: str, asked: pl.DataFrame) -> str:
    return f"row {name}" if name in asked.columns else name


def _as_told(rows: pl.DataFrame, key: list[str]) -> list[pl.Expr]:
    """Keys as files and JSON tell them: times as text."""
    return [pl.col(name).cast(pl.String) if rows.schema[name].is_temporal() else pl.col(name) for name in key]


def _queued(row: pl.DataFrame, schema: Schema, shares: Array, score: float) -> QueuedRow:
    key = row.select(_as_told(row, schema.named("key"))).row(0, named=True)
    if schema.task != "classification":
        return QueuedRow(key=key, likely=f"{shares[0]:.6g}", score=score)
    likely = int(shares.argmax())
    return QueuedRow(
        key=key,
        likely=schema.classes[likely],
        probability=float(shares[likely]),
        score=score,
    )


def _margin(votes: Array, mean: Array) -> Array:
    del votes
    ordered = np.sort(mean, axis=1)
    return np.asarray(1 - (ordered[:, -1] - ordered[:, -2]))


def _entropy(votes: Array, mean: Array) -> Array:
    del votes
    return _bits(mean)


def _disagreement(votes: Array, mean: Array) -> Array:
    """The entropy of what each model would answer; of rows with equal votes the uncertain ones come first.

    Answers are counted and not probabilities compared, since families are sure of themselves in different degrees.
    """
    answers = np.eye(votes.shape[-1])[votes.argmax(axis=-1)].mean(axis=0)
    return np.asarray(_bits(answers) + 1e-3 * _margin(votes, mean))


def _bits(shares: Array) -> Array:
    return np.asarray(-(shares * np.log2(np.maximum(shares, 1e-12))).sum(axis=-1))


_SCORES: Mapping[str, Callable[[Array, Array], Array]] = {
    "uncertainty": _margin,
    "entropy": _entropy,
    "disagreement": _disagreement,
}


def _spread(votes: Array, mean: Array) -> Array:
    """How far predictions `(models, m, 1)` are from each other."""
    del mean
    return np.asarray(votes[..., 0].std(axis=0))


def _spread_of_families(votes: Array, mean: Array) -> Array:
    """How far the mean of each family is from those of the others; models of a family lie side by side."""
    families = votes.reshape(len(_COMMITTEE), -1, *votes.shape[1:]).mean(axis=1)
    return _spread(families, mean)


_SPREADS: Mapping[str, Callable[[Array, Array], Array]] = {
    "uncertainty": _spread,
    "disagreement": _spread_of_families,
}
"""R. Burbidge, J. Rowland and R. King, "Active Learning for Regression Based on Query by Committee" (2007)."""
