"""One tree takes another's place."""

import os
from pathlib import Path

import pytest

from heptad.core.errors import WorkspaceError
from heptad.data.folders import swapping
from heptad.data.folders.swapping import clear_leftovers, remove, replacing_tree


@pytest.fixture(params=["at once", "in steps"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With the system's exchange of names, and without."""
    if request.param == "in steps":
        monkeypatch.setattr(swapping.ctypes, "CDLL", lambda *_args, **_options: object())
    return str(request.param)


def make(path: Path, word: str) -> None:
    path.mkdir()
    (path / "word").write_text(word)


def test_the_new_one_takes_the_place_of_the_old(tmp_path: Path, way: str) -> None:
    """Which is then where the new one was made, for whoever wants to look again."""
    place = tmp_path / "images"
    with replacing_tree(place, tmp_path / "locks") as new:
        make(new, "one")
    assert (place / "word").read_text() == "one"
    with replacing_tree(place, tmp_path / "locks") as new:
        make(new, "two")
        assert (place / "word").read_text() == "one"
    assert (place / "word").read_text() == "two"
    assert (new / "word").read_text() == "one"
    remove(new)
    assert sorted(os.listdir(tmp_path)) == ["images", "locks"]


def test_after_an_error_the_old_one_is_there(tmp_path: Path, way: str) -> None:
    place = tmp_path / "images"
    make(place, "one")

    def fail() -> None:
        with replacing_tree(place, tmp_path / "locks") as new:
            make(new, "two")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert (place / "word").read_text() == "one"
    assert sorted(os.listdir(tmp_path)) == ["images", "locks"]


def test_what_killed_processes_left_is_cleared_away(tmp_path: Path) -> None:
    """And where one was killed between two renames, the old folder is put back first."""
    place = tmp_path / "images"
    make(tmp_path / ".images.heptad-abc", "half")
    make(tmp_path / ".images.heptad-abc.old", "one")
    make(tmp_path / ".images2.heptad-abc", "another's")
    with replacing_tree(place, tmp_path / "locks") as new:
        assert (place / "word").read_text() == "one"
        make(new, "two")
    assert (place / "word").read_text() == "two"
    clear_leftovers(place, tmp_path / "locks")
    assert sorted(os.listdir(tmp_path)) == [".images2.heptad-abc", "images", "locks"]


def test_what_the_system_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(WorkspaceError), replacing_tree(tmp_path / "file" / "images", tmp_path / "locks"):
        pass
