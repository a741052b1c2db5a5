"""What is in a folder, and what of it cannot be kept."""

import os
import shutil
import socket
import tempfile
from pathlib import Path

import pytest
from tests.data.folders.conftest import fill

from heptad.core.errors import InputError, NotFoundError
from heptad.data.folders.walking import look_at


def test_everything_is_found_in_the_order_of_bytes(tmp_path: Path) -> None:
    """Files, executables, links as links, empty folders; names as the system has them."""
    found = look_at(fill(tmp_path / "images"))
    assert [(one.kind, one.path) for one in found] == [
        ("f", b"a.txt"),
        ("f", "b/c/Größe 'x'\n.csv".encode()),
        ("f", b"b/copy.bin"),
        ("f", b"b/large.bin"),
        ("f", b"empty.txt"),
        ("l", b"link"),
        ("d", b"nothing/here"),
        ("x", b"run.sh"),
        ("f", b"\xff\xfe"),
    ]


def test_a_file_by_itself_is_found_at_the_empty_path(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    assert [(one.kind, one.path) for one in look_at(tmp_path / "a")] == [("f", b"")]
    with pytest.raises(NotFoundError, match=r"There is no file or folder '.*/b'"):
        look_at(tmp_path / "b")


def test_links_that_lead_outside_are_named_all_at_once(tmp_path: Path) -> None:
    """Absolute ones too, and those that would only seem to stay inside; dangling ones inside are kept."""
    place = fill(tmp_path / "images", {"a/b": b"x"})
    for name, target in {"one": "../x", "two": "/etc/passwd", "three": "a/../../x", "a/fine": "../gone"}.items():
        os.symlink(target, place / name)
    with pytest.raises(InputError) as error:
        look_at(place)
    for words in ("one is a link to ../x", "two is a link to /etc/passwd", "three is a link to a/../../x"):
        assert words in error.value.problem
    assert "fine" not in error.value.problem
    os.symlink(place, tmp_path / "itself")
    with pytest.raises(InputError, match="itself a link"):
        look_at(tmp_path / "itself")


def test_a_link_to_the_folder_above_is_no_endless_loop(tmp_path: Path) -> None:
    place = fill(tmp_path / "images", {"a/b": b"x"})
    os.symlink("..", place / "a" / "up")
    assert [one.path for one in look_at(place)] == [b"a/b", b"a/up"]


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A pipe would be waited for, and a socket has no bytes; the pointer of other data would keep it twice."""
    place = fill(tmp_path / "images", {"other.heptad": b"x"})
    os.mkfifo(place / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(place / "s"))
        with pytest.raises(
            InputError, match=r"other\.heptad is the pointer of other data.*pipe is no file; s is no file"
        ):
            look_at(place)


def test_a_folder_that_may_not_be_listed_is_named() -> None:
    """To a user who may not; whoever may do everything reads it."""
    top = Path(tempfile.mkdtemp())  # others may not look into pytest's
    top.chmod(0o755)
    place = fill(top / "images", {"closed/a": b"x", "b": b"y"})
    (place / "closed").chmod(0)
    answer, told = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            look_at(place)
        except InputError as error:
            os.write(told, error.problem.encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(told)
    shutil.rmtree(top)
    with os.fdopen(answer, "rb") as said:
        assert b"closed may not be listed by this user" in said.read()


def test_a_deep_folder_is_walked(tmp_path: Path) -> None:
    place = fill(tmp_path / "images", {"d/" * 400 + "a": b"x"})
    assert look_at(place)[0].path == b"d/" * 400 + b"a"
