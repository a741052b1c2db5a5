"""Runs as the handlers find them: by id, active or not."""

import re
from collections.abc import Sequence

from heptad.api.mlflow.errors import invalid, missing
from heptad.api.mlflow.protocol import Context, is_deleted
from heptad.core.errors import NotFoundError, UnavailableError
from heptad.core.records import RawRecord
from heptad.experiments import Run

ATTEMPTS = 200
"""How often a call reads, decides and writes again where others change the same run; each time one of them is done."""
_ID = re.compile(r"[a-zA-Z0-9][\w\-]{0,255}")


def run_named(context: Context, identity: str, attributes: Sequence[str] | None = None) -> RawRecord:
    """The run of that id with some attributes (`None`: all); raises `ProtocolError`."""
    if not identity:
        raise invalid("Missing value for required parameter 'run_id'.")
    unknown = missing("run", f"id {identity[:300]!r}")
    if not _ID.fullmatch(identity):
        raise unknown
    try:
        (record,) = context.workspace.store.get([identity], attributes)
    except NotFoundError:
        raise unknown from None
    if record.kind != Run.kind:
        raise unknown
    return record


def active_run(record: RawRecord) -> RawRecord:
    """The run, unless it is deleted."""
    if is_deleted(record):
        raise invalid(f"The run {record.id} must be in the 'active' state. Current state is deleted.")
    return record


def overtaken(run: str) -> UnavailableError:
    return UnavailableError(f"Others changed the run {run} {ATTEMPTS} times while this call was at work.")
