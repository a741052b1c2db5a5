"""Runs are found by what they have read: versions of the loop, and data that clients have named."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.core.conftest import postgresql_server, postgresql_store, store

from heptad.core import graph
from heptad.core.errors import InputError
from heptad.core.records import Id
from heptad.core.settings import ProjectSettings
from heptad.core.sql_store import SqlStore
from heptad.core.workspace import Workspace
from heptad.data import FolderVersion
from heptad.experiments import Experiments, LoggedDataset, SearchSettings

__all__ = ["postgresql_server", "postgresql_store", "store"]


@pytest.fixture
def experiments(workspace: Workspace, store: SqlStore) -> Experiments:
    """Step 2 of an empty project, on either database."""
    return Experiments(replace(workspace, store=store), ProjectSettings(name="test"), SearchSettings())


@pytest.fixture
def reading(experiments: Experiments) -> Callable[..., Id]:
    def run(name: str, *read: Id) -> Id:
        with experiments.start(name, made_from=[("data", one) for one in read]) as active:
            active.log(auc=len(name) / 10)
        return active.id

    return run


def folder(experiments: Experiments, name: str, version: int) -> Id:
    body = FolderVersion(
        name=name, version=version, what="folder", digest=f"{name}{version}", files=1, bytes=1, new_bytes=1
    )
    attributes = {"name": name, "version": version, "digest": body.digest}
    return graph.save(experiments.workspace, body, scope=name, attributes=attributes).id


def logged(experiments: Experiments, name: str, digest: str, context: str) -> Id:
    body = LoggedDataset(name=name, digest=digest, source_type="local", source="x", context=context)
    attributes = {"name": name, "digest": digest, "context": context}
    return graph.save(experiments.workspace, body, scope="s", attributes=attributes).id


def test_data_of_every_kind_is_asked_for_alike(experiments: Experiments, reading: Callable[..., Id]) -> None:
    """By name, version, digest and context; joined by `and` they are about one and the same."""
    old, new = folder(experiments, "images", 1), folder(experiments, "images", 2)
    flights, other = logged(experiments, "flights", "abc", "training"), logged(experiments, "other", "def", "testing")
    reading("a", old)
    reading("bb", new, flights)
    reading("ccc", flights, other)
    reading("dddd")
    asked = {
        'data.name = "images"': ["bb", "a"],
        'data.name = "images" and data.version = 2': ["bb"],
        "data.version > 1": ["bb"],
        "data.name = flights": ["ccc", "bb"],
        "data.name = flights and data.context = testing": [],
        "data.context = testing": ["ccc"],
        "data.digest = abc and metrics.auc > 0.2": ["ccc"],
        "data.name like 'f%'": ["ccc", "bb"],
        "data.name in (other, images)": ["ccc", "bb", "a"],
        "data.name != flights": ["dddd", "a"],
        "not data.name = flights": ["dddd", "a"],
        "data.name exists": ["ccc", "bb", "a"],
        "data.name = nothing or name = dddd": ["dddd"],
    }
    for where, names in asked.items():
        assert [run.body.name for run in experiments.list(where=where)] == names, where
    assert experiments.frame(where="data.name = images")["name"].to_list() == ["bb", "a"]


def test_what_nobody_knows_of_data_is_refused(experiments: Experiments) -> None:
    """With what is known."""
    with pytest.raises(InputError, match=r"There is no 'data.colour'.\nAllowed: data.name, data.version"):
        experiments.list(where="data.colour = red")
