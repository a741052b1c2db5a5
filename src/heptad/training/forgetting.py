"""Erasure in step 3: candidates keep the keys, labels and scores of the rows they were judged on."""

import io
from collections.abc import Collection, Iterator

import msgspec
import polars as pl

from heptad.core.graph import every
from heptad.core.records import Record
from heptad.core.workspace import Workspace
from heptad.data import rewrite_records
from heptad.training.records import Candidate


class FoundScores(msgspec.Struct, frozen=True, kw_only=True):
    """How many scores are those of the rows, and the artifacts that hold them."""

    rows: int = 0
    artifacts: list[str] = []


def every_candidate(workspace: Workspace) -> Iterator[Record[Candidate]]:
    """All candidates of a workspace, newest first."""
    return every(workspace, Candidate)


def find_scores(workspace: Workspace, ids: Collection[str]) -> FoundScores:
    """The scores of rows with these keys, over all candidates."""
    rows, artifacts = 0, set[str]()
    for candidate in every_candidate(workspace):
        theirs = _scores(workspace, candidate).filter(_named(ids)).height if ids and candidate.body.scores else 0
        if theirs:
            rows += theirs
            artifacts.add(candidate.body.scores)
    return FoundScores(rows=rows, artifacts=sorted(artifacts))


def forget_scores(workspace: Workspace, ids: Collection[str]) -> None:
    """Give each candidate scores without those of these rows; what held them before is not mentioned any more."""
    for candidate in every_candidate(workspace):
        if not ids or not candidate.body.scores:
            continue
        scores = _scores(workspace, candidate)
        left = scores.filter(~_named(ids))
        if left.height < scores.height:
            buffer = io.BytesIO()
            left.write_ipc(buffer, compression="zstd")
            digest = workspace.blobs.put(buffer.getvalue())
            rewrite_records(workspace, {candidate.id: msgspec.structs.replace(candidate.body, scores=digest)})


def _scores(workspace: Workspace, candidate: Record[Candidate]) -> pl.DataFrame:
    return pl.read_ipc(io.BytesIO(workspace.blobs.get(candidate.body.scores)))


def _named(ids: Collection[str]) -> pl.Expr:
    return pl.col("id").is_in(pl.Series(sorted(ids), dtype=pl.String).implode()).fill_null(value=False)
