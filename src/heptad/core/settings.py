"""Settings that belong to no step: the project's name, its stores, how work is executed; and durations."""

import re
from datetime import timedelta
from typing import Annotated, Literal, TypeAlias

import msgspec

from heptad.core import catalogue
from heptad.core.errors import InputError, nearest

_BYTES = {"MB": 10**6, "GB": 10**9, "TB": 10**12, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


Duration: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^([0-9]+(\.[0-9]+)?(ms|[smhdw]))+\Z",
        description="a duration: a number and a unit, for example 30s, 90m, 6h, 7d, 4w",
    ),
]
OptionalDuration: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^([0-9]+(\.[0-9]+)?(ms|[smhdw]))*\Z",
        description="a duration (30s, 90m, 6h, 7d, 4w), or empty for none",
    ),
]
Span: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(?=.*[1-9])([0-9]+(\.[0-9]+)?(ms|[smhdw]))+\Z",
        description="a duration above zero: a number and a unit, for example 30s, 90m, 6h, 7d, 4w",
    ),
]
OptionalSize: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^([0-9]+(\.[0-9]+)?(MB|GB|TB|MiB|GiB|TiB))?\Z",
        description="an amount of memory: a number and a unit (500MB, 2GB, 1.5GiB), or empty for what there is",
    ),
]
Share: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1, description="a share between 0 and 1")]
Part: TypeAlias = Annotated[float, msgspec.Meta(gt=0, lt=1, description="a share above 0 and below 1")]
Amount: TypeAlias = Annotated[float, msgspec.Meta(ge=0, description="a number, 0 or more")]
Positive: TypeAlias = Annotated[int, msgspec.Meta(ge=1, description="a whole number, 1 or more")]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, description="a whole number, 0 or more")]


def _check_zone(name: str) -> None:
    if name == "UTC":
        return
    from zoneinfo import ZoneInfo, available_timezones  # noqa: PLC0415 - most projects are in UTC

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        known = sorted(available_timezones())
        if known:  # some machines have no table of zones; Polars brings its own
            raise InputError(f"there is no time zone {name!r}.", allowed=nearest(name, known)) from error


def _check_executor(name: str) -> None:
    if name not in catalogue.BUILT_IN["executor"]:
        known = sorted(catalogue.known("executor"))
        if name not in known:
            raise InputError(f"there is no executor {name!r}.", allowed=nearest(name, known))


Name: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*)?\Z",
        description="letters from a to z, digits, '-', '_' and '.', beginning with a letter or digit; or empty",
    ),
]
Zone: TypeAlias = Annotated[str, msgspec.Meta(extra={"check": _check_zone})]
Executor: TypeAlias = Annotated[str, msgspec.Meta(extra={"check": _check_executor})]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every section of heptad.toml; each step owns the type of its own section."""


class ProjectSettings(Settings, frozen=True, kw_only=True):
    """`[project]`."""

    name: Name = ""
    """Empty: the name of the project's folder."""
    about: str = ""
    """The question that the model answers, in words; it stands in cards and reports."""
    seed: Annotated[int, msgspec.Meta(ge=0, lt=2**32, description="a whole number from 0 to 4294967295")] = 7
    """One seed, spread to every library."""
    timezone: Zone = "UTC"
    """The zone of timestamps that name none, and of the months in summaries."""


class StoreSettings(Settings, frozen=True, kw_only=True):
    """`[store]`."""

    url: str = ""
    """`postgresql+psycopg://...`; empty: SQLite inside the workspace."""
    artifacts: str = ""
    """Where artifacts are kept, for example `s3://BUCKET/PREFIX`; empty: inside the workspace."""


class ExecuteSettings(Settings, frozen=True, kw_only=True):
    """`[execute]`."""

    executor: Executor = "inline"
    """`inline`, `threads`, `processes`, or the name of an installed executor."""
    workers: Count = 0
    """How many tasks run at once; 0: one a core."""
    memory: OptionalSize = ""
    """What a process may use; tables take a quarter of it and spill the rest to disk. Empty: what the machine, its
    control group or a `ulimit` leaves."""


Task = Literal["classification", "regression"]


def duration(text: str) -> timedelta:
    """`"90d"`, `"6h"`, `"1h30m"`, `"250ms"` as a timedelta; raises `InputError`."""
    parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)(ms|[smhdw])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise InputError(f"{text!r} is not a duration.", allowed="a number and a unit: 30s, 90m, 6h, 7d, 4w")
    try:
        return sum((timedelta(**{_UNITS[unit]: float(number)}) for number, unit in parts), timedelta())
    except OverflowError as error:
        raise InputError(f"{text!r} is too long a duration.", allowed="up to 142,000,000w") from error


def size(text: str) -> int:
    """`"2GB"` and `"512MiB"` in bytes; raises `InputError`."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([A-Za-z]+)", text)
    if not found or found[2] not in _BYTES:
        raise InputError(f"{text!r} is not an amount of memory.", allowed="a number and a unit: 500MB, 2GB, 1.5GiB")
    return int(float(found[1]) * _BYTES[found[2]])
