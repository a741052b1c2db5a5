"""The front door: promotion and rollback by hand reach the server at once."""

import time
from pathlib import Path

import pytest

from heptad.core.errors import InputError, RefusedError, WorkspaceError
from heptad.lifecycle import Span
from heptad.project import Project, open_project
from heptad.serving import PredictionClient
from tests.lifecycle.rides import START, make_rides


def test_a_rollback_is_live_in_under_a_second(copied: Project) -> None:
    """The running server answers with the previous champion as soon as the rollback has returned."""
    champion = copied.release.champion()
    assert champion is not None
    row = copied.release.package(champion).golden.rows[0]
    with copied.serving.start_server(port=0) as server, PredictionClient(server.url, "rides") as client:
        assert client.predict([row])[0]["version"] == champion.body.label
        began = time.perf_counter()
        deployment = copied.lifecycle.rollback("It answered badly this morning.")
        copied.serving.wait_live(deployment.body.generation)
        seconds = time.perf_counter() - began
        assert client.predict([row])[0]["version"] == deployment.body.routes[0].label != champion.body.label
    assert seconds < 1


def test_promoting_by_hand_ends_a_trial(copied: Project) -> None:
    """The promoted version answers alone, whoever was on trial."""
    deployment = copied.lifecycle.promote(copied.release.version(1), "We trust it more than the others.")
    assert [route.label for route in deployment.body.routes] == ["rides@1"]
    assert all(plan.attributes["stage"] == "ended" for plan in copied.lifecycle.plans())
    assert copied.lifecycle.plans()[0].attributes["outcome"] == "refused"


def test_promoting_the_challenger_by_hand_is_a_promotion(copied: Project) -> None:
    """The plan that brought it is promoted, and not refused."""
    plan = copied.lifecycle.plans()[0]
    challenger = copied.release.version(str(plan.attributes["challenger"]))
    copied.lifecycle.promote(challenger, "We need it before the weekend.")
    ended = copied.lifecycle.plans()[0]
    assert (ended.id, ended.attributes["outcome"]) == (plan.id, "promoted")
    assert "before the weekend" in str(ended.attributes["reason"])


def test_a_promotion_that_is_refused_leaves_the_trial_alone(copied: Project) -> None:
    """A version that was refused is not promoted, and the challenger goes on being tried."""
    before = copied.serving.current()
    refused = next(one for one in copied.release.list() if one.attributes["status"] == "refused")
    with pytest.raises(RefusedError):
        copied.lifecycle.promote(refused, "I want that one.")
    assert copied.lifecycle.plans()[0].attributes["stage"] == "trial"
    assert copied.serving.current() == before


def test_nothing_can_be_deployed_before_there_is_a_champion(tmp_path: Path) -> None:
    """The error names the command that makes one."""
    project = open_project(make_rides(tmp_path / "rides", days=3))
    with pytest.raises(InputError, match="heptad run"):
        project.lifecycle.deploy()


def test_a_rehearsal_needs_a_clock_of_its_own(tmp_path: Path) -> None:
    """On the machine's clock nothing is rehearsed."""
    project = open_project(make_rides(tmp_path / "rides", days=3))
    with pytest.raises(WorkspaceError, match="clock"):
        project.lifecycle.rehearse(Span(start=START, end=START.replace(hour=5)))
