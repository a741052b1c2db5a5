"""What goes over the wire and into the journal, as types."""

from collections.abc import Sequence
from typing import Annotated, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from heptad.serving.records import RouteRole

Value: TypeAlias = str | int | float | bool | None
"""One cell of a row, as JSON has it."""
Row: TypeAlias = dict[str, Value]
RowId: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class PredictRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows to be answered; `ids` names each of them, else the server does."""

    rows: list[Row]
    ids: list[RowId] | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What one row is answered with."""

    id: str
    label: str | float
    score: float
    probabilities: list[float] | UnsetType = UNSET
    """In the order of the signature's classes."""
    threshold: float | UnsetType = UNSET
    """Two classes: scores of at least this much are answered with the second."""
    version: str
    warnings: list[str] = []


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was refused."""

    problem: str
    field: str = ""
    allowed: str = ""
    remedy: str = ""


class Refusal(msgspec.Struct, frozen=True):
    """The body of every reply that is no success."""

    error: Problem


class Entries(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What the journal keeps of rows that one version answered together; lists run over the rows.

    Of the inputs, numbers, booleans and moments are kept as the model read them (eight bytes a row, NaN for null),
    texts and categories as they came. `inputs` is a list of (name, type), encoded once for each version.
    """

    at: int
    """Microseconds since 1970, UTC."""
    caller: str
    generation: int
    version: str
    role: RouteRole
    latency_ms: float
    """From the moment the whole request was there until its answers were ready to be stored."""
    ids: list[str]
    labels: Sequence[str | float]
    scores: list[float]
    probabilities: list[list[float]] = []
    shadows: dict[str, list[float | None]] = {}
    warnings: dict[int, list[str]] = {}
    """By the row's position; rows without warnings are left out."""
    inputs: msgspec.Raw
    columns: list[bytes | list[str | None]] = []
    """Empty where inputs are not logged."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Answers of one version, ready to be stored."""

    positions: Sequence[int]
    """Of its rows in the request."""
    entries: Entries
    packed: bytes
    """The entries as the journal stores them."""
    replies: bytes
    """The JSON array of the answers."""
    digests: list[int]
    """They tell apart rows that are sent under one id."""


class RouteInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One version's part of the traffic, as the endpoint's description gives it."""

    version: str
    role: RouteRole
    share: float
