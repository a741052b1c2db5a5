"""Versions of folders among the records."""

import pytest

from heptad.core.errors import ConflictError, InputError, NotFoundError
from heptad.core.records import AliasMove, Change, Record
from heptad.core.workspace import Workspace
from heptad.data.folders import versions
from heptad.data.folders.records import FolderVersion
from heptad.data.folders.stored import Root, Stored


def body(name: str, digest: str) -> FolderVersion:
    return FolderVersion(name=name, version=0, what="folder", digest=digest * 64, files=1, bytes=1, new_bytes=1)


def add(workspace: Workspace, name: str, digest: str, *bases: Record[FolderVersion]) -> Record[FolderVersion]:
    stored = Stored(digest * 64, Root(1, digest * 64, 0, {0: bytes.fromhex(digest * 64)}, []), [])
    return versions.record_version(workspace, body(name, digest), stored, bases)


def test_versions_are_counted_name_by_name(workspace: Workspace) -> None:
    """And found again by how they are stored, and by what they hold."""
    first = add(workspace, "a", "1")
    second = add(workspace, "a", "2", first)
    other = add(workspace, "b/c", "1")
    assert [one.body.version for one in (first, second, other)] == [1, 2, 1]
    assert versions.names(workspace) == ["a", "b/c"]
    assert [one.id for one in versions.log(workspace, "a")] == [second.id, first.id]
    found = versions.by_stored(workspace, "2" * 64)
    assert found is not None
    assert found.id == second.id
    assert versions.by_digest(workspace, "a", "9" * 64) is None
    found = versions.by_digest(workspace, "a", "1" * 64)
    assert found is not None
    assert found.id == first.id
    assert versions.stored_of(found) == "1" * 64


def test_a_version_that_built_on_what_was_forgotten_meanwhile_is_not_recorded(workspace: Workspace) -> None:
    """Its packs may be gone; the same where somebody else added first, and where the base has another name."""
    first = add(workspace, "a", "1")
    versions.forget(workspace, first, "no use")
    with pytest.raises(ConflictError):
        add(workspace, "a", "2", first)
    assert versions.latest(workspace, "a") is None
    second = add(workspace, "a", "2")
    assert second.body.version == 2
    add(workspace, "a", "3", second)
    with pytest.raises(ConflictError):
        add(workspace, "a", "4", second)
    base = add(workspace, "b", "1")
    add(workspace, "c", "5", base)
    # As it would be where somebody forgot a version of b between the look at it and the transaction.
    scope = versions.scope_of(workspace, "b")
    stale = versions.latest(workspace, "b")
    workspace.store.write(Change(aliases=[AliasMove(scope=scope, name="latest", target=base.id)]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(versions, "find_alias", lambda *_: stale)
        with pytest.raises(ConflictError):
            add(workspace, "d", "6", base)


def test_what_was_forgotten_stays_as_a_record_with_the_reason(workspace: Workspace) -> None:
    """The latest is then the one before; a reason has to be given."""
    first = add(workspace, "a", "1")
    second = add(workspace, "a", "2", first)
    with pytest.raises(InputError):
        versions.forget(workspace, second, " ")
    versions.forget(workspace, second, "a test")
    now = versions.latest(workspace, "a")
    assert now is not None
    assert now.id == first.id
    (gone, _) = versions.log(workspace, "a")
    assert gone.attributes[versions.FORGOTTEN] == "a test"
    assert [one.id for one in versions.existing(versions.log(workspace, "a"))] == [first.id]
    with pytest.raises(NotFoundError, match="a@2") as error:
        versions.stored_of(gone)
    assert "a test" in error.value.remedy
    found = versions.find_folder_version(workspace, "a@2")
    assert found is not None
    assert found.id == gone.id
    assert "artifacts" not in gone.attributes
