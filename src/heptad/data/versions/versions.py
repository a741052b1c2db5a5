"""Finds versions of a data set among the records: the latest, one by number or id, all of them."""

import re

from heptad.core import graph
from heptad.core.errors import NotFoundError
from heptad.core.query import Order, Query, equals
from heptad.core.records import Record
from heptad.core.workspace import Workspace
from heptad.data.records import DatasetVersion

LATEST = "latest"
MOST = 1000
"""How many versions a listing goes back."""


def alias_scope(name: str) -> str:
    """Where the alias `latest` of a data set lives."""
    return f"dataset:{name}"


def folder_name(name: str) -> str:
    """The data set's name as the name of a folder, whatever it holds."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-") or "data"


def latest(workspace: Workspace, name: str) -> Record[DatasetVersion] | None:
    return graph.find_alias(workspace, alias_scope(name), LATEST, DatasetVersion)


def log(workspace: Workspace, name: str) -> list[Record[DatasetVersion]]:
    """The versions of a data set, newest first."""
    return graph.find(workspace, DatasetVersion, Query(kind=DatasetVersion.kind, scopes=[name]), MOST)


def next_number(workspace: Workspace, name: str) -> int:
    """The number after the greatest there is, which a rollback may have left behind the latest version."""
    query = Query(kind=DatasetVersion.kind, scopes=[name], order=[Order("version", descending=True)])
    newest = graph.find(workspace, DatasetVersion, query, 1)
    return newest[0].body.version + 1 if newest else 1


def find_version(workspace: Workspace, name: str, ref: str | int) -> Record[DatasetVersion]:
    """The version by number, id, tag, `NAME@NUMBER`, `NAME@TAG` or `latest`; raises `NotFoundError`."""
    text = str(ref).removeprefix(f"{name}@")
    if text.startswith(f"{DatasetVersion.prefix}-"):
        return graph.load(workspace, text, DatasetVersion)
    if text.isdecimal():
        query = Query(kind=DatasetVersion.kind, scopes=[name], where=equals(version=int(text)))
        found = next(iter(graph.find(workspace, DatasetVersion, query, 1)), None)
    else:
        found = graph.find_alias(workspace, alias_scope(name), text, DatasetVersion)
    if found is None:
        there = log(workspace, name)
        known = [f"{name}@{which}" for one in there for which in (one.body.version, *sorted(one.aliases))]
        remedy = "" if known else "collect one: heptad run"
        raise NotFoundError("data version", text if "@" in text else f"{name}@{text}", known, remedy=remedy)
    return found
