"""Models of other programs measured on held-out rows: what they are good for, and why some cannot be measured."""

import numpy as np
import polars as pl
import pytest
from tests.training.conftest import Project, ProjectOn
from tests.training.graphs import classifier

from heptad.core.errors import RefusedError
from heptad.core.records import Record
from heptad.training import Candidate, Foreign, ForeignCandidates
from heptad.training.model import OnnxModel


def table(gaps: int = 0, rows: int = 300) -> pl.DataFrame:
    """The label follows `a - b`; `gaps` is every how many rows `a` is missing."""
    random = np.random.default_rng(3)
    a, b = random.normal(size=rows), random.integers(-3, 4, rows)
    late = random.random(rows) < 1 / (1 + np.exp(b / 2 - a))
    missing = [gaps and row % gaps == 1 for row in range(rows)]
    return pl.DataFrame(
        {
            "id": range(rows),
            "a": [None if gap else value for gap, value in zip(missing, a.tolist(), strict=True)],
            "b": b,
            "late": np.where(late, "yes", "no"),
        }
    )


def measured(project: Project, graph: bytes, source: str = "") -> Record[Candidate]:
    """Any record stands for the version that a client registered."""
    candidates = ForeignCandidates(project.training, project.experiments)
    source, foreign = source or project.version.id, Foreign(graph, ("a", "b"))
    return candidates.measure(project.version, foreign, source=source, label="theirs@1", run="")


def test_a_foreign_model_is_a_candidate_like_any_other(project_on: ProjectOn) -> None:
    """Figures, baseline, parity with the graph as it was logged, background, scores; asked again it is the same."""
    project = project_on(table(), "late", key=["id"])
    candidate = measured(project, classifier(["no", "yes"]))
    body = candidate.body
    assert (body.estimator, body.external, body.run) == ("external", project.version.id, "")
    main = body.evaluation.value(body.evaluation.metric)
    assert main is not None
    assert main.value > 0.6
    assert body.evaluation.parity.holds
    assert body.evaluation.parity.rows == body.split.judge_rows > 0
    assert [one.name for one in body.signature.inputs] == ["a", "b"]
    assert any("trained elsewhere" in note for note in body.notes)
    assert sorted(body.evaluation.attributions) == ["a", "b"]
    assert all(value > 0.01 for value in body.evaluation.attributions.values())
    assert measured(project, classifier(["no", "yes"])).id == candidate.id
    model = OnnxModel(project.workspace.blobs.get(body.model), body.signature)
    assert model.predict({"a": [9.0], "b": [-3]}).labels == ["yes"]
    assert "theirs@1" in project.training.report(candidate)


def test_what_the_model_cannot_answer_becomes_part_of_its_signature(project_on: ProjectOn) -> None:
    """Without gaps in the data a missing value is refused from then on; a model that fills them takes them."""
    project = project_on(table(), "late", key=["id"])
    bounded = measured(project, classifier(["no", "yes"]))
    assert [one.required for one in bounded.body.signature.inputs] == [True, True]
    assert any("A missing value is refused in a, b" in note for note in bounded.body.notes)
    filling = measured(project, classifier(["no", "yes"], imputed=0.0), bounded.id)
    assert [one.required for one in filling.body.signature.inputs] == [False, False]


def test_gaps_in_the_held_out_rows_are_too_much_for_some(project_on: ProjectOn) -> None:
    """It says in which column and how many."""
    project = project_on(table(gaps=5), "late", key=["id"])
    with pytest.raises(RefusedError, match=r"'a' is missing in .* held-out rows") as caught:
        measured(project, classifier(["no", "yes"]))
    assert "fills what is missing" in caught.value.remedy
    assert measured(project, classifier(["no", "yes"], imputed=0.0)).body.evaluation.parity.holds


def test_raw_scores_are_no_probabilities(project_on: ProjectOn) -> None:
    """They would be compared with thresholds and calibrated as such."""
    project = project_on(table(), "late", key=["id"])
    with pytest.raises(RefusedError, match="no probabilities"):
        measured(project, classifier(["no", "yes"], post="NONE"))


def test_a_search_takes_over_where_the_champion_cannot_be_trained_here(project_on: ProjectOn) -> None:
    """The loop goes on behind an adopted model."""
    project = project_on(table(), "late", key=["id"])
    (run,) = project.training.contenders(measured(project, classifier(["no", "yes"])))
    assert "estimator" in run.body.params
