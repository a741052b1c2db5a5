"""Which runs are in a folder, and what is wrong with a file that cannot be read."""

import shutil
from pathlib import Path

import pytest

from heptad.core.errors import InputError, IntegrityError
from heptad.experiments.event_files.events import Point
from heptad.experiments.event_files.folders import event_runs, is_event_folder
from heptad.experiments.event_files.framing import framed


def test_every_folder_with_event_files_is_a_run(written: Path):
    """Named by where it is below the folder; the folder itself, by its own name."""
    assert [one.name for one in event_runs(written)] == ["first", "first/trial"]
    assert [one.name for one in event_runs(written / "first")] == ["first", "trial"]
    assert is_event_folder(written)


def test_files_of_a_run_follow_each_other(written: Path, tmp_path: Path):
    """A program that was started again wrote a second file, which goes on."""
    file = event_runs(written)[0].files[0]
    for second in (1, 2):
        shutil.copy(file, tmp_path / f"events.out.tfevents.000000000{second}.host")
    (run,) = event_runs(tmp_path)
    points = [one for one in run.items() if isinstance(one, Point) and one.tag == "loss/train"]
    assert [one.step for one in points] == [*range(300), *range(300)]
    assert run.began() == event_runs(written)[0].began() > 1_700_000_000


def test_a_folder_without_any_is_refused(tmp_path: Path):
    """With what would be one."""
    assert not is_event_folder(tmp_path)
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(InputError, match="There are no event files in"):
            event_runs(folder)


def test_a_record_that_is_no_event_is_named(tmp_path: Path):
    """By its number and its file: its sum holds, so the program that wrote it wrote this."""
    (tmp_path / "x.tfevents.1").write_bytes(framed(b"\x0f"))
    (run,) = event_runs(tmp_path)
    with pytest.raises(IntegrityError, match=r"Record 1 of .*x\.tfevents\.1 is no event: byte 1 begins no field"):
        list(run.items())
    with pytest.raises(IntegrityError, match="Record 1 of"):
        run.began()
