"""Uploads in parts join to one file, which nobody sees before it is whole."""

import io

import pytest

from heptad.core.errors import InputError, NotFoundError, RefusedError
from heptad.core.garbage import unreferenced
from heptad.core.records import Record
from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.experiments import Experiments, Run, SearchSettings, Uploads, file_digest, keep_file


@pytest.fixture
def run(workspace: Workspace) -> Record[Run]:
    experiments = Experiments(workspace, ProjectSettings(), SearchSettings())
    return experiments.show(experiments.start("first").id)


def test_parts_of_several_pieces_join_as_they_are_numbered(run: Record[Run], workspace: Workspace) -> None:
    """Also parts that are longer than what is read at a time, and empty ones; afterwards no part is referred to."""
    uploads = Uploads(workspace)
    upload = uploads.begin(run, "big.bin", 3)
    contents = [b"a" * (5 << 20), b"", b"c" * 7]
    for number in (3, 1, 2):
        uploads.receive(uploads.get(upload.id), number, io.BytesIO(contents[number - 1]))
    with pytest.raises(NotFoundError):
        file_digest(workspace, run, "big.bin")
    uploads.complete(uploads.get(upload.id), run)
    digest = file_digest(workspace, run, "big.bin")
    assert workspace.blobs.get(digest) == b"".join(contents)
    assert digest not in unreferenced(workspace, older_than=-(workspace.clock.now() - workspace.clock.now()))
    assert not [key for key in uploads.get(upload.id).attributes if key.startswith("part.")]


def test_an_upload_that_was_given_up_takes_nothing_more(run: Record[Run], workspace: Workspace) -> None:
    """Giving up twice changes nothing; giving up what is complete does not either."""
    uploads = Uploads(workspace)
    upload = uploads.begin(run, "x", 1)
    uploads.abort(upload)
    uploads.abort(uploads.get(upload.id))
    with pytest.raises(RefusedError, match="is aborted"):
        uploads.receive(uploads.get(upload.id), 1, io.BytesIO(b"x"))


def test_a_part_has_a_number_of_the_upload(run: Record[Run], workspace: Workspace) -> None:
    """Counted from 1."""
    uploads = Uploads(workspace)
    upload = uploads.begin(run, "x", 2)
    for number in (0, 3):
        with pytest.raises(InputError, match="no part"):
            uploads.receive(upload, number, io.BytesIO(b"x"))


def test_parts_make_no_file_of_a_folder(run: Record[Run], workspace: Workspace) -> None:
    """Neither when an upload begins, nor when it is complete and others made the folder meanwhile."""
    uploads = Uploads(workspace)
    upload = uploads.begin(run, "d/e", 1)
    uploads.receive(upload, 1, io.BytesIO(b"x"))
    keep_file(workspace, run, "d/e/f", io.BytesIO(b"y"))
    with pytest.raises(InputError, match="'d/e' is a folder"):
        uploads.complete(uploads.get(upload.id), run)
    with pytest.raises(InputError, match="'d' is a folder"):
        uploads.begin(run, "d", 1)
    with pytest.raises(InputError, match="'d/e/f' is a file"):
        uploads.begin(run, "d/e/f/g", 1)
