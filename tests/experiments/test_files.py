"""Files of a run: kept under names that lead nowhere else, listed by folder, streamed."""

import contextlib
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heptad.core.errors import InputError, NotFoundError
from heptad.core.records import Record
from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.experiments import Experiments, Run, SearchSettings
from heptad.experiments.files import (
    Entry,
    checked_name,
    file_digest,
    files_of,
    in_folder,
    keep_file,
    remove_files,
)


@pytest.fixture
def run(workspace: Workspace) -> Record[Run]:
    experiments = Experiments(workspace, ProjectSettings(), SearchSettings())
    return experiments.show(experiments.start("first").id)


class Endless:
    """A stream of many megabytes that counts how much of it was held at once."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.largest = 0

    def read(self, size: int = -1, /) -> bytes:
        assert size > 0
        count = min(size, self.left)
        self.left -= count
        self.largest = max(self.largest, count)
        return b"x" * count


def test_a_file_is_kept_as_a_stream_and_found_by_its_name(run: Record[Run], workspace: Workspace) -> None:
    """Never more than a piece of it is read at a time; the digest is an artifact's."""
    stream = Endless(40 << 20)
    digest = keep_file(workspace, run, "d/big.bin", stream)
    assert stream.largest <= 4 << 20
    assert file_digest(workspace, run, "d/big.bin") == digest
    assert workspace.blobs.size(digest) == 40 << 20


def test_what_scripts_attach_is_listed_with_what_clients_send(workspace: Workspace) -> None:
    """Both are attributes of the run."""
    experiments = Experiments(workspace, ProjectSettings(), SearchSettings())
    active = experiments.start("first")
    active.attach("a.txt", b"1")
    active.finish()
    keep_file(workspace, experiments.show(active.id), "b.txt", io.BytesIO(b"2"))
    assert sorted(files_of(experiments.show(active.id))) == ["a.txt", "b.txt"]


def test_a_folder_lists_its_files_and_folders_once() -> None:
    """Sorted; a folder that begins alike is another one."""
    files = {"a/x": "1", "a/y/z": "2", "a/y/w": "3", "ab": "4"}
    assert in_folder(files) == [Entry("a"), Entry("ab", "4")]
    assert in_folder(files, "a") == [Entry("a/x", "1"), Entry("a/y")]
    assert in_folder(files, "none") == []


def test_removing_a_folder_leaves_what_begins_alike(run: Record[Run], workspace: Workspace) -> None:
    """And a file that is not there is none that was removed."""
    for name in ("d/a", "d/b/c", "d2"):
        keep_file(workspace, run, name, io.BytesIO(b"x"))
    now = workspace.store.get([run.id])[0]
    assert remove_files(workspace, now, "d") == 2
    assert list(files_of(workspace.store.get([run.id])[0])) == ["d2"]
    with pytest.raises(NotFoundError):
        file_digest(workspace, run, "d/a")


@pytest.mark.parametrize(
    "name", ["", "/a", "../a", "a/..", "a//b", "a/./b", "a\\b", "a#b", "a\0", "%2e%2e/a", "x/" * 240 + "x"]
)
def test_a_name_that_leads_elsewhere_is_refused(name: str, run: Record[Run], workspace: Workspace) -> None:
    """Before anything is stored."""
    before = list(workspace.blobs.digests())
    with pytest.raises(InputError, match="is not the name of a file"):
        keep_file(workspace, run, name, io.BytesIO(b"x"))
    assert list(workspace.blobs.digests()) == before


@pytest.mark.parametrize("name", ["x" * 256, "\u00e9" * 128, "d" * 256 + "/a"])
def test_a_part_that_no_file_system_takes_is_refused(name: str) -> None:
    """Who downloads the file could not store it. Bytes count, not characters."""
    with pytest.raises(InputError, match="a part of it has more than 255 bytes"):
        checked_name(name)
    assert checked_name("x" * 255 + "/" + "y" * 200)


@pytest.mark.parametrize(
    "name", ["a", "a b", "gr\u00f6\u00dfe.txt", "50%.txt", ".hidden", "a/b/c", "a..b", "\u6587/\u4ef6"]
)
def test_names_people_use_are_allowed(name: str) -> None:
    """Blanks, any script, dots inside."""
    assert checked_name(name) == name


def test_a_file_cannot_be_a_folder(run: Record[Run], workspace: Workspace) -> None:
    """What could not be downloaded side by side is not kept."""
    keep_file(workspace, run, "a", io.BytesIO(b"x"))
    with pytest.raises(InputError, match="cannot be the folder"):
        keep_file(workspace, run, "a/b", io.BytesIO(b"x"))


def test_a_folder_cannot_be_a_file(run: Record[Run], workspace: Workspace) -> None:
    """In whichever order they come; a name that begins alike is another, and a folder without files is none."""
    keep_file(workspace, run, "a/b/c.txt", io.BytesIO(b"x"))
    for folder in ("a", "a/b"):
        with pytest.raises(InputError, match=f"'{folder}' is a folder, of 'a/b/c.txt' for one, so it cannot be a file"):
            keep_file(workspace, run, folder, io.BytesIO(b"y"))
    for name in ("a/b.txt", "a/b/c.txt", "a/b c", "a0"):
        keep_file(workspace, run, name, io.BytesIO(b"y"))
    remove_files(workspace, workspace.store.get([run.id])[0], "a")
    keep_file(workspace, run, "a", io.BytesIO(b"y"))


@given(st.lists(st.lists(st.sampled_from(["a", "b", "a.", "a0"]), min_size=1, max_size=3).map("/".join), max_size=8))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_kept_can_be_downloaded_side_by_side(run: Record[Run], workspace: Workspace, names: list[str]) -> None:
    """Of names in any order, no file that was taken is the folder of another."""
    remove_files(workspace, workspace.store.get([run.id])[0])
    for name in names:
        with contextlib.suppress(InputError):
            keep_file(workspace, run, name, io.BytesIO(b"x"))
    kept = list(files_of(workspace.store.get([run.id])[0]))
    assert not [(one, other) for one in kept for other in kept if other.startswith(f"{one}/")]
