"""Columns are used by the models that are in force, and by no others."""

from heptad.lifecycle.inputs import inputs_in_force
from heptad.project import Project, open_project
from tests.lifecycle.conftest import Played
from tests.lifecycle.rides import make_rides


def test_the_champion_and_the_challenger_on_trial_use_their_inputs(played: Played) -> None:
    """Keys and times are inputs of none."""
    project = played.project
    used = inputs_in_force(project.workspace, project.release, project.serving)
    assert set(used) == {"distance", "hour", "zone"}
    champion = project.release.champion()
    assert champion is not None
    assert all(champion.body.label in labels for labels in used.values())


def test_without_a_model_nothing_is_used(tmp_path) -> None:
    """Which says nothing of what could be left out."""
    project: Project = open_project(make_rides(tmp_path / "rides", days=10))
    assert inputs_in_force(project.workspace, project.release, project.serving) == {}
