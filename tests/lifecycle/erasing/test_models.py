"""Models are told by the data version that they were made from."""

from pathlib import Path

from tests.lifecycle.rides import make_rides

from heptad.lifecycle.erasing.models import every_model, models_that_saw, parts_of_models
from heptad.project import open_project


def test_models_of_a_version_and_what_they_name(tmp_path: Path) -> None:
    """A zone is among their categories; a key of a row is not."""
    project = open_project(make_rides(tmp_path / "rides", days=30))
    outcome = project.run()
    assert outcome.version is not None
    workspace, serving = project.workspace, project.serving
    (saw,) = models_that_saw(workspace, serving, {outcome.dataset.id: 3}, ["r1-1-nowhere"])
    assert (saw.label, saw.rows, saw.live, saw.holds_values) == ("rides@1", 3, False, False)
    project.lifecycle.deploy()
    (saw,) = models_that_saw(workspace, serving, {outcome.dataset.id: 3}, ["distance", "a"])
    assert (saw.live, saw.holds_values) == (True, True)
    assert models_that_saw(workspace, serving, {"data-other": 1}, []) == []
    assert [one.id for one in every_model(workspace)] == [outcome.version.id]
    assert {outcome.candidate.id, outcome.version.body.package} <= parts_of_models(workspace)
    assert outcome.version.body.files
    assert {*outcome.version.body.files.values()} <= parts_of_models(workspace)
