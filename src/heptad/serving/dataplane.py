"""From rows to answers and log entries: values and time in, values out; no HTTP, no files."""

import logging
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from time import perf_counter
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET

from heptad.core.errors import RequestError
from heptad.serving.codecs import encode
from heptad.serving.journal import pack
from heptad.serving.messages import Answer, Entries, Part, Row
from heptad.serving.records import Route
from heptad.serving.runtime import Loaded, Snapshot
from heptad.training import Scores, check_rows

PART_ROWS = 1000
"""Rows that are stored together; a bigger request makes several parts."""

_log = logging.getLogger("heptad.serving")
_STRINGS = {"category", "text"}
_Array = np.ndarray[Any, np.dtype[Any]]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Rows with their ids, and who asked for them when."""

    rows: Sequence[Row]
    """With what was looked up for them."""
    sent: Sequence[Row] = ()
    """As they came, where something was looked up."""
    notes: Mapping[int, list[str]] = {}
    """What is said of some of them already, by position."""
    ids: list[str]
    caller: str
    at: int
    """Microseconds since 1970, UTC."""
    began: float
    """`perf_counter` when the whole request was there."""


class _Group(msgspec.Struct, frozen=True, kw_only=True):
    """Some rows of a request that one version answers; all lists run over them."""

    version: Loaded
    route: Route
    positions: Sequence[int]
    came: Sequence[Row]
    """The rows before the version's rules."""
    rows: Sequence[Row]
    """The rows as the version's rules leave them."""
    columns: Mapping[str, _Array]
    warnings: Sequence[list[str]]
    cleaned: bool
    """Whether the rows came as the rules leave them."""


def answer(snapshot: Snapshot, asked: Asked, *, log_inputs: bool, cleaned: bool = False) -> list[Part]:
    """Answers to all rows, in parts of at most `PART_ROWS` rows and one version each.

    `cleaned`: the rows come from a version, so that its rules have been applied to them already.

    Raises `RequestError` where any row cannot be answered; then none is.
    """
    return [
        _part(snapshot, asked, group, log_inputs=log_inputs)
        for whole in _by_route(snapshot, asked, cleaned=cleaned)
        for group in _pieces(whole)
    ]


def _by_route(snapshot: Snapshot, asked: Asked, *, cleaned: bool) -> Iterator[_Group]:
    """The rows of each route that answers any, checked as a whole."""
    answering = snapshot.routing.answering
    if len(answering) == 1:
        shares: list[tuple[Route, Sequence[int]]] = [(answering[0], range(len(asked.rows)))]
    else:
        answered: dict[Route, list[int]] = {route: [] for route in answering}
        for position, identity in enumerate(asked.ids):
            answered[snapshot.routing.answers(identity)].append(position)
        shares = [(route, positions) for route, positions in answered.items() if positions]
    for route, positions in shares:
        version = snapshot.versions[route.version]
        came = asked.rows if len(shares) == 1 else [asked.rows[one] for one in positions]
        rows, columns, warnings = _read(snapshot, version, came, cleaned=cleaned)
        if asked.notes:
            warnings = [[*asked.notes.get(place, ()), *said] for place, said in zip(positions, warnings, strict=True)]
        yield _Group(
            version=version,
            route=route,
            positions=positions,
            came=came,
            rows=rows,
            columns=columns,
            warnings=warnings,
            cleaned=cleaned,
        )


def _read(
    snapshot: Snapshot, version: Loaded, came: Sequence[Row], *, cleaned: bool
) -> tuple[Sequence[Row], dict[str, _Array], list[list[str]]]:
    """The rows as the version's rules leave them, as its model takes them, and what is said of each."""
    rows = _fitting(snapshot, version, came)
    if version.cleaner is None or cleaned:
        return rows, *check_rows(rows, version.signature)
    rows, notes = version.cleaner.clean_all(rows)
    columns, warnings = check_rows(rows, version.signature)
    return rows, columns, [[*done, *said] for done, said in zip(notes, warnings, strict=True)]


def _fitting(snapshot: Snapshot, version: Loaded, rows: Sequence[Row]) -> Sequence[Row]:
    """The rows without columns that only other versions take; columns that nobody takes stay, to be refused."""
    if snapshot.is_uniform:
        return rows
    others = snapshot.columns - version.names
    return [{name: value for name, value in row.items() if name not in others} for row in rows]


def _pieces(group: _Group) -> Iterator[_Group]:
    if len(group.rows) <= PART_ROWS:
        yield group
        return
    for start in range(0, len(group.rows), PART_ROWS):
        piece = slice(start, start + PART_ROWS)
        yield _Group(
            version=group.version,
            route=group.route,
            positions=group.positions[piece],
            came=group.came[piece],
            rows=group.rows[piece],
            columns={name: values[piece] for name, values in group.columns.items()},
            warnings=group.warnings[piece],
            cleaned=group.cleaned,
        )


