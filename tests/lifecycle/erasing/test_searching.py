"""Traces are looked for in every byte, and models are told from the rest."""

from tests.lifecycle.versions import make_version

from heptad.core import graph
from heptad.core.workspace import Workspace
from heptad.lifecycle.erasing import searching
from heptad.lifecycle.erasing.job import FOLDER
from heptad.lifecycle.erasing.searching import search_workspace


def test_a_value_is_found_wherever_it_is(workspace: Workspace, monkeypatch) -> None:
    """Across two reads of a file too; short values, and the job's own file, are not looked at."""
    monkeypatch.setattr(searching, "_CHUNK", 16)
    (workspace.folder / "logs").mkdir()
    (workspace.folder / "logs" / "one").write_text("x" * 12 + "ann@mail.example" + "x" * 5)
    (workspace.folder / "logs" / "two").write_text("x" * 100 + " 17 ")
    (workspace.folder / FOLDER).mkdir(parents=True)
    (workspace.folder / FOLDER / "a.json").write_text("ann@mail.example")
    found = search_workspace(workspace, ["ann@mail.example", "17"], [])
    assert found.holding == ["logs/one"]
    assert found.values == 1
    assert found.bytes >= 100
    assert search_workspace(workspace, ["17"], []).holding == []


def test_what_belongs_to_models_is_named_apart(workspace: Workspace) -> None:
    """Artifacts by their digest, records by their id; a record says more than the store's file."""
    digest = workspace.blobs.put(b"profile with Zzyzx-on-Sea")
    other = workspace.blobs.put(b"export with Zzyzx-on-Sea")
    version = make_version(workspace, 1)
    graph.set_attributes(workspace, version.id, {"note": "Zzyzx-on-Sea"})
    found = search_workspace(workspace, ["Zzyzx-on-Sea"], [digest])
    assert found.in_models == [f"artifacts/{digest[:2]}/{digest[2:]}"]
    # The event of the attribute holds it too, which is in the store's file: a note is what a person wrote.
    assert set(found.holding) == {f"artifacts/{other[:2]}/{other[2:]}", version.id}
    assert search_workspace(workspace, ["Zzyzx-on-Sea"], [digest, other, version.id]).holding == []
