"""Steps 1 to 4 as a flow: done once, found again, and done anew only from what changed on."""

import re
from pathlib import Path

import pytest
from tests.lifecycle.rides import make_rides

from heptad.core.errors import DataError, RefusedError, SettingsError
from heptad.project import open_project
from heptad.release import RunOutcome


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_rides(tmp_path_factory.mktemp("pipeline") / "rides", days=56, a_day=24)


@pytest.fixture(scope="module")
def first(folder: Path) -> RunOutcome:
    return open_project(folder).run()


def test_the_first_version_that_holds_its_gates_is_champion(folder: Path, first: RunOutcome) -> None:
    """A run ends with a registered version, and somebody may serve it at once."""
    assert first.decision.body.accepted
    assert first.version is not None
    assert "champion" in first.version.aliases


def test_a_second_run_does_nothing_again(folder: Path, first: RunOutcome) -> None:
    """Nothing has changed, so every record is the one that is there, and every step still tells of it."""
    told: list[str] = []
    again = open_project(folder).run(watch=lambda happening: told.append(happening.step))
    assert (again.dataset.id, again.best.id, again.candidate.id) == (
        first.dataset.id,
        first.best.id,
        first.candidate.id,
    )
    assert {"data", "experiments", "training", "release"} <= set(told)
    assert len(open_project(folder).training.candidates()) == 1


def test_another_setting_runs_what_depends_on_it(folder: Path, first: RunOutcome) -> None:
    """Judged otherwise, the model is another candidate of the same search; the search does not run again."""
    path = folder / "heptad.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "[validate]\nbootstrap = 50\n", encoding="utf-8")
    try:
        other = open_project(folder).run()
    finally:
        path.write_text(text, encoding="utf-8")
    assert other.best.id == first.best.id
    assert other.candidate.id != first.candidate.id
    assert other.decision.body.champion == first.version.id if first.version else False


def test_a_sample_is_a_data_set_of_its_own(folder: Path, first: RunOutcome) -> None:
    """Trying everything on a few rows leaves the project's versions of the data and of the model alone."""
    project = open_project(folder)
    before = project.release.list()
    sampled = project.run(sample=400)
    assert 0 < sampled.dataset.body.rows < first.dataset.body.rows
    assert len(open_project(folder).data.log()) == 1
    assert open_project(folder).release.list() == before
    assert sampled.decision.body.champion == ""
    if sampled.version is not None:
        assert sampled.version.body.label == f"{sampled.dataset.body.name}@1"
        with pytest.raises(RefusedError, match="is no version of"):
            project.release.promote(sampled.version, "it was so quick")


def test_a_gate_for_another_task_is_refused_before_the_search(tmp_path: Path) -> None:
    """Nobody waits for a search to learn that a gate cannot be held against its result."""
    place = make_rides(tmp_path / "rides", days=3)
    path = place / "heptad.toml"
    text = re.sub(r"gates = .*", 'gates = ["rmse < 1"]', path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")
    project = open_project(place)
    with pytest.raises(SettingsError, match="no metric 'rmse'"):
        project.run()
    assert len(project.data.log()) == 1
    assert not project.experiments.list()


def test_what_is_wrong_with_the_data_is_told_as_itself(tmp_path: Path) -> None:
    """The error of a step is the error of the run, not of the task that raised it."""
    place = make_rides(tmp_path / "rides", days=3)
    path = place / "heptad.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('target = "late"', 'target = "lat"'), encoding="utf-8")
    with pytest.raises(DataError, match="late"):
        open_project(place).run()
