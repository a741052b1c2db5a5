"""What may be shipped: messages are checked by whoever sends them, and again by whoever takes them."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

import msgspec

from heptad.core.errors import InputError
from heptad.core.records import Id, Scalar
from heptad.core.sql_values import body_text, to_columns, unpack_points
from heptad.core.sql_values import name as stored_name
from heptad.core.store import Segment
from heptad.experiments.files import checked_name
from heptad.experiments.journal.journal import check_names
from heptad.experiments.journal.messages import Points, RunBegin, RunUpdate
from heptad.experiments.logged import params_of

MOST_DIGESTS = 10_000
MOST_LINKS = 1000
LONGEST_NAME, LONGEST_TEXT = 500, 4 << 20
"""Characters of a name or a user, and of any other text."""
LAST_SECOND = 32_503_680_000.0
"""The year 3000."""
_ID = re.compile(r"run-[a-z2-7]{16}")
_TARGET = re.compile(r"[a-z_]{1,16}-[a-z0-9]{1,64}")
_ROLE = re.compile(r"[a-z_]{1,32}")
_KEY = re.compile(r"[\w:.\-]{0,100}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_FREE = ("params.", "metrics.", "tags.")
_STATUS = frozenset({"running", "finished", "failed", "killed"})


def check_begin(begin: RunBegin) -> None:
    """Refuse a run that cannot begin so; raises `InputError`."""
    body = begin.body
    check_run(begin.run)
    if not 1 <= len(body.experiment) <= LONGEST_NAME:
        refuse("name of the experiment", body.experiment, f"1 to {LONGEST_NAME} characters")
    if len(body.name) > LONGEST_NAME:
        refuse("name of the run", body.name, f"up to {LONGEST_NAME} characters")
    if body.study or body.number:
        refuse("study", body.study, "none: trials of a search are made where the search is")
    if not -(2**63) <= body.seed < 2**63:
        refuse("seed", str(body.seed), "a whole number of 64 bits")
    body_text(msgspec.to_builtins(body), "the run")
    for key, value in params_of(body).items():
        to_columns(stored_name(key, "attribute key"), value)
    check_seconds(begin.at)
    _check_links(begin.links)


def check_update(update: RunUpdate) -> None:
    """Refuse a change of what does not stand beside a run, or not so; raises `InputError`."""
    check_run(update.run)
    if not _KEY.fullmatch(update.key):
        refuse("key", update.key, "up to 100 letters, digits and . : - _")
    for key, value in update.attributes.items():
        _check_attribute(key, value)
    for path in update.files:
        checked_name(path)
    check_seconds(update.at)
    _check_links(update.links)


def check_run(run: Id) -> None:
    if not _ID.fullmatch(run):
        refuse("id of a run", run, "run- and 16 letters or digits")


def check_digest(digest: str) -> None:
    if not _DIGEST.fullmatch(digest):
        refuse("digest", digest, "64 hexadecimal digits")


def check_seconds(at: float) -> float:
    """The moment, unless it is none."""
    if not 0 <= at <= LAST_SECOND:
        refuse("time", str(at), "seconds since 1970, up to the year 3000")
    return at


def check_text(key: str, value: Scalar) -> None:
    """Refuse a text that is too long to be shipped."""
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise InputError(
            f"The text of {key[:80]!a} has {len(value):,} characters.",
            allowed=f"up to {LONGEST_TEXT:,}",
            remedy="attach it as a file",
        )


def segments_of(run: Id, points: Points) -> list[Segment]:
    """The points as the store takes them; raises `InputError`."""
    check_names(points.series)
    return [_segment(run, key, first, data) for key, (first, data) in points.series.items()]


def refuse(what: str, value: str, allowed: str) -> NoReturn:
    """Raise the `InputError` for a value."""
    raise InputError(f"The {what} is {value[:80]!a}.", allowed=allowed)


def _check_links(links: Sequence[tuple[str, Id]]) -> None:
    if len(links) > MOST_LINKS:
        refuse("number of links", str(len(links)), f"up to {MOST_LINKS:,}")
    for role, target in links:
        if not _ROLE.fullmatch(role) or not _TARGET.fullmatch(target) or role == "study":
            refuse("link", f"{role} {target}", "a role such as data or parent, and the id of a record")


def _check_attribute(key: str, value: Scalar) -> None:
    """Refuse what does not stand beside a run, or not so."""
    stored_name(key, "attribute key")
    if value is not None:
        to_columns(key, value)
    check_text(key, value)
    if key.startswith(_FREE):
        return
    check = _OTHERS.get(key)
    if check is None:
        refuse("attribute", key, f"{', '.join(sorted(_OTHERS))}, {', '.join(f'{one}NAME' for one in _FREE)}")
    if not check(value):
        refuse(f"value of {key!r}", str(value), "what the run's own process would write")


def _is_text(value: Scalar) -> bool:
    return value is None or isinstance(value, str)


def _is_count(value: Scalar) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and value >= 0


_OTHERS: Mapping[str, Callable[[Scalar], bool]] = {
    "ended": lambda value: value is None or (_is_count(value) and float(str(value)) <= LAST_SECOND),
    "lost": _is_count,
    "note": _is_text,
    "reason": _is_text,
    "status": lambda value: isinstance(value, str) and value in _STATUS,
}


def _segment(run: Id, key: str, first: int, data: bytes) -> Segment:
    if first < 0 or len(data) % 24 or not data:
        refuse(f"series {key[:80]!a} of", f"{len(data)} bytes from {first}", "24 bytes a point, from index 0 on")
    steps, values, times = unpack_points(data)
    check_seconds(min(times))
    check_seconds(max(times))
    if any(map(math.isnan, times)):
        check_seconds(math.nan)
    return Segment(record=run, key=key, first=first, steps=steps, values=values, times=times)
