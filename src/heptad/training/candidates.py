"""How a candidate is kept: found by what it was made from, with its scores, its background and the rules of judging."""

import io
from collections.abc import Sequence
from typing import Any

import polars as pl

from heptad.core import graph
from heptad.core.errors import NotFoundError
from heptad.core.records import Id, Record, derived_id
from heptad.core.workspace import Workspace
from heptad.data import Schema, row_ids
from heptad.training.evaluation import labels_of
from heptad.training.model import Scores
from heptad.training.records import Candidate

BACKGROUND_ROWS = 100


def find_candidate(workspace: Workspace, key: Sequence[Any]) -> Record[Candidate] | None:
    """The candidate that was kept under a key."""
    try:
        return graph.load(workspace, derived_id(Candidate.prefix, workspace.name, *key), Candidate)
    except NotFoundError:
        return None


def keep_candidate(
    workspace: Workspace, candidate: Candidate, key: Sequence[Any], made_from: Sequence[tuple[str, Id]] = ()
) -> Record[Candidate]:
    """Keep a candidate under a key, with links to its data, its run and its split."""
    main = candidate.evaluation.value(candidate.evaluation.metric)
    figures = {"metric": candidate.evaluation.metric, "value": main.value if main else None}
    links = [("data", candidate.dataset), ("run", candidate.run), ("split", candidate.split.rule), *made_from]
    return graph.save(
        workspace,
        candidate,
        scope=workspace.name,
        key=key,
        made_from=[(role, one) for role, one in links if one],
        attributes={"estimator": candidate.estimator, "window": candidate.window}
        | {f"metrics.{metric.name}": metric.value for metric in candidate.evaluation.metrics},
        event="training.candidate_evaluated",
        event_body=figures | {"estimator": candidate.estimator},
    )


def score_table(judged: pl.DataFrame, schema: Schema, scores: Scores) -> pl.DataFrame:
    """Keys, labels and predictions: `id`, `label`, `predicted`, `score`, `probability.CLASS` of more than two."""
    table: dict[str, Any] = {
        "id": row_ids(judged, schema),
        "label": labels_of(judged, schema),
        "predicted": scores.labels,
        "score": scores.scores,
    }
    if scores.probabilities is not None and len(schema.classes) > 2:
        table |= {f"probability.{name}": scores.probabilities[:, at] for at, name in enumerate(schema.classes)}
    return pl.DataFrame(table)


def ipc(frame: pl.DataFrame) -> bytes:
    """The frame as an artifact."""
    buffer = io.BytesIO()
    frame.write_ipc(buffer, compression="zstd")
    return buffer.getvalue()
