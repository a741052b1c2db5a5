"""Conditions on what runs have read: `data.name = "flights" and data.version = 3`."""

from collections.abc import Iterator, Sequence
from typing import Final

from heptad.core.errors import InputError
from heptad.core.query import All, AnyOf, Compare, Condition, Not, Query
from heptad.core.records import Id
from heptad.core.workspace import Workspace
from heptad.data import DatasetVersion, FolderVersion
from heptad.experiments.records import LoggedDataset

DATA: Final = "data."
KEYS: Final = ("name", "version", "digest", "context")
"""Attributes of data that may be asked for, as far as each kind of it has them."""
_KINDS: Final = (DatasetVersion.kind, FolderVersion.kind, LoggedDataset.kind)
_MOST: Final = 20_000
"""Data sets that a condition may meet: their ids stand in the search."""


def with_links(workspace: Workspace, condition: Condition) -> Condition:
    """The condition with those on data turned into ones on links.

    Versions of tables, of folders, and data that clients have named are all data. Conditions that are joined by `and`
    are about one and the same. Raises `InputError` for what nobody knows of data.
    """
    match condition:
        case Compare(key) if key.startswith(DATA):
            return _read(workspace, [condition])
        case Not(part):
            return Not(with_links(workspace, part))
        case AnyOf(parts):
            return AnyOf(tuple(with_links(workspace, part) for part in parts))
        case All(parts):
            about = [one for one in parts if _is_about_data(one)]
            rest = [with_links(workspace, one) for one in parts if one not in about]
            return All((*([_read(workspace, about)] if about else []), *rest))
        case _:
            return condition


def _is_about_data(condition: Condition) -> bool:
    return isinstance(condition, Compare) and condition.key.startswith(DATA) and condition.operator != "!="


def _read(workspace: Workspace, about: Sequence[Condition]) -> Condition:
    """Runs with a link to data for which all of these hold; of `!=`, those without one for which `=` holds."""
    asked = [one for one in about if isinstance(one, Compare)]
    if len(asked) == 1 and asked[0].operator == "!=":
        return Not(_read(workspace, [Compare(asked[0].key, "=", asked[0].value)]))
    for one in asked:
        if one.key.removeprefix(DATA) not in KEYS:
            raise InputError(f"There is no {one.key!r}.", allowed=", ".join(f"{DATA}{key}" for key in KEYS))
    where = All(tuple(Compare(one.key.removeprefix(DATA), one.operator, one.value) for one in asked))
    found = [one for kind in _KINDS for one in _ids(workspace, Query(kind=kind, where=where, attributes=()))]
    if len(found) > _MOST:
        raise InputError(f"The condition is met by more than {_MOST:,} data sets.", remedy="ask for fewer of them")
    return Compare(f"@to.{_ROLE}", "in", tuple(found))


_ROLE: Final = "data"
"""Of links from runs to what they have read."""


def _ids(workspace: Workspace, query: Query) -> Iterator[Id]:
    after = None
    while True:
        page = workspace.store.find(query, after, 1000)
        yield from (one.id for one in page.items)
        after = page.after
        if after is None:
            return
