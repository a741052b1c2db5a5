"""The registry of feature views: what is in force, what was, who uses what; every change is one transaction."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from heptad.core import graph
from heptad.core.errors import ConflictError, NotFoundError, RefusedError, UnavailableError
from heptad.core.identity import current_actor
from heptad.core.query import Query, equals
from heptad.core.records import (
    AliasMove,
    Attribute,
    Change,
    Id,
    NewEvent,
    RawRecord,
    Record,
    derived_id,
    digest_of,
)
from heptad.core.workspace import Workspace
from heptad.data.features.definitions import Difference, define, differences
from heptad.data.features.joins import Values
from heptad.data.features.records import FeatureView
from heptad.data.features.views import View

Action: TypeAlias = Literal["add", "change", "remove", "keep"]

APPLIED, REMOVED = "data.feature_view_applied", "data.feature_view_removed"
ATTEMPTS = 5
_STATE = "registry"
"""Alias of the definition that was applied last; its version counts how often the registry was changed."""
_RECORDED = "recorded"
"""Alias of a view's newest definition; its version is the number of that."""
_MOST = 10_000


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was made with a feature: a data set, a candidate, a model version, a deployment."""

    kind: str
    id: Id
    label: str
    is_live: bool
    """It may answer now, or be made to: a registered model version, or the deployment in force."""


class ViewChange(msgspec.Struct, frozen=True, kw_only=True):
    """What applying would do to one view."""

    name: str
    action: Action
    before: Id = ""
    after: FeatureView | None = None
    differences: list[Difference] = []
    remakes_rows: bool = False
    """Whether its rows in the online store have to be made anew."""
    users: list[User] = []
    """Who uses the definition that would go; looked up for views that change or are removed."""

    def live_users(self) -> list[User]:
        return [user for user in self.users if user.is_live]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What applying would change, and the state of the registry that this was found against."""

    changes: list[ViewChange]
    state: int

    def to_do(self) -> list[ViewChange]:
        return [change for change in self.changes if change.action != "keep"]


