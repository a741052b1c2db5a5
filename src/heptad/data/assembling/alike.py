"""How far the settings that two versions are made with are alike, and so what of the first binds the second."""

from collections.abc import Collection, Mapping
from typing import Any, TypeAlias

from heptad.data.records import DatasetVersion

Effective: TypeAlias = Mapping[str, Any]
"""All effective settings of a version by section, as plain JSON."""

_POLICIES = {"on_change", "fresh", "volume", "land"}
"""Settings of a source that say when it is refused or landed, and not how it is read."""
_PATIENCE = {"unpacked_gb", "timeout", "retries", "refresh", "read_timeout", "commit_every", "drain"}
"""How long a source is waited for, and how much it may be: the columns are the same ones."""
_SCHEDULE = {"every", "catch_up"}
_REMARKS = {"owner", "description", "stream"}
"""Of features: what they are called for, and whether others are pushed later; the table joins the same columns."""


def made_alike(first: Effective, second: Effective) -> bool:
    """Whether versions of such settings are the same of the same rows, whatever they refuse.

    Sections that only one of them has are not compared.
    """
    common = first.keys() & second.keys() - {"sources"}
    both = _each_without(first["sources"], _POLICIES) == _each_without(second["sources"], _POLICIES)
    return both and all(first[name] == second[name] for name in common)


def binds(first: Effective, second: Effective) -> bool:
    """Whether columns of the table come about in the same way, so that their types, roles and limits hold on.

    Neither what is expected of them, nor which rows are set aside, nor a source that the table is not made of, nor the
    seed, nor how often it is collected, makes other columns.
    """
    return _making(first) == _making(second)


def known_columns(before: DatasetVersion, now: Effective) -> dict[str, Mapping[str, str]]:
    """The columns that each source had at a version, of those sources that are still read in the same way.

    With another target it is another table, of which nothing was promised.
    """
    then: Effective = before.settings
    if (then["timezone"], then["data"]["target"]) != (now["timezone"], now["data"]["target"]):
        return {}
    first, second = (_each_without(one["sources"], _POLICIES | _PATIENCE) for one in (then, now))
    return {
        one.name: one.columns
        for one in before.sources
        if one.columns and one.name in first and first[one.name] == second.get(one.name)
    }


def touched(first: Effective, second: Effective) -> set[str]:
    """The columns that a person has said something else of, which are taken as they come.

    They have another type or rule of cleaning, by which they may be read otherwise, or another part in the table.
    """
    one, other = _said(first), _said(second)
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}


def _said(settings: Effective) -> dict[str, list[Any]]:
    data = settings["data"]
    parts = {name: [data[name]] for name in ("target", "time", "label_time")} | {"key": data["key"]}
    said: dict[str, list[Any]] = {}
    # With a function, types are those of its result and say nothing of its sources.
    for told in ({} if data["function"] else data["types"], settings["clean"]["columns"]):
        for column, what in told.items():
            said.setdefault(column, []).append(what)
    for part, columns in parts.items():
        for column in columns:
            said.setdefault(column, []).append(part)
    return said


def _making(settings: Effective) -> dict[str, Any]:
    data, features, sources = settings["data"], settings["features"], settings["sources"]
    if data["source"] and not data["function"]:
        used = {data["source"], *(one["source"] for one in features.values())}
        sources = {name: one for name, one in sources.items() if name in used}
    return {
        "sources": _each_without(sources, _POLICIES | _PATIENCE),
        "data": _without(data, _SCHEDULE),
        "cells": settings["clean"]["columns"],
        "features": _each_without(features, _REMARKS),
        **{name: settings.get(name) for name in ("function", "timezone", "labelling")},
    }


def _each_without(sections: Mapping[str, Mapping[str, Any]], names: Collection[str]) -> dict[str, dict[str, Any]]:
    return {name: _without(one, names) for name, one in sections.items()}


def _without(section: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {key: value for key, value in section.items() if key not in names}
