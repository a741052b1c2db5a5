"""Versions of a data set are found by number, id or name."""

from collections.abc import Callable
from pathlib import Path

import pytest

from heptad.core.errors import NotFoundError
from heptad.core.workspace import Workspace
from heptad.data import DataSettings
from heptad.data.versions import versions


def test_versions_are_found_in_every_way_they_are_named(
    workspace: Workspace, open_data: Callable, write: Callable[..., Path]
) -> None:
    """Number, `NAME@NUMBER`, id and `latest` all lead to the record; the log is newest first."""
    data = open_data(DataSettings(target="y"))
    write("a,y\n1.5,0\n2.5,1\n")
    first = data.collect()
    write("a,y\n1.5,0\n2.5,1\n3.5,1\n")
    second = data.collect()
    assert versions.latest(workspace, "test") == second
    for ref in (1, "1", "test@1", first.id):
        assert versions.find_version(workspace, "test", ref).id == first.id
    assert versions.find_version(workspace, "test", "latest").id == second.id
    assert [one.body.version for one in versions.log(workspace, "test")] == [2, 1]


def test_unknown_versions_name_the_known_ones(workspace: Workspace) -> None:
    """Before there is any, the error says how to make one."""
    with pytest.raises(NotFoundError, match="no data version 'test@3'") as error:
        versions.find_version(workspace, "test", 3)
    assert error.value.remedy == "collect one: heptad run"
    assert versions.latest(workspace, "test") is None


def test_any_name_is_a_folder() -> None:
    """Names that could lead elsewhere or that file systems refuse become plain ones."""
    assert versions.folder_name("../My data: x") == "My-data-x"
    assert versions.folder_name("..") == "data"
