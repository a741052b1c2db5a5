"""Why things are as they are: chains of records from any of them back to the data and the code."""

import json
import subprocess
import sys

import pytest

from heptad.core.errors import NotFoundError
from heptad.core.flow import Flow
from heptad.lifecycle.why import version_of, why_prediction, why_recorded
from heptad.training import explain
from tests.lifecycle.conftest import Played


def told(played: Played, ref: str):
    answer = why_recorded(played.project.workspace, ref)
    assert answer is not None
    return answer


def test_a_version_leads_back_to_data_code_and_who_promoted_it(played: Played):
    """Every link has an id, a time and an actor; the nearest come first."""
    champion = played.project.release.champion()
    assert champion is not None
    answer = told(played, "champion")
    assert answer.subject == champion.id
    assert sum(reason.role == "champion" for reason in answer.chain) <= 1
    roles = [link.role for link in answer.chain]
    assert roles[:2] == ["this", "promoted"]
    assert {"candidate", "code", "decision", "data", "run", "study"} <= set(roles)
    assert all(link.id and link.at and link.actor and link.sentence for link in answer.chain)
    promoted = answer.chain[1]
    assert promoted.actor.startswith(("plan:", "user:"))


@pytest.mark.parametrize("ref", ["1", "rides@1"])
def test_a_version_has_several_names(played: Played, ref: str):
    """By number and by label it is the same."""
    assert told(played, ref).subject == played.project.release.version(1).id


def test_a_plan_tells_what_started_it_and_all_that_it_did(played: Played):
    """Its triggers' report is behind it; candidates, decision and deployments, which it made, ahead."""
    plan = next(one for one in played.project.lifecycle.plans() if one.attributes.get("outcome") == "promoted")
    answer = told(played, plan.id)
    assert str(plan.attributes["reason"]) in answer.sentence
    assert {"candidate", "decision", "model version", "verdict"} <= {link.role for link in answer.followed}
    assert [link.at for link in answer.followed] == sorted(link.at for link in answer.followed)


def test_a_refused_candidate_names_the_decision(played: Played):
    """The decision was made from the candidate, so it stands ahead of it, with its reason."""
    decision = next(
        graph
        for plan in played.project.lifecycle.plans()
        for graph in told(played, plan.id).followed
        if graph.kind == "decision"
    )
    behind = told(played, decision.id)
    candidate = next(link for link in behind.chain if link.role == "candidate")
    assert decision.sentence in [link.sentence for link in told(played, candidate.id).followed]


def test_an_alert_is_explained_by_its_report(played: Played):
    """The first link is the report that raised it."""
    report = next(one for one in played.project.monitoring.list() if one.body.alerts)
    alert = report.body.alerts[0]
    answer = told(played, alert.id)
    assert answer.sentence == alert.sentence
    assert (answer.chain[0].role, answer.chain[0].id) == ("raised by", report.id)


def test_a_prediction_is_explained_by_what_moved_its_score(played: Played):
    """Contributions add up; the generation that routed it, the version, and all behind that follow."""
    project = played.project
    (prediction,) = project.serving.newest(1)
    version = version_of(project.workspace, prediction)
    package = project.release.package(version)
    explanation = explain(package.model, prediction.inputs, package.background, 7)
    answer = why_prediction(project.workspace, prediction, version, explanation)
    assert answer.base is not None
    assert answer.base + sum(answer.contributions.values()) == pytest.approx(prediction.score)
    assert [link.role for link in answer.chain][:2] == ["deployment", "version"]
    assert f"generation {prediction.generation} " in answer.chain[0].sentence
    assert "asked by rehearsal" in answer.sentence
    unexplained = why_prediction(project.workspace, prediction, version)
    assert unexplained.contributions == {}
    assert unexplained.chain == answer.chain


def test_a_prediction_is_explained_without_what_trains(played: Played):
    """Asked in a process of its own, what trains, and what whole tables need, is not loaded."""
    identity = played.project.serving.newest(1)[0].id
    code = (
        "import json, sys; from heptad.project import open_project; "
        "answer = open_project(sys.argv[1]).why(sys.argv[2]); "
        "print(json.dumps([answer.subject, len(answer.contributions), list(sys.modules)]))"
    )
    command = [sys.executable, "-c", code, str(played.project.root), identity]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    subject, explained, modules = json.loads(done.stdout)
    assert (subject, explained) == (identity, 3)
    assert not {"polars", "sklearn", "lightgbm", "scipy", "optuna", "onnx", "altair"} & set(modules)


def test_the_version_of_a_prediction_must_exist(played: Played):
    """A log that names another version is not guessed at."""
    import msgspec

    (prediction,) = played.project.serving.newest(1)
    with pytest.raises(NotFoundError, match="rides@99"):
        version_of(played.project.workspace, msgspec.structs.replace(prediction, version="rides@99"))


@pytest.mark.parametrize("ref", ["nothing", "model-aaaaaaaaaaaaaaaa", "99", "other@1", "no/such", "challenger@", ""])
def test_what_is_not_recorded_is_none(played: Played, ref: str):
    """So that whoever asks can look among the predictions."""
    assert why_recorded(played.project.workspace, ref) is None


def halved(number: int) -> float:
    return number / 2


def squared(halved: float) -> float:
    return halved**2


def test_a_task_that_ran_again_is_traced_to_what_changed(workspace):
    """Through the tasks between, to the input that is another one now."""
    flow = Flow("sums", [halved, squared])
    flow.run(workspace, {"number": 4})
    flow.run(workspace, {"number": 6})
    answer = why_recorded(workspace, "sums/squared")
    assert answer is not None
    assert answer.sentence == "sums/squared ran again: the input halved changed."
    assert [link.role for link in answer.chain] == ["this", "because"]
    assert answer.chain[1].sentence == "sums/halved ran again: the input number changed."
    by_id = why_recorded(workspace, answer.chain[1].id)
    assert by_id is not None
    assert by_id.sentence == answer.chain[1].sentence
