"""Whoever listens is told what is read in its workspace, and nothing of others."""

from dataclasses import replace

from heptad.core.reads import listen, note_read
from heptad.core.workspace import Workspace


def test_readers_are_heard_until_one_stops_listening(workspace: Workspace, tmp_path):
    """Only of the workspace that was asked about."""
    heard: list[str] = []
    stop = listen(workspace.folder, heard.append)
    note_read(workspace, "a")
    note_read(replace(workspace, root=tmp_path / "other"), "b")
    stop()
    note_read(workspace, "c")
    assert heard == ["a"]
