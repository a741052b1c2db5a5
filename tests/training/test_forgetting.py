"""Candidates lose the scores of rows that were erased, and what held them is not mentioned any more."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from heptad.core.garbage import unreferenced
from heptad.core.workspace import Workspace
from heptad.experiments import SearchSettings
from heptad.training import Candidate
from heptad.training.forgetting import every_candidate, find_scores, forget_scores


def scores_of(workspace: Workspace, candidate: Candidate) -> pl.DataFrame:
    return pl.read_ipc(io.BytesIO(workspace.blobs.get(candidate.scores)))


@pytest.fixture
def judged(project_on: Callable[..., Any], cancer: pl.DataFrame) -> Any:
    """A project, and a candidate that was judged on some of its rows."""
    project = project_on(cancer, "target", search=SearchSettings(estimators=["linear"], trials=1))
    return project, project.training.train(project.version, project.training.search(project.version))


def test_scores_of_erased_rows_go_and_others_stay(judged: Any) -> None:
    """Found, removed, and not found again; the report is drawn of what is left."""
    project, candidate = judged
    workspace = project.workspace
    scores = scores_of(workspace, candidate.body)
    who = scores["id"][0]
    found = find_scores(workspace, [who])
    assert (found.rows, found.artifacts) == (1, [candidate.body.scores])
    for _ in range(2):
        forget_scores(workspace, [who])
    assert find_scores(workspace, [who]).rows == 0
    assert found.artifacts[0] in unreferenced(workspace, timedelta())
    (now,) = every_candidate(workspace)
    assert scores_of(workspace, now.body).equals(scores.filter(pl.col("id") != who))
    assert "<html" in project.training.report(now)


def test_nobody_is_found_among_no_candidates(workspace: Workspace) -> None:
    """An empty workspace, and an empty list of keys."""
    assert find_scores(workspace, ["x"]).rows == 0
    forget_scores(workspace, [])
