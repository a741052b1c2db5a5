"""Why a run that has not ended still counts as a reader of its data: as far as the workspace can tell, it goes on."""

from datetime import UTC, datetime, timedelta

from heptad.core.records import RawRecord
from heptad.core.workspace import Workspace
from heptad.experiments import is_logged_to

SILENCE = timedelta(days=30)
"""A run that nothing was heard of for so long is over, whatever it was."""


def why_going_on(workspace: Workspace, run: RawRecord) -> str:
    """Why a run counts, in words, and how to let go of it; empty where its process is gone, or it was silent too long.

    A process of this machine that logs to it holds a journal. One that logs from elsewhere, to the server or the store
    alone, is believed as long as something is heard of it.
    """
    logged_to = is_logged_to(workspace, run.id)
    if logged_to:
        return "has not ended: a process logs to it"
    if logged_to is False:
        return ""
    heard = _last_heard(run)
    if workspace.clock.now() - heard > SILENCE:
        return ""
    until = heard + SILENCE
    return (
        f"has not ended, and was heard of on {heard:%Y-%m-%d}: it counts until {until:%Y-%m-%d}, "
        f"or until heptad experiments end {run.id}"
    )


def _last_heard(run: RawRecord) -> datetime:
    """When it began, or when its newest metric was logged, where a server has kept that."""
    logged = [
        float(str(value).partition(" ")[2]) / 1000
        for name, value in run.attributes.items()
        if name.startswith("latest.") and " " in str(value)
    ]
    return max(run.at, datetime.fromtimestamp(max(logged, default=0.0), UTC))
