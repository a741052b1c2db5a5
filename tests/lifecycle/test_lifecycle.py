"""The front door: promotion and rollback by hand reach the server at once."""

import shutil
import time
from pathlib import Path

import pytest

from heptad.core.errors import InputError, WorkspaceError
from heptad.lifecycle import Span
from heptad.project import Project, open_project, open_rehearsal
from heptad.serving import PredictionClient
from tests.lifecycle.conftest import Played
from tests.lifecycle.rides import START, make_rides


@pytest.fixture
def copied(played: Played, tmp_path: Path) -> Project:
    """The rehearsed project in a folder of its own, free to be changed."""
    folder = Path(shutil.copytree(played.project.root, tmp_path / "rides"))
    return open_rehearsal(folder, "", START)


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
