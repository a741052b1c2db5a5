"""What Git is told, checked with Git itself."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heptad.core.errors import InputError
from heptad.data.folders.git import ignore, pattern_of, refuse_tracked, repository_of


def git(folder: Path, *words: str, data: bytes = b"") -> bytes:
    done = subprocess.run(["git", "-C", str(folder), *words], input=data, capture_output=True, check=False)
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    return tmp_path


def test_data_and_the_workspace_are_ignored_and_pointers_are_not(repository: Path) -> None:
    """The line is written once, behind what a person wrote there."""
    (repository / "a").mkdir()
    for name in ("images", "images2", "images.heptad", "a/images"):
        (repository / name).write_text("x")
    (repository / ".heptad").mkdir()
    (repository / ".heptad" / "heptad.db").write_text("x")
    (repository / ".gitignore").write_text("*.log")
    assert ignore(repository / "images", repository / ".heptad")
    assert not ignore(repository / "images", repository / ".heptad")
    assert (repository / ".gitignore").read_text() == "*.log\n/images\n"
    found = git(repository, "status", "--short", "-uall").decode().splitlines()
    assert found == ["?? .gitignore", "?? a/images", "?? images.heptad", "?? images2"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="/\0\n\r"), min_size=1, max_size=20))
def test_the_pattern_stands_for_just_this_name(repository: Path, name: str) -> None:
    """Whatever characters Git gives a meaning to."""
    if name in {".", "..", ".git"} or name.lower().startswith("git~") or len(name.encode()) > 200:
        return
    (repository / ".gitignore").write_bytes((pattern_of(name) + "\n").encode())
    names = [name, name + "x", "x" + name]
    answer = git(repository, "check-ignore", "-z", "--stdin", data=b"\0".join(b"./" + one.encode() for one in names))
    assert answer.split(b"\0")[:-1] == [b"./" + name.encode()]


def test_outside_of_a_repository_nothing_is_written(tmp_path: Path) -> None:
    assert repository_of(tmp_path) is None
    assert not ignore(tmp_path / "images", tmp_path / ".heptad")
    refuse_tracked(tmp_path / "images")
    assert list(tmp_path.iterdir()) == []


def test_data_that_git_keeps_itself_is_refused(repository: Path) -> None:
    """Two would be in charge of it; the error says how Git lets go of it."""
    (repository / "im*ges").mkdir()
    (repository / "im*ges" / "a").write_text("x")
    (repository / "images").mkdir()
    git(repository, "add", "im*ges/a")
    refuse_tracked(repository / "images")
    with pytest.raises(InputError, match=r"Git keeps im\*ges itself, 1 file of it") as error:
        refuse_tracked(repository / "im*ges")
    assert "git rm -r --cached" in error.value.remedy
    assert repository_of(repository / "im*ges") == repository
