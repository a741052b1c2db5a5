"""What is shipped beside points and files: a run that begins, and what changes beside it; easy to check."""

from typing import Literal

import msgspec

from heptad.core.records import Id, Scalar
from heptad.experiments.records import Run

Event = Literal["", "experiments.run_changed", "experiments.run_finished"]


class RunBegin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A run that begins, under an id that whoever logs it has made."""

    run: Id
    at: float
    """Seconds since 1970, by the clock of whoever logs."""
    actor: str = ""
    body: Run
    links: list[tuple[str, Id]] = []
    """Role and target of what it is made from."""


class RunUpdate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What changes beside a run."""

    run: Id
    at: float
    key: str = ""
    """An update with a key is applied once, however often it is shipped; without one, each time."""
    actor: str = ""
    attributes: dict[str, Scalar] = {}
    files: dict[str, str] = {}
    """Path to digest; the bytes have been shipped before."""
    links: list[tuple[str, Id]] = []
    event: Event = ""


class Points(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Points of series of one run: the index of the first in its series, and little-endian columns.

    The columns are n steps (int64), n values and n times (float64, seconds since 1970, by the clock of whoever logs).
    """

    series: dict[str, tuple[int, bytes]]


class Lacking(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Digests of files: those that are asked about, or of these those that have to be sent."""

    digests: list[str]


class RunState(msgspec.Struct, frozen=True, kw_only=True):
    """How a run stands: its status, and how many points each of its series has."""

    status: str
    series: dict[str, int]
