"""Settings that belong to no step: the project's name, its stores, how work is executed; and durations."""

import re
from datetime import timedelta
from typing import Annotated, Literal, TypeAlias

import msgspec

from heptad.core.errors import InputError

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
Share: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1, description="a share between 0 and 1")]
Positive: TypeAlias = Annotated[int, msgspec.Meta(ge=1, description="a whole number, 1 or more")]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, description="a whole number, 0 or more")]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every section of heptad.toml; each step owns the type of its own section."""


class ProjectSettings(Settings, frozen=True, kw_only=True):
    """`[project]`."""

    name: str = ""
    """Empty: the name of the project's folder."""
    about: str = ""
    seed: int = 7
    """One seed, spread to every library."""
    timezone: str = "UTC"
    """The zone of timestamps that name none, and of the months in summaries."""


class StoreSettings(Settings, frozen=True, kw_only=True):
    """`[store]`."""

    url: str = ""
    """`postgresql+psycopg://...`; empty: SQLite inside the workspace."""
    artifacts: str = ""
    """Where artifacts are kept; empty: inside the workspace."""


class ExecuteSettings(Settings, frozen=True, kw_only=True):
    """`[execute]`."""

    executor: str = "inline"
    """`inline`, `threads`, `processes`, or the name of an installed executor."""
    workers: int = 0
    """How many tasks run at once; 0: one a core."""


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
