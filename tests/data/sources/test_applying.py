"""A setting that a source would pass over in silence is refused, whatever the source."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from heptad.core import catalogue
from heptad.core.errors import SettingsError
from heptad.data import Place, SourceSettings, open_source, open_stream
from heptad.data.sources.applying import refuse_unused, settings_of

ADDRESSES = {
    "file": "t.csv",
    "delta+file": "delta+file:t",
    "manifest": "photos",
    "rest": "rest:https://host/rows",
    "database": "sqlite+pysqlite:///t.db",
    "python-package": "python-package:heptad/t.csv",
    "stream": "kafka://host/topic",
}
"""Kinds whose address is not `KIND://host/name`."""
KINDS = sorted(catalogue.BUILT_IN["source"])
FIELDS = [field for field in msgspec.structs.fields(SourceSettings) if field.name != "uri"]
OTHER: dict[str, Any] = {
    "format": "csv",
    "on_change": "accept",
    "land": "always",
    "header": False,
    "quote": "'",
    "separator": ";",
    "encoding": "utf-8",
    "nulls": ("-",),
    "volume": {"min": 0.5},
    "rest": {"size": 7},
    "manifest": {"labels": "labels.csv"},
    "schema_id": 7,
    "as_of": 7,
    "columns": ["a"],
    "key": ["a"],
    "options": {"region": "x"},
    "headers": {"A": "b"},
}
"""Values that are no default; for the rest `_other` makes one."""


def _other(name: str, default: object) -> Any:
    if name in OTHER:
        return OTHER[name]
    made: dict[type, Any] = {str: "9h", float: 9.0, int: 9}
    return made[type(default)]


def _settings(kind: str, **given: Any) -> SourceSettings:
    uri = ADDRESSES.get(kind, f"{kind}://host/name")
    more = {"format": "manifest"} if kind == "manifest" else {}
    return msgspec.convert({"uri": uri, **more, **given}, SourceSettings)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_kind_of_source_does_not_use_is_refused(kind: str, tmp_path: Path) -> None:
    """Each of its settings is either in its table or an error that says whose it is, and which there are."""
    used = settings_of(kind)
    assert used
    for field in FIELDS:
        given = _other(field.name, field.default)
        settings = _settings(kind, **{field.name: given})
        if field.name in used:
            refuse_unused(kind, settings)
        elif (kind, field.name) not in {("database", "dates"), ("manifest", "format")}:
            with pytest.raises(SettingsError, match=rf"\] {field.name} is a setting of .* says nothing to") as told:
                open_source(settings, Place(root=tmp_path))
            assert told.value.allowed.startswith("uri, time")


def test_every_setting_is_one_of_some_kind() -> None:
    """None is left that nothing uses."""
    used = {name for kind in KINDS for name in settings_of(kind) or ()}
    assert used == {field.name for field in FIELDS} | {"uri"}


def test_what_only_some_databases_do_is_said(tmp_path: Path) -> None:
    """SQLite has no type for times, so that they are read from texts; `nulls` are of files."""
    refuse_unused("sqlite", _settings("sqlite", table="t", dates="%d.%m.%Y"))
    for settings, said in (
        (_settings("postgresql", table="t", dates="%d.%m.%Y"), "dates is a setting of files, .*SQLite.* to databases"),
        (_settings("sqlite", table="t", nulls=("-",)), "nulls is a setting of files, object stores and web servers"),
    ):
        with pytest.raises(SettingsError, match=said):
            open_source(settings, Place(root=tmp_path))


def test_a_stream_that_is_landed_refuses_them_too() -> None:
    """Before any broker is asked."""
    with pytest.raises(SettingsError, match="nulls is a setting of files"):
        open_stream(_settings("stream", nulls=("-",)), "reader")


def test_what_somebody_else_made_knows_its_own_settings() -> None:
    """And `nulls = []` says what is so anyway."""
    refuse_unused("gopher", _settings("gopher", table="t", sheet="s"))
    refuse_unused("postgresql", _settings("postgresql", table="t", nulls=()))