def _part(snapshot: Snapshot, asked: Asked, group: _Group, *, log_inputs: bool) -> Part:
    version = group.version
    scores = version.model.predict(group.columns)
    numbers: list[float] = scores.scores.tolist()
    _check_finite(numbers, group)
    probabilities: list[list[float]] = [] if scores.probabilities is None else scores.probabilities.tolist()
    ids = [asked.ids[position] for position in group.positions]
    shadows = {
        route.label: found
        for route in snapshot.routing.shadows
        if (found := _watched(snapshot, snapshot.versions[route.version], group, scores)) is not None
    }
    sent = asked.sent or asked.rows
    entries = Entries(
        at=asked.at,
        caller=asked.caller,
        generation=snapshot.generation,
        version=version.label,
        role=group.route.role,
        latency_ms=(perf_counter() - asked.began) * 1e3,
        ids=ids,
        labels=scores.labels,
        scores=numbers,
        probabilities=probabilities,
        shadows=shadows,
        warnings={position: said for position, said in enumerate(group.warnings) if said},
        inputs=version.inputs if log_inputs else _NO_INPUTS,
        columns=_logged(version, group) if log_inputs else [],
    )
    return Part(
        positions=group.positions,
        entries=entries,
        packed=pack(entries),
        replies=_replies(version, entries, group.warnings),
        digests=[zlib.crc32(_canonical(sent[position])) for position in group.positions],
    )


_NO_INPUTS = msgspec.Raw(msgspec.msgpack.encode([]))
_canonical = msgspec.json.Encoder(order="sorted").encode
"""A row as it came, whichever version answers it and in whichever order its columns stand."""


def _replies(version: Loaded, entries: Entries, warnings: Sequence[list[str]]) -> bytes:
    threshold = UNSET if version.signature.threshold is None else version.signature.threshold
    return encode(
        [
            Answer(
                id=entries.ids[row],
                label=label,
                score=entries.scores[row],
                probabilities=entries.probabilities[row] if entries.probabilities else UNSET,
                threshold=threshold,
                version=version.label,
                warnings=warnings[row],
            )
            for row, label in enumerate(entries.labels)
        ]
    )


def _check_finite(numbers: Sequence[float], group: _Group) -> None:
    for row, number in enumerate(numbers):
        if not math.isfinite(number):
            raise RequestError(
                f"Row {group.positions[row]} lies beyond what {group.version.label} can answer: its score is {number}.",
                status=422,
                field=f"rows[{group.positions[row]}]",
                allowed="values nearer to those that training saw",
            )


def _watched(snapshot: Snapshot, shadow: Loaded, group: _Group, scores: Scores) -> list[float | None] | None:
    """What a shadow says of the class that each row was answered for; `None` where it cannot read the rows, or fails.

    A shadow may take columns that callers do not send yet, and may not be as good as hoped; that must not hurt them.
    """
    if shadow is group.version:
        return _optional(scores)
    try:
        columns = group.columns
        if (shadow.inputs, shadow.rules) != (group.version.inputs, group.version.rules):
            _, columns, _ = _read(snapshot, shadow, group.came, cleaned=group.cleaned)
        watched = shadow.model.predict(columns)
    except RequestError:
        return None
    except Exception as error:  # noqa: BLE001 - a trial must not disturb those who do not know of it
        _tell_once(shadow.label, type(error).__name__)
        return None
    return scores_of_classes(watched, shadow.signature.classes, spoken_of(group.version, scores))


@lru_cache(maxsize=64)
def _tell_once(label: str, error: str) -> None:
    _log.error("the shadow %s fails: %s", label, error)


def spoken_of(version: Loaded, scores: Scores) -> list[str]:
    """The class that each score is the probability of; empty for a regression."""
    classes = version.signature.classes
    if len(classes) == 2:
        return [classes[1]] * len(scores.scores)
    return [str(label) for label in scores.labels] if classes else []


def scores_of_classes(scores: Scores, classes: Sequence[str], wanted: Sequence[str]) -> list[float | None]:
    """The probability of the wanted class of each row, `None` where the model does not know the class."""
    if not wanted or scores.probabilities is None:
        return _optional(scores)
    place = {name: column for column, name in enumerate(classes)}
    rows = scores.probabilities.tolist()
    return [row[place[name]] if name in place else None for row, name in zip(rows, wanted, strict=True)]


def _optional(scores: Scores) -> list[float | None]:
    numbers: list[float | None] = scores.scores.tolist()
    return numbers


def _logged(version: Loaded, group: _Group) -> list[bytes | list[str | None]]:
    return [
        [_text(row[one.name]) for row in group.rows] if one.type in _STRINGS else group.columns[one.name].tobytes()
        for one in version.signature.inputs
    ]


def _text(cell: Any) -> str | None:
    """A category or text as training reads it."""
    return cell if cell is None or type(cell) is str else str(cell).lower()
