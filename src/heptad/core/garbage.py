"""Artifacts that no record mentions: found by reading the records, removed when they are old enough."""

import re
from datetime import timedelta

import msgspec

from heptad.core.graph import every_record
from heptad.core.records import RawRecord, canonical_json
from heptad.core.workspace import Workspace

SPARED = timedelta(days=1)
"""How long an artifact waits for its record: one that was put more recently may belong to an act that is not done."""
DROPPED = "dropped"
"""Attribute of a record: digests that it names and needs no more, spaces between them."""
_DIGEST = re.compile(rb"(?=([0-9a-f]{64}))")
"""At any place, since other hexadecimal digits may stand right beside a digest."""


class Garbage(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, or removed."""

    digests: list[str]
    bytes: int


def unreferenced(workspace: Workspace, older_than: timedelta = SPARED) -> list[str]:
    """Digests of artifacts that are old enough and that no record mentions in its body or its attributes.

    Artifacts are listed before the records are read: whoever puts an artifact and writes its record within the time
    that is spared loses nothing, whatever happens meanwhile. A digest that is named only inside of another artifact
    does not count: records name all that they need.
    """
    candidates = set(workspace.blobs.digests(older_than))
    for record in every_record(workspace):
        if not candidates:
            break
        candidates -= _mentioned(record)
    return sorted(candidates)


def collect_garbage(workspace: Workspace, *, dry_run: bool = False, older_than: timedelta = SPARED) -> Garbage:
    """Remove what `unreferenced` finds and answer what it was; with `dry_run` only answer it.

    What is put again while this runs stays.
    """
    digests = unreferenced(workspace, older_than)
    if dry_run:
        return Garbage(digests=digests, bytes=sum(workspace.blobs.size(digest) for digest in digests))
    return Garbage(digests=digests, bytes=workspace.blobs.delete(digests, older_than))


def _mentioned(record: RawRecord) -> set[str]:
    text = canonical_json((record.body, record.attributes))
    dropped = str(record.attributes.get(DROPPED, "")).split()
    return {found.decode("ascii") for found in _DIGEST.findall(text)}.difference(dropped)
