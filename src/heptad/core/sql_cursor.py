"""The cursor that says where a page of a search ended."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import msgspec

from heptad.core.errors import InputError
from heptad.core.query import Cursor, Query
from heptad.core.records import canonical_json, digest_of


def to_cursor(query: Query, phase: int, values: Sequence[Any]) -> Cursor:
    """The cursor behind the row with these values, in that part of the order."""
    return base64.urlsafe_b64encode(msgspec.msgpack.encode((_fingerprint(query), phase, list(values)))).decode()


def from_cursor(query: Query, after: Cursor) -> tuple[int, list[Any]]:
    """What `to_cursor` was given; raises `InputError` for what is no cursor of this search."""
    try:
        packed = base64.urlsafe_b64decode(after.encode())
        fingerprint, phase, values = msgspec.msgpack.decode(packed, type=tuple[str, int, list[Any]])
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise InputError(f"{after[:40]!r} is no cursor.", allowed="the `after` of the page before") from error
    if fingerprint != _fingerprint(query):
        raise InputError("The cursor belongs to another search.", allowed="the cursor of a page of the same query")
    return phase, values


def no_page_ends_at(after: Cursor) -> InputError:
    """For a cursor that somebody made up: it comes from a client."""
    return InputError(f"No page ended where the cursor {after[:40]!r} says.", allowed="the `after` of a page")


def _fingerprint(query: Query) -> str:
    asked = (query.kind, query.scopes, query.where, query.order)
    return digest_of(canonical_json(asked))[:16]