class Registry:
    """The feature views of one project. Nothing is ever forgotten: what is no longer in force stays as a record."""

    def __init__(self, workspace: Workspace, project: str) -> None:
        self._workspace = workspace
        self._project = project

    def in_force(self) -> dict[str, Record[FeatureView]]:
        """The definitions that were applied last, by name."""
        query = Query(kind=FeatureView.kind, scopes=[self._project], where=equals(applied=True))
        found = graph.find(self._workspace, FeatureView, query, _MOST)
        return {record.body.name: record for record in sorted(found, key=lambda one: one.body.name)}

    def log(self, name: str) -> list[Record[FeatureView]]:
        """All definitions that a view ever had, newest first; raises `NotFoundError`."""
        query = Query(kind=FeatureView.kind, scopes=[self._project], where=equals(name=name))
        found = graph.find(self._workspace, FeatureView, query, _MOST)
        if not found:
            raise NotFoundError("feature view", name, sorted({one.name for one in self.definitions()}))
        return found

    def definitions(self) -> list[FeatureView]:
        """All definitions that all views ever had."""
        query = Query(kind=FeatureView.kind, scopes=[self._project])
        return [record.body for record in graph.find(self._workspace, FeatureView, query, _MOST)]

    def users(self, name: str) -> list[User]:
        """Everything that was made with any definition of a view, along the links of the graph."""
        return self._users([record.id for record in self.log(name)])

    def plan(self, desired: Mapping[str, FeatureView]) -> Plan:
        """What would change if these definitions were in force and no others; changes nothing."""
        state = self._state()
        before = self.in_force()
        changes = [self._change(name, before.get(name), desired.get(name)) for name in sorted({*before, *desired})]
        return Plan(changes=changes, state=state)

    def apply(self, plan: Plan, reason: str = "") -> list[Record[FeatureView]]:
        """Put a plan into force, whole or not at all; answers what is in force then.

        Raises `RefusedError` where a view that is in use would go and no reason is given, `ConflictError` where
        somebody changed the registry since the plan was made. Done again it changes nothing.
        """
        self._refuse(plan, reason)
        if plan.to_do():
            try:
                self._workspace.store.write(self._transaction(plan, reason))
            except ConflictError as error:
                raise ConflictError(
                    "Somebody else changed the feature views since this plan was made.",
                    remedy="look at the difference again: heptad data features apply",
                ) from error
        return list(self.in_force().values())

    def record_used(self, values: Sequence[Values], root: Path | None = None) -> list[Id]:
        """The records of definitions that a table is made with, so that it can be linked to them.

        A definition that nobody applied is recorded too: that says what was used, not what is in force.
        """
        bodies = [define(View(one.name, one.settings, time=one.time, root=root), one.rows) for one in values]
        return [self._recorded(body) for body in bodies]

    def _recorded(self, body: FeatureView) -> Id:
        for _ in range(ATTEMPTS):
            if self._is_recorded(body):
                return self._id(body)
            record, moves, attributes = self._new(body)
            try:
                self._workspace.store.write(
                    Change(
                        records=[record],
                        attributes=attributes,
                        aliases=moves,
                        events=[
                            NewEvent(kind="data.feature_view_recorded", subject=record.id, body={"name": body.name})
                        ],
                        key=f"record:{record.id}",
                        at=self._workspace.clock.now(),
                        actor=current_actor(),
                    )
                )
            except ConflictError:
                continue  # another definition of this view got the number first
            return record.id
        raise UnavailableError(f"Others kept recording definitions of {body.name} first.", remedy="do it again")

    def _transaction(self, plan: Plan, reason: str) -> Change:
        records: list[RawRecord] = []
        attributes: list[Attribute] = []
        moves: list[AliasMove] = []
        events: list[NewEvent] = []
        for change in plan.to_do():
            if change.before:
                attributes.append(Attribute(change.before, "applied", None))
            if change.after is None:
                events.append(NewEvent(kind=REMOVED, subject=change.before, body=_told(change, reason)))
                continue
            identity = self._id(change.after)
            if not self._is_recorded(change.after):
                record, more, named = self._new(change.after)
                records.append(record)
                moves += more
                attributes += named
            attributes.append(Attribute(identity, "applied", value=True))
            events.append(NewEvent(kind=APPLIED, subject=identity, body=_told(change, reason)))
        last = next(event.subject for event in reversed(events))
        moves.append(AliasMove(scope=self._scope(), name=_STATE, target=last, expected=plan.state))
        return Change(
            records=records,
            attributes=attributes,
            aliases=moves,
            events=events,
            key=f"features:{self._project}:{plan.state}:{digest_of(msgspec.json.encode(plan))}",
            at=self._workspace.clock.now(),
            actor=current_actor(),
        )

    def _new(self, body: FeatureView) -> tuple[RawRecord, list[AliasMove], list[Attribute]]:
        """The record of a definition with the next number, and what goes with it."""
        newest = graph.find_alias(self._workspace, self._scope(body.name), _RECORDED, FeatureView)
        taken = newest.aliases[_RECORDED] if newest else 0
        numbered = msgspec.structs.replace(body, version=taken + 1)
        record: RawRecord = Record(
            id=self._id(body),
            kind=FeatureView.kind,
            scope=self._project,
            at=self._workspace.clock.now(),
            actor=current_actor(),
            body=msgspec.to_builtins(numbered, str_keys=True),
        )
        attributes = [Attribute(record.id, "name", body.name), Attribute(record.id, "version", taken + 1)]
        move = AliasMove(scope=self._scope(body.name), name=_RECORDED, target=record.id, expected=taken)
        return record, [move], attributes

    def _id(self, body: FeatureView) -> Id:
        """Equal definitions are one record, however often they come back."""
        plain = msgspec.structs.replace(body, version=0)
        return derived_id(FeatureView.prefix, self._project, msgspec.to_builtins(plain, str_keys=True))

    def _is_recorded(self, body: FeatureView) -> bool:
        try:
            self._workspace.store.get([self._id(body)])
        except NotFoundError:
            return False
        return True

    def _scope(self, name: str = "") -> str:
        return f"feature:{self._project}:{name}" if name else f"features:{self._project}"

    def _state(self) -> int:
        last = graph.find_alias(self._workspace, self._scope(), _STATE, FeatureView)
        return last.aliases[_STATE] if last else 0

    def _change(self, name: str, before: Record[FeatureView] | None, after: FeatureView | None) -> ViewChange:
        if before is None:
            return ViewChange(name=name, action="add", after=after, remakes_rows=True)
        if after is None:
            return ViewChange(name=name, action="remove", before=before.id, users=self.users(name))
        if before.id == self._id(after):
            return ViewChange(name=name, action="keep", before=before.id, after=after)
        return ViewChange(
            name=name,
            action="change",
            before=before.id,
            after=after,
            differences=differences(before.body, after),
            remakes_rows=before.body.behaviour != after.behaviour,
            users=self._users([before.id]),
        )

    def _users(self, definitions: Sequence[Id]) -> list[User]:
        found: dict[Id, User] = {}
        reached: Sequence[Id] = definitions
        for roles in (["feature"], ["data"], ["candidate"], []):
            sources = [link.source for link in self._workspace.store.trace(reached, "in", roles)] if reached else []
            records = self._workspace.store.get(list(dict.fromkeys(sources)))
            kept = [record for record in records if record.kind in _LABELS]
            found |= {record.id: _user(record) for record in kept}
            reached = [record.id for record in kept]
        return list(found.values())

    def _refuse(self, plan: Plan, reason: str) -> None:
        used = {change.name: change.live_users() for change in plan.to_do() if change.action == "remove"}
        used = {name: users for name, users in used.items() if users}
        if not used or reason.strip():
            return
        listed = "; ".join(f"{name} by {', '.join(user.label for user in users)}" for name, users in used.items())
        raise RefusedError(
            f"Feature views that would be removed are in use: {listed}.",
            remedy="keep them, retire those models first, or say why it is right all the same with --reason",
        )


_LABELS = {"dataset_version", "candidate", "model_version", "deployment"}


def _user(record: RawRecord) -> User:
    body = record.body
    if record.kind == "deployment":
        label, is_live = f"{body['endpoint']} generation {body['generation']}", "current" in record.aliases
    else:
        label = f"{body['name']}@{body['version']}" if "version" in body else record.id
        is_live = record.kind == "model_version" and record.attributes.get("status") == "registered"
    return User(kind=record.kind, id=record.id, label=f"{record.kind} {label}", is_live=is_live)


def _told(change: ViewChange, reason: str) -> dict[str, Any]:
    told = {"name": change.name, "action": change.action, "reason": reason}
    if change.live_users():
        told["in_use_by"] = ", ".join(user.label for user in change.live_users())
    return told
