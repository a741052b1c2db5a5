"""The online store is found by its address; LMDB inside the workspace where none is given."""

import pytest

from heptad.adapters.lmdb import LmdbStore
from heptad.core.errors import InputError, NotFoundError
from heptad.core.workspace import Workspace
from heptad.data import MOST_KEY, STAMP, OnlineSettings, checked_pairs
from heptad.data.features.online import open_online


def test_the_default_is_in_the_workspace(workspace: Workspace) -> None:
    """Nothing is made before something is stored."""
    store = open_online(OnlineSettings(), workspace.folder, workspace.name)
    assert isinstance(store, LmdbStore)
    assert not (workspace.folder / "online").exists()
    store.put([(b"k", bytes(STAMP))])
    assert (workspace.folder / "online" / workspace.name / "data.mdb").is_file()


def test_a_secret_is_read_where_it_is_used(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address may name a value of the environment."""
    monkeypatch.setenv("PLACE", str(workspace.root / "elsewhere"))
    open_online(OnlineSettings(url="lmdb://${PLACE}"), workspace.folder, workspace.name).put([(b"k", bytes(STAMP))])
    assert (workspace.root / "elsewhere" / workspace.name / "data.mdb").is_file()


def test_an_unknown_scheme_is_named(workspace: Workspace) -> None:
    """With those that are known."""
    with pytest.raises(NotFoundError, match="lmdb"):
        open_online(OnlineSettings(url="memcached://host"), workspace.folder, workspace.name)


def test_sizes_are_checked() -> None:
    """Keys and values that a store does not take are named before anything is stored."""
    fine = (b"k" * MOST_KEY, bytes(STAMP))
    assert checked_pairs(iter([fine])) == [fine]
    for key, value in ((b"", bytes(STAMP)), (b"k" * (MOST_KEY + 1), bytes(STAMP)), (b"k", bytes(STAMP - 1))):
        with pytest.raises(InputError, match="cannot be stored"):
            checked_pairs([fine, (key, value)])
