"""Runs as event files: what TensorBoard reads is what the run holds."""

import struct
from pathlib import Path

import numpy as np
import pytest
from tensorboardX.proto.event_pb2 import Event

from heptad.core.errors import InputError
from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.experiments import Experiments, SearchSettings
from heptad.experiments.event_files.events import Item, LeftOut, Params, Point
from heptad.experiments.event_files.exporting import export_event_files
from heptad.experiments.event_files.folders import event_runs
from heptad.experiments.event_files.importing import import_event_files
from heptad.experiments.run_table import RunTable


@pytest.fixture
def experiments(workspace: Workspace) -> Experiments:
    """Step 2 of an empty project."""
    return Experiments(workspace, ProjectSettings(name="test"), SearchSettings())


def events_of(path: Path) -> list[Event]:
    """The file by the real classes; the records' lengths are all that is taken from the frames."""
    data, place, found = path.read_bytes(), 0, []
    while place < len(data):
        (length,) = struct.unpack_from("<Q", data, place)
        found.append(Event.FromString(data[place + 12 : place + 12 + length]))
        place += 16 + length
    return found


def test_an_imported_run_goes_back_as_it_came(workspace: Workspace, written: Path, tmp_path: Path):
    """Every point, text, picture, sound, histogram and parameter."""
    list(import_event_files(workspace, written))
    runs = RunTable(workspace).list()
    export_event_files(workspace, runs, tmp_path / "out")
    came, went = (
        [_timeless(one) for run in event_runs(folder) for one in run.items() if not isinstance(one, LeftOut)]
        for folder in (written, tmp_path / "out")
    )
    assert [one for one in came if one not in went] == []
    # The end of the first run, which its program did not say, and the tag of it.
    assert len(went) - len(came) == 2


def _timeless(item: Item) -> Item:
    """Parameters are told again as of the beginning of the run, with the tag that says where it is from."""
    return item._replace(time=0.0, tags={}) if isinstance(item, Params) else item


def test_points_keep_all_their_bits(experiments: Experiments, tmp_path: Path):
    """Others read 32 of them; steps and times are as they were, and so is what goes in again."""
    with experiments.start("both", params={"depth": 3}) as run:
        run.tag(team="x")
        for step in range(4):
            run.log(step * 10, whole=step / 2, thirds=step / 3, time=1000.1 + step)
        run.note("as **said**")
        run.image("dots", [[0, 255], [255, 0]])
    record = experiments.show(run.id)
    (path,) = export_event_files(experiments.workspace, [record], tmp_path)
    values = [(event, one) for event in events_of(path) for one in event.summary.value]
    read = [(event.step, event.wall_time, one.simple_value) for event, one in values if one.tag == "thirds"]
    assert read == [(step * 10, 1000.1 + step, float(np.float32(step / 3))) for step in range(4)]
    points = [one for one in event_runs(tmp_path)[0].items() if isinstance(one, Point)]
    assert [one.value for one in points if one.tag == "thirds"] == [step / 3 for step in range(4)]
    assert [one.tensor.string_val[0] for _, one in values if one.tag == "note"] == [b"as **said**"]
    assert [list(one.tensor.string_val[:2]) for _, one in values if one.tag == "dots"] == [[b"2", b"2"]]
    assert path.parent.name == f"both-{run.id[-6:]}"
    assert export_event_files(experiments.workspace, [record], tmp_path) == [path]
    (back,) = import_event_files(experiments.workspace, tmp_path, "back")
    kept = experiments.show(back.run).attributes
    assert (kept["params.depth"], type(kept["params.depth"]), kept["tags.team"]) == (3, int, "x")


def test_a_name_leads_nowhere_else(experiments: Experiments, tmp_path: Path):
    """Whatever a run is called, its folder is in the one that was asked for."""
    with experiments.start("../../etc/$(x)") as run:
        run.log(loss=1.0)
    (path,) = export_event_files(experiments.workspace, [experiments.show(run.id)], tmp_path)
    assert path.parent.parent == tmp_path
    with pytest.raises(InputError, match="There is no run to write"):
        export_event_files(experiments.workspace, [], tmp_path)


def test_tensorboard_itself_reads_it(experiments: Experiments, tmp_path: Path):
    """Its own reader, where it is installed: the test environment leaves it out for its size."""
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", exc_type=ImportError)
    with experiments.start("one", params={"depth": 3}) as run:
        for step in range(2000):
            run.log(step, thirds=step / 3)
    (path,) = export_event_files(experiments.workspace, [experiments.show(run.id)], tmp_path)
    found = reader.EventAccumulator(str(path.parent), size_guidance={"scalars": 0, "tensors": 0}).Reload()
    read = [(one.step, one.value) for one in found.Scalars("thirds")]
    assert read == [(step, float(np.float32(step / 3))) for step in range(2000)]
