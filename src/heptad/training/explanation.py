"""Why a model answered a row as it did: Shapley values sampled through the served graph."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from heptad.core.errors import InputError
from heptad.training.columns import Array, check_rows
from heptad.training.model import OnnxModel, Scores

_MOST_ROWS = 8_000
"""Rows that the model is asked for one explanation, which bounds its time."""


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """`score` is `base` plus all `contributions`, which are named like the inputs, the weightiest first.

    The score is the probability of the positive class, of the answered class where there are more than two, or the
    number of a regression; the base is its mean over the background rows.
    """

    base: float
    contributions: dict[str, float]
    score: float


def explain(
    model: OnnxModel, row: Mapping[str, Any], background: Sequence[Mapping[str, Any]], seed: int
) -> Explanation:
    """What each input of `row` adds to its score, against `background` rows as they would come as JSON.

    A permutation of the `d` inputs starts from a background row and takes over the row's values one by one; what each
    step changes belongs to its input. Every background row is used with one random permutation and with its reverse,
    which cancels much of the error (E. Strumbelj, I. Kononenko, Explaining prediction models and individual
    predictions with feature contributions, 2014; R. Mitchell et al., Sampling permutations for Shapley value
    estimation, 2022). The model is asked for `2 (d + 1)` rows a background row, all in one batch, and at most 8,000
    in all: of a wide table fewer background rows are used. Raises `RequestError` as `check_rows` does.
    """
    names = [column.name for column in model.signature.inputs]
    if not background:
        raise InputError("A prediction cannot be explained without background rows.", allowed="at least one row")
    random = np.random.default_rng(seed)
    used = min(len(background), max(1, _MOST_ROWS // (2 * (len(names) + 1))))
    chosen = sorted(random.permutation(len(background))[:used].tolist())
    columns, _ = check_rows([row, *(background[number] for number in chosen)], model.signature)

    order = np.array([random.permutation(len(names)) for _ in chosen])
    ranks = np.argsort(order, axis=1)
    ranks = np.concatenate([ranks, len(names) - 1 - ranks])
    scores = _scores_along(model, columns, ranks, np.tile(np.arange(1, used + 1), 2))

    # The step from r to r + 1 values taken over belongs to the input of rank r.
    steps = np.diff(scores, axis=1)
    contributions = np.take_along_axis(steps, ranks, axis=1).mean(axis=0)
    ordered = sorted(zip(names, contributions.tolist(), strict=True), key=lambda one: (-abs(one[1]), one[0]))
    score = float(scores[0, -1])
    return Explanation(base=score - float(contributions.sum()), contributions=dict(ordered), score=score)


def _scores_along(model: OnnxModel, columns: Mapping[str, Array], ranks: Array, starts: Array) -> Array:
    """Scores `(p, d + 1)` on the way from row `starts[i]` to row 0, taking over inputs in the order of `ranks[i]`."""
    paths, inputs = ranks.shape
    taken = ranks[:, None, :] < np.arange(inputs + 1)[None, :, None]
    origin = np.repeat(starts, inputs + 1)
    mixed = {}
    for position, name in enumerate(column.name for column in model.signature.inputs):
        values = columns[name][:, 0]
        own = taken[:, :, position].ravel()
        mixed[name] = np.where(own, values[0], values[origin]).reshape(-1, 1)
    answered = model.predict({name: values[:1] for name, values in columns.items()})
    return _explained(model, answered, model.predict(mixed)).reshape(paths, inputs + 1)


def _explained(model: OnnxModel, answered: Scores, scores: Scores) -> Array:
    """The score that is explained: that of the class which the row itself was answered with."""
    classes = model.signature.classes
    if scores.probabilities is None or len(classes) == 2:
        return scores.scores
    return scores.probabilities[:, classes.index(str(answered.labels[0]))]
