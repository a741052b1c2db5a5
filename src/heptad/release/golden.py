"""Golden rows: made-up rows with the answers they got when a package was made, replayed whenever it is opened."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from heptad.core.errors import IntegrityError, RefusedError
from heptad.training import Input, OnnxModel, Scores, Signature, check_rows

ORDINARY = 20
"""Rows taken from the background, besides those at the edges."""
_EDGES: Mapping[str, tuple[Any, Any]] = {
    "number": (-1e9, 1e9),
    "integer": (-(10**9), 10**9),
    "boolean": (False, True),
    "category": ("never seen before", ""),
    "text": ("words that nobody has written before", ""),
    "datetime": ("1970-01-01T00:00:00Z", "2100-01-01T00:00:00Z"),
}
"""Two values of each type that lie far from what training saw."""


class Golden(msgspec.Struct, frozen=True, kw_only=True):
    """Rows as a client would send them, and a model's answers, aligned by position."""

    rows: list[dict[str, Any]]
    labels: list[str | float]
    scores: list[float]
    probabilities: list[list[float]] | None = None


def golden_rows(background: Sequence[Mapping[str, Any]], signature: Signature) -> list[dict[str, Any]]:
    """Ordinary rows spread over the background, then three at the edges: all missing, and two far from the usual.

    What the signature requires or closes keeps an ordinary value in those three.
    """
    step = max(1, len(background) // ORDINARY)
    ordinary = [{one.name: row.get(one.name) for one in signature.inputs} for row in background[::step][:ORDINARY]]
    usual = ordinary[0] if ordinary else {}
    edges = [{one.name: _edge(one, usual, place) for one in signature.inputs} for place in (None, 0, 1)]
    return ordinary + edges


def answer(model: OnnxModel, rows: Sequence[dict[str, Any]]) -> Golden:
    """The rows with the model's answers; raises `RefusedError` where one is not a finite number."""
    scores = _predict(model, rows)
    wrong = np.flatnonzero(~np.isfinite(scores.scores))
    if len(wrong):
        raise RefusedError(
            f"The model answers {scores.scores[wrong[0]]} to the row {rows[wrong[0]]}.",
            remedy="train it again: a model that may answer no number is not packed",
        )
    return Golden(
        rows=list(rows),
        labels=list(scores.labels),
        scores=scores.scores.tolist(),
        probabilities=None if scores.probabilities is None else scores.probabilities.tolist(),
    )


def replay(model: OnnxModel, golden: Golden, tolerance: float) -> None:
    """Ask the model again; raises `IntegrityError` where an answer differs by more than `tolerance`.

    The difference is relative above 1. A label may differ only where the answer lies on the border between the two
    labels, so that rounding, which differs between processors, is no reason to refuse.
    """
    scores = _predict(model, golden.rows)
    pairs = [(np.asarray(golden.scores), scores.scores)]
    if golden.probabilities is not None and scores.probabilities is not None:
        pairs.append((np.asarray(golden.probabilities), scores.probabilities))
    for expected, found in pairs:
        if expected.shape != found.shape:
            raise IntegrityError(f"Golden rows: {found.shape} answers came where {expected.shape} are recorded.")
        allowed = tolerance * np.maximum(1, np.abs(expected))
        # Written so that NaN, which compares with nothing, counts as different.
        wrong = np.argwhere(~(np.abs(found - expected) <= allowed))
        if len(wrong):
            place = tuple(wrong[0].tolist())
            raise IntegrityError(
                f"Golden row {place[0]} was answered {found[place]:.9g}, and {expected[place]:.9g} is recorded: "
                "this machine runs the model differently, or the answers were replaced.",
                allowed=f"a difference of {tolerance:g}",
                remedy="do not serve this package; register the candidate again",
            )
    for row, (recorded, given) in enumerate(zip(golden.labels, scores.labels, strict=True)):
        if recorded != given and not _on_the_border(golden, row, str(given), model.signature, tolerance):
            raise IntegrityError(f"Golden row {row} was answered {given!r}, and {recorded!r} is recorded.")


def _predict(model: OnnxModel, rows: Sequence[dict[str, Any]]) -> Scores:
    columns, _ = check_rows(rows, model.signature)
    return model.predict(columns)


def _on_the_border(golden: Golden, row: int, given: str, signature: Signature, tolerance: float) -> bool:
    """Whether two labels are equally right for a row, as far as the tolerance tells."""
    if golden.probabilities is None:
        return True  # the label of a regression is its score, which was compared
    if signature.threshold is not None and len(signature.classes) == 2:
        return abs(golden.scores[row] - signature.threshold) <= tolerance
    probabilities = golden.probabilities[row]
    return max(probabilities) - probabilities[signature.classes.index(given)] <= 2 * tolerance


def _edge(column: Input, usual: Mapping[str, Any], place: int | None) -> Any:
    bound = column.required if place is None else column.closed
    if bound:
        return usual.get(column.name)
    return None if place is None else _EDGES[column.type][place]
