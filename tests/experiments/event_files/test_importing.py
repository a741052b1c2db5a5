"""Event files become runs: every point, once, also where the import was cut off."""

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tensorboardX import SummaryWriter

from heptad.core.errors import InputError, IntegrityError
from heptad.core.workspace import Workspace
from heptad.experiments.event_files.events import Point
from heptad.experiments.event_files.folders import event_runs
from heptad.experiments.event_files.framing import framed, records_of
from heptad.experiments.event_files.importing import FILES, HISTOGRAMS, TEXTS, import_event_files
from heptad.experiments.run_table import RunTable
from heptad.project import open_experiments


def points_of(folder: Path, tag: str) -> list[tuple[int, float, float]]:
    items = event_runs(folder)[0].items()
    return [(one.step, one.time, one.value) for one in items if isinstance(one, Point) and one.tag == tag]


def stored(workspace: Workspace, run: str, tag: str) -> list[tuple[int, float, float]]:
    one = workspace.store.read(run, tag)
    return list(zip(one.steps, one.times, one.values, strict=True))


def test_a_run_arrives_whole(workspace: Workspace, written: Path):
    """Points with step and time, parameters, texts, pictures, sounds, histograms; when it began and ended."""
    first, trial = import_event_files(workspace, written)
    assert stored(workspace, first.run, "loss/train") == [
        (step, 1_700_000_000 + step / 7, float(np.float32(1 / (1 + step)))) for step in range(300)
    ]
    assert (first.points, first.series, first.texts, first.files, first.histograms) == (301, 2, 1, 2, 1)
    record = RunTable(workspace).show(first.run)
    known = record.attributes
    assert (known["metrics.größe"], known["status"], known["tags.source"]) == (float("inf"), "finished", "tensorboard")
    assert 1_700_000_000 < known["started"] < known["ended"]

    def table(path: str) -> pl.DataFrame:
        return pl.read_parquet(io.BytesIO(workspace.blobs.get(str(known[f"artifacts.{path}"]))))

    assert table(TEXTS)["text"].to_list() == ["# hello <b>x</b>"]
    assert sum(table(HISTOGRAMS)["counts"][0]) == 500
    paths = table(FILES)["path"].to_list()
    assert paths == ["tensorboard/dots-1.png", "tensorboard/two-1.png"]
    assert all(workspace.blobs.get(str(known[f"artifacts.{path}"])).startswith(b"\x89PNG") for path in paths)
    values = {key: value for key, value in RunTable(workspace).show(trial.run).attributes.items() if "params." in key}
    assert values == {"params.rate": 0.1, "params.layers": 3.0, "params.solver": "adam", "params.nested": True}


def test_done_again_it_adds_what_is_new(workspace: Workspace, written: Path, tmp_path: Path):
    """Nothing where nothing is; the rest of a run that went on; the same run from wherever it is imported."""
    folder = tmp_path / "logs" / "first"
    shutil.copytree(written / "first", folder, ignore=shutil.ignore_patterns("trial"))
    (file,) = event_runs(folder)[0].files
    whole = file.read_bytes()
    file.write_bytes(whole[:2000])
    (before,) = import_event_files(workspace, tmp_path / "logs")
    events = len(workspace.store.follow(0))
    (again,) = import_event_files(workspace, tmp_path / "logs")
    assert 0 < before.new_points == before.points == again.points < 50
    assert (again.new_points, len(workspace.store.follow(0))) == (0, events)
    file.write_bytes(whole)
    (after,) = import_event_files(workspace, folder)
    assert (after.run, after.new_points) == (before.run, 301 - before.points)
    assert stored(workspace, after.run, "loss/train") == points_of(written, "loss/train")
    assert (
        RunTable(workspace).show(after.run).attributes["metrics.loss/train"] == points_of(written, "loss/train")[-1][2]
    )


def test_another_series_under_the_same_name_is_refused(workspace: Workspace, written: Path, tmp_path: Path):
    """Points go by their index: what was imported is not mixed with what says otherwise."""
    shutil.copytree(written / "first", tmp_path / "first")
    next(import_event_files(workspace, tmp_path))
    with SummaryWriter(str(tmp_path / "other")) as writer:
        writer.add_scalar("loss/train", 5.0, 0)
    file, other = (event_runs(tmp_path / name)[0].files[0] for name in ("first", "other"))
    first = next(records_of(file))
    file.write_bytes(framed(first) + other.read_bytes())
    with pytest.raises(InputError, match=r"The series 'loss/train' of run .* is not the one that was imported before"):
        next(import_event_files(workspace, tmp_path))


def test_counting_writes_nothing(workspace: Workspace, written: Path):
    """It says what would come."""
    first, trial = import_event_files(workspace, written, count_only=True)
    assert (first.run, first.points, trial.params) == ("", 301, 4)
    assert RunTable(workspace).list() == []
    assert workspace.store.follow(0) == []


def test_damage_is_named_and_what_stands_before_it_can_be_imported_later(workspace: Workspace, written: Path, tmp_path):
    """The run stays open until a whole file comes."""
    shutil.copytree(written / "first", tmp_path / "first")
    file = event_runs(tmp_path)[0].files[0]
    whole = file.read_bytes()
    file.write_bytes(whole[:900] + b"?" + whole[901:])
    with pytest.raises(IntegrityError, match="is damaged: the sum over the"):
        list(import_event_files(workspace, tmp_path))
    assert RunTable(workspace).list()[0].attributes["status"] == "running"
    file.write_bytes(whole)
    first, _ = import_event_files(workspace, tmp_path)
    assert stored(workspace, first.run, "loss/train") == points_of(written, "loss/train")


def test_an_import_that_was_killed_goes_on(written: Path, tmp_path: Path):
    """At several places, one after the other: in the end every point is there once."""
    program = (
        "import sys; from pathlib import Path; from heptad.project import open_experiments\n"
        "from heptad.experiments import import_event_files\n"
        f"list(import_event_files(open_experiments({str(tmp_path)!r}).workspace, Path({str(written)!r})))"
    )
    codes = [
        subprocess.run(
            [sys.executable, "-c", program], env=os.environ | {"HEPTAD_FAULT_KILL": str(at)}, check=False
        ).returncode
        for at in (6, 9, 14)
    ]
    assert codes == [-9, -9, -9]
    experiments = open_experiments(tmp_path)
    first, trial = import_event_files(experiments.workspace, written)
    assert [run.id for run in experiments.list()] == [trial.run, first.run]
    assert stored(experiments.workspace, first.run, "loss/train") == points_of(written, "loss/train")


def test_tags_that_no_metric_can_have_are_counted(workspace: Workspace, tmp_path: Path):
    """The others of the run arrive."""
    with SummaryWriter(str(tmp_path / "logs")) as writer:
        writer.add_scalar("x" * 600, 1.0, 0)
        writer.add_scalar("good", 1.0, 0)
    (one,) = import_event_files(workspace, tmp_path / "logs")
    assert (one.points, one.left_out) == (1, {"metric without a usable name": 1})
