"""A folder of MLflow is read as it is; what is damaged is named."""

from pathlib import Path

import pytest

from heptad.core.errors import DataError
from heptad.experiments.mlflow_import.folder import FolderSource
from heptad.experiments.mlflow_import.places import Places


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One run, as older versions of MLflow write it."""
    run = tmp_path / "1" / "abc"
    (run / "metrics" / "val").mkdir(parents=True)
    (tmp_path / "1" / "meta.yaml").write_text("experiment_id: '1'\nname: e\nlifecycle_stage: active\n")
    (run / "meta.yaml").write_text("run_id: abc\nstatus: 3\nstart_time: 1000\nend_time: null\n")
    (run / "metrics" / "val" / "loss").write_text("1000 0.5\n1001 nan 1\n1002 -inf 2\n")
    return tmp_path


def source(folder: Path) -> FolderSource:
    return FolderSource(folder, Places([folder]))


def test_lines_are_points(folder: Path) -> None:
    """Without a step it is 0."""
    one = source(folder)
    (experiment,) = one.experiments()
    (run,) = one.runs(experiment)
    assert (run.id, run.status, run.ended, run.params) == ("abc", "finished", None, {})
    (series,) = one.series(run)
    assert (series.key, series.steps, series.times) == ("val/loss", [0, 1, 2], [1000, 1001, 1002])
    assert repr(series.values) == "[0.5, nan, -inf]"
    assert one.files(run) is None
    assert list(one.models()) == []


@pytest.mark.parametrize("content", ["", "- a", "a: [", "!!python/object/apply:os.system ['true']", "\udcff"])
def test_damage_is_named(folder: Path, content: str) -> None:
    """And nothing in it is executed."""
    (folder / "1" / "meta.yaml").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match="is damaged"):
        list(source(folder).experiments())


def test_a_line_that_is_no_point_is_named(folder: Path) -> None:
    """With its number."""
    (folder / "1" / "abc" / "metrics" / "val" / "loss").write_text("1000 0.5 1\n1000 high 2\n")
    one = source(folder)
    (run,) = one.runs(next(one.experiments()))
    with pytest.raises(DataError, match="line 2"):
        list(one.series(run))
