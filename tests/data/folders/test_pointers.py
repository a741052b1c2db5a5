"""The small files that Git keeps."""

from pathlib import Path

import pytest

from heptad.core.errors import InputError, NotFoundError
from heptad.data.folders.pointers import (
    find_pointers,
    named,
    place_of,
    pointer_of,
    read_pointer,
    resolve_pointers,
    write_pointer,
)
from heptad.data.folders.records import Pointer

POINTER = Pointer(what="folder", digest="a" * 64, stored="b" * 64, files=3, bytes=12)


def test_a_pointer_is_written_once_and_read_as_it_was(tmp_path: Path) -> None:
    """One value a line, nothing of this machine and no time in it: equal data give equal files."""
    path = pointer_of(tmp_path / "my images.v2")
    assert path.name == "my images.v2.heptad"
    assert place_of(path) == tmp_path / "my images.v2"
    assert write_pointer(path, POINTER)
    assert not write_pointer(path, POINTER)
    assert read_pointer(path) == POINTER
    assert path.read_text().splitlines()[1:] == [
        'what = "folder"',
        f'digest = "{"a" * 64}"',
        f'stored = "{"b" * 64}"',
        "files = 3",
        "bytes = 12",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('<<<<<<< HEAD\ndigest = "a"\n=======\ndigest = "b"\n>>>>>>> other\n', "holds both sides of a merge"),
        ("", "is not a pointer"),
        ("what =", "is not a pointer"),
        (f'what = "folder"\ndigest = "../x"\nstored = "{"b" * 64}"\nfiles = 1\nbytes = 1\n', "'../x' is no digest"),
        (f'what = "disk"\ndigest = "{"b" * 64}"\nstored = "{"b" * 64}"\nfiles = 1\nbytes = 1\n', "is not a pointer"),
        ('password = "sesame"', "is not a pointer"),
    ],
)
def test_what_is_no_pointer_is_told(tmp_path: Path, text: str, words: str) -> None:
    """Above all half a merge."""
    (tmp_path / "x.heptad").write_text(text)
    with pytest.raises(InputError, match=words):
        read_pointer(tmp_path / "x.heptad")
    with pytest.raises(InputError, match="cannot be read"):
        read_pointer(tmp_path / "gone.heptad")


def test_all_pointers_of_a_project_are_found(tmp_path: Path) -> None:
    """Not the workspace, not in hidden folders, and not inside of data."""
    for name in ("b.heptad", "a/c.heptad", ".hidden/d.heptad", "b/e.heptad", ".heptad/f.heptad"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert [one.relative_to(tmp_path).as_posix() for one in find_pointers(tmp_path)] == ["a/c.heptad", "b.heptad"]
    assert resolve_pointers(tmp_path, []) == find_pointers(tmp_path)
    assert resolve_pointers(tmp_path, [tmp_path / "b", tmp_path / "a" / "c.heptad"]) == [
        tmp_path / "b.heptad",
        tmp_path / "a" / "c.heptad",
    ]
    with pytest.raises(NotFoundError, match=r"x\.heptad") as error:
        resolve_pointers(tmp_path, [tmp_path / "x"])
    assert "a/c" in error.value.allowed
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="There is no pointer in"):
        resolve_pointers(tmp_path / "none", [])


def test_the_name_of_data_is_its_path_in_the_project(tmp_path: Path) -> None:
    """Data outside, the project itself, hidden places and names that no line can hold are refused."""
    (tmp_path / "a").mkdir()
    assert named(tmp_path / "a" / "Bilder 1", tmp_path) == "a/Bilder 1"
    assert named(tmp_path / "a" / ".." / "b", tmp_path) == "b"
    (tmp_path / "out").symlink_to("/")
    for path in (tmp_path, tmp_path.parent / "x", tmp_path / "out" / "x", tmp_path / "a\nb", tmp_path / ".git" / "x"):
        with pytest.raises(InputError):
            named(path, tmp_path)
    for name in (".heptad", "x" * 401, "\udcff"):
        with pytest.raises(InputError):
            named(tmp_path / name, tmp_path)
