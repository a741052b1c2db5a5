"""Candidates are found by what they were made from, and keep what comparisons and explanations read."""

import io

import polars as pl
from tests.training.conftest import ProjectOn, bundled

from heptad.core import graph
from heptad.training.candidates import find_candidate, ipc, keep_candidate
from heptad.training.records import Candidate


def test_a_candidate_is_found_under_its_key_and_linked_to_what_it_is_of(project_on: ProjectOn) -> None:
    """Kept again it is the same one; under another key there is none."""
    project = project_on(bundled("iris"), "target")
    trained = project.training.train(project.version, project.training.search(project.version))
    assert find_candidate(project.workspace, ("by hand",)) is None
    kept = keep_candidate(project.workspace, trained.body, ("by hand",), [("external", project.version.id)])
    assert keep_candidate(project.workspace, trained.body, ("by hand",)).id == kept.id != trained.id
    found = find_candidate(project.workspace, ("by hand",))
    assert found is not None
    assert found.body == trained.body
    roles = {link.role for link in project.workspace.store.trace([kept.id], "out")}
    assert {"data", "run", "split", "external"} <= roles
    assert graph.load(project.workspace, kept.id, Candidate).attributes["estimator"] == trained.body.estimator


def test_a_frame_is_kept_whole() -> None:
    """Types and gaps included."""
    frame = pl.DataFrame({"a": [1, None], "b": ["x", "y"]})
    assert pl.read_ipc(io.BytesIO(ipc(frame))).equals(frame)
