"""Why a task ran again: what was different from the last time."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from heptad.core.errors import NotFoundError
from heptad.core.flow_cache import KeyParts, TaskResult, newest_results, scope_of
from heptad.core.query import Query
from heptad.core.records import Id, RawRecord
from heptad.core.workspace import Workspace

Part: TypeAlias = Literal["code", "parameter", "input", "python"]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a step's key, before and after; empty where it was not there."""

    part: Part
    name: str
    before: str
    after: str
    reason: "Reason | None" = None
    """For an input that is another task's result: why that one changed."""

    def __str__(self) -> str:
        if self.part == "code":
            verb = "is new" if not self.before else "is no longer used" if not self.after else "changed"
            return f"the code of {self.name} {verb}"
        if self.part == "parameter":
            return f"the parameter {self.name} was {self.before or 'absent'} and is {self.after or 'absent'}"
        if self.part == "python":
            return f"Python was {self.before} and is {self.after}"
        return f"the input {self.name} changed"


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why the newest result of a task was computed, compared with the result before it."""

    task: str
    """`flow/task`."""
    result: Id
    before: Id | None
    """`None`: it ran for the first time."""
    differences: list[Difference]

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.task} ran for the first time."
        if not self.differences:
            return f"{self.task} ran again though nothing had changed: its stored result was damaged or gone."
        return f"{self.task} ran again: {'; '.join(map(str, self.differences))}."


def why(workspace: Workspace, ref: str) -> Reason:
    """Explain the newest result of `flow/task`, or the result with that id; raises `NotFoundError`.

    Where an input changed that is the result of another task, its reason is inside, and so on back to the cause.
    """
    if "/" not in ref:
        (record,) = workspace.store.get([ref])
        if record.kind != TaskResult.kind:
            raise NotFoundError("result of a task", ref, remedy=f"{ref} is a {record.kind}.")
        return _explain(workspace, record, _before(workspace, record))
    flow, _, task = ref.rpartition("/")
    newest = newest_results(workspace, flow, task, 2)
    if not newest:
        raise NotFoundError("result of a task", ref, _known(workspace, flow))
    records = [record for record, _ in newest]
    return _explain(workspace, records[0], records[1] if len(records) > 1 else None)


def _known(workspace: Workspace, flow: str) -> set[str]:
    query = Query(kind=TaskResult.kind, scopes=[scope_of(flow)], attributes=("task",))
    return {f"{flow}/{one.attributes['task']}" for one in workspace.store.find(query, limit=1000).items}


def _before(workspace: Workspace, record: RawRecord) -> RawRecord | None:
    """The newest result of the same task that is older than this one."""
    result = _result(record)
    older = [one for one, _ in newest_results(workspace, result.flow, result.task, 1000)]
    ids = [one.id for one in older]
    behind = older[ids.index(record.id) + 1 :] if record.id in ids else []
    return behind[0] if behind else None


def _explain(workspace: Workspace, record: RawRecord, before: RawRecord | None) -> Reason:
    new = _result(record)
    name = f"{new.flow}/{new.task}"
    if before is None:
        return Reason(task=name, result=record.id, before=None, differences=[])
    old = _result(before)
    differences = [
        _with_reason(workspace, one, old.sources.get(one.name), new.sources.get(one.name))
        for one in differences_of(old.parts, new.parts)
    ]
    return Reason(task=name, result=record.id, before=before.id, differences=differences)


def _with_reason(workspace: Workspace, one: Difference, before: Id | None, after: Id | None) -> Difference:
    if one.part != "input" or before is None or after is None:
        return one
    old, new = workspace.store.get([before, after])
    return msgspec.structs.replace(one, reason=_explain(workspace, new, old))


def differences_of(before: KeyParts, after: KeyParts) -> list[Difference]:
    """The parts of a key that differ, code first."""
    kinds: list[tuple[Part, Mapping[str, str], Mapping[str, str]]] = [
        ("code", before.code, after.code),
        ("parameter", before.parameters, after.parameters),
        ("input", before.inputs, after.inputs),
        ("python", {"python": before.python}, {"python": after.python}),
    ]
    return [
        Difference(part=part, name=name, before=old.get(name, ""), after=new.get(name, ""))
        for part, old, new in kinds
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def _result(record: RawRecord) -> TaskResult:
    return msgspec.convert(record.body, TaskResult)
