"""Which settings of `[sources.NAME]` each kind of source has, so that one which says nothing to it is refused."""

import msgspec

from heptad.core.errors import SettingsError
from heptad.data.sources.settings import SourceSettings

_EVERY = ("uri", "time", "on_change", "fresh", "volume")
_FILES = ("format", "sheet", "unpacked_gb", "separator", "quote", "encoding", "header", "nulls", "dates", "columns")
_BUCKETS = (*_FILES, "endpoint", "options", "timeout", "retries")
_WEB = (*_FILES, "headers", "timeout", "retries")
_DATABASES = ("table", "query", "cursor", "key", "refresh", "read_timeout", "retries")
_MESSAGES = ("format", "dates", "timeout", "retries", "id", "id_window", "schema", "schema_id", "registry")
_STREAMS = (*_MESSAGES, "options", "commit_every", "land", "drain")
_APIS = ("rest", "headers", "timeout", "retries", "unpacked_gb", "dates", "cursor", "key", "refresh")
_OF_KIND = (
    {"file": _FILES, "python-package": _FILES, "manifest": ("format", "manifest"), "delta+file": ("as_of", "dates")}
    | dict.fromkeys(("s3", "gs", "az"), _BUCKETS)
    | {"https": _WEB, "http": _WEB, "rest": _APIS, "stream": _STREAMS}
    | dict.fromkeys(("database", "duckdb", "mariadb", "mssql", "mysql", "oracle", "postgresql"), _DATABASES)
    # It has no type for times.
    | {"sqlite": (*_DATABASES, "dates")}
)
_WHAT = {
    "files": "file",
    "object stores": "s3",
    "web servers": "https",
    "HTTP APIs": "rest",
    "databases": "postgresql",
    "SQLite": "sqlite",
    "Delta tables": "delta+file",
    "streams": "stream",
    'folders with format = "manifest"': "manifest",
}
"""What a kind is called, by one of its names."""


def settings_of(kind: str) -> tuple[str, ...] | None:
    """The settings that a kind of source has; `None` for one that somebody else made, who knows them."""
    return (*_EVERY, *_OF_KIND[kind]) if kind in _OF_KIND else None


def refuse_unused(kind: str, settings: SourceSettings) -> None:
    """Raises `SettingsError` for a setting that a source of this kind would pass over in silence."""
    used = settings_of(kind)
    for field in msgspec.structs.fields(SourceSettings) if used else ():
        value = getattr(settings, field.name)
        # No text means missing anyway, where there are no texts to be read.
        if field.name in (used or ()) or value in (_default(field), ()):
            continue
        having = [what for what, one in _WHAT.items() if field.name in _OF_KIND[one]]
        raise SettingsError(
            f"[sources.NAME] {field.name} is a setting of {_listed(having)}, and says nothing to {_called(kind)}.",
            allowed=", ".join(used or ()),
        )


def _called(kind: str) -> str:
    return next(what for what, one in _WHAT.items() if _OF_KIND[one] == _OF_KIND[kind])


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _default(field: msgspec.structs.FieldInfo) -> object:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
