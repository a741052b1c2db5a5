"""Files become files of a record: what is here already is not fetched again, what has no usable name is counted."""

import io
from collections import Counter

import pytest

from heptad.core import graph
from heptad.core.workspace import Workspace
from heptad.experiments import Run
from heptad.experiments.mlflow_import import attaching
from heptad.experiments.mlflow_import.attaching import attach, found_files, kept_files
from heptad.experiments.mlflow_import.source import SourceFile


def file(path: str, content: bytes = b"x") -> SourceFile:
    return SourceFile(path, len(content), lambda: io.BytesIO(content))


def test_only_what_is_new_is_stored(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of another length is new too; without a record files are counted only."""
    monkeypatch.setattr(attaching, "_FILES", 1)
    run = graph.save(workspace, Run(name="r", experiment="e"), scope="e")
    left = Counter[str]()
    assert attach(workspace, None, iter([file("a"), file("b/c")]), left) == (2, 0, {})
    assert attach(workspace, run, iter([file("a"), file("b/c"), file("../d")]), left).new_files == 2
    assert left == {"file without a usable name": 1}
    again = attach(workspace, graph.load(workspace, run.id, Run), iter([file("a"), file("b/c", b"longer")]), left)
    assert (again.files, again.new_files) == (2, 1)
    kept = graph.load(workspace, run.id, Run).attributes
    assert workspace.blobs.get(str(kept["artifacts.b/c"])) == b"longer"


def test_places_that_are_not_read_are_counted() -> None:
    """Buckets are; a record without a folder merely has no files."""
    left = Counter[str]()
    assert list(found_files(None, "s3://bucket/x", left)) == list(found_files(None, "/somewhere", left)) == []
    assert left == {"files at s3://": 1}


def test_files_are_kept_by_their_paths(workspace: Workspace) -> None:
    """With their digests."""
    kept = kept_files(workspace, iter([file("a", b"hello")]))
    assert workspace.blobs.get(kept["a"]) == b"hello"
