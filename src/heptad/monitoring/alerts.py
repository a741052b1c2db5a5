"""Alerts with an identity: what begins is raised once, what goes on keeps its name, what ends may begin again."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from heptad.core.records import Id, derived_id
from heptad.monitoring.records import Alert, AlertKind


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at in a window: `holds` says whether it is bad, `None` that it could not be judged.

    `sentence` says what is the matter without its end, which is the time since when.
    """

    kind: AlertKind
    column: str = ""
    holds: bool | None
    value: float = 0.0
    limit: float = 0.0
    start: datetime
    """Start of the window that was looked at."""
    sentence: str = ""


class Alerts(msgspec.Struct, frozen=True, kw_only=True):
    """What a report raises, and what it found still going on."""

    raised: list[Alert]
    ongoing: list[Alert]

    def since(self, kind: AlertKind, column: str) -> datetime | None:
        """When the alert of a kind about a column began that holds now; `None` where there is none."""
        found = (alert for alert in (*self.raised, *self.ongoing) if (alert.kind, alert.column) == (kind, column))
        return next((alert.since for alert in found if not alert.over), None)


def advance(active: Sequence[Alert], conditions: Sequence[Condition], endpoint: str, reference: Id) -> Alerts:
    """The alerts after a window, from those that were active before it and the conditions found in it.

    A condition that holds and was not active is raised, with an id that endpoint, kind, column, reference version
    and start determine: the same trouble found again, for example after a crash, has the same id. One that was
    active goes on under its id with its new figures. One that does not hold ends. One that could not be judged stays
    as it was. Conditions of a kind and column may appear several times, in order of time, where labels of several
    windows landed together; what was raised by one of them and ended by a later one is over. The caller gives no
    active alerts where the reference version has changed: a new champion starts afresh.
    """
    state = {(alert.kind, alert.column): alert for alert in active}
    known = {alert.id for alert in active}
    raised: dict[Id, Alert] = {}
    for condition in conditions:
        key = (condition.kind, condition.column)
        if condition.holds is None:
            continue
        if not condition.holds:
            state.pop(key, None)
            continue
        before = state.get(key)
        alert = _alert(condition, before.since if before else condition.start, endpoint, reference)
        state[key] = alert
        if alert.id not in known:
            raised[alert.id] = alert
    holding = {alert.id for alert in state.values()}
    return Alerts(
        raised=[msgspec.structs.replace(alert, over=alert.id not in holding) for alert in raised.values()],
        ongoing=[alert for alert in state.values() if alert.id in known],
    )


def _alert(condition: Condition, since: datetime, endpoint: str, reference: Id) -> Alert:
    return Alert(
        id=derived_id("alert", endpoint, condition.kind, condition.column, since, reference),
        kind=condition.kind,
        column=condition.column,
        value=condition.value,
        limit=condition.limit,
        since=since,
        sentence=f"{condition.sentence}, since {since:%Y-%m-%d}.",
    )
