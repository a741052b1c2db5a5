"""Results of tasks in the store: what identifies one, how it is found again, and what was different before."""

import sys
import time
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from heptad.core.code_digest import CodeReader
from heptad.core.errors import InputError, IntegrityError, NotFoundError
from heptad.core.flow_plan import Plan, Task
from heptad.core.flow_values import Packed, Value, pack
from heptad.core.query import Compare, Query, equals
from heptad.core.records import Body, Id, RawRecord, canonical_json, derived_id, digest_of
from heptad.core.workspace import Workspace

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


MOST_NEWEST = 1000
"""So many results are read at once when a run starts; for small flows fewer."""


class KeyParts(msgspec.Struct, frozen=True, kw_only=True):
    """What a step's key is made of; where one of these differs, the step is another."""

    code: dict[str, str]
    """Function, class or data of the project to its digest."""
    parameters: dict[str, str]
    """Default values that are in force; long ones by digest."""
    inputs: dict[str, str]
    """Digests of the contents."""
    python: str = PYTHON
    """Bytecode is compared, and it belongs to a version of Python."""


class TaskResult(Body, frozen=True, kw_only=True):
    """What a task answered, and for what; scope `flow:NAME`, attributes `task` and `key`."""

    kind = "task_result"
    prefix = "task"

    flow: str
    task: str
    key: str
    parts: KeyParts
    sources: dict[str, Id]
    """Parameter to the result of the task that it was taken from."""
    value: Any
    """The tree of the value, see `flow_values`."""
    digest: str
    artifacts: list[str]
    seconds: float
    tries: int


def scope_of(flow: str) -> str:
    return f"flow:{flow}"


class Keys:
    """The keys of a plan's steps: code and parameters are read once, at the start."""

    def __init__(self, plan: Plan, inputs: Mapping[str, Value]) -> None:
        reader = CodeReader()
        self._fixed = {name: _fixed_parts(reader, task) for name, task in plan.tasks.items()}
        self._claims: dict[str, str] = {name: value.digest for name, value in inputs.items()}
        for name, task in plan.tasks.items():
            needs = {need: self._claims[need] for need in task.needs}
            self._claims[name] = digest_of(canonical_json([name, *self._fixed[name], needs]))

    def claim(self, task: str) -> str:
        """Names the step before its inputs are known: by the code of all tasks before it and the flow's inputs."""
        return f"{task}:{self._claims[task]}"

    def parts(self, task: Task, values: Mapping[str, Value]) -> KeyParts:
        code, parameters = self._fixed[task.name]
        return KeyParts(code=code, parameters=parameters, inputs={need: values[need].digest for need in task.needs})


def _fixed_parts(reader: CodeReader, task: Task) -> tuple[dict[str, str], dict[str, str]]:
    parameters: dict[str, str] = {}
    for name, default in task.defaults.items():
        try:
            packed = pack(default)
        except InputError:
            # A function or an object: it stays among the code.
            continue
        parameters[name] = str(Value(packed, _nowhere))
    return reader.parts(task.function, without=[*parameters, *task.needs]), parameters


def _nowhere(digest: str) -> bytes:
    raise NotFoundError("artifact", digest)


def key_of(parts: KeyParts) -> str:
    """The key of a step: equal parts have equal keys, in every process."""
    return digest_of(canonical_json(parts))


def result_id(result: TaskResult) -> Id:
    """The same answer to the same step is the same record, whoever writes it."""
    return derived_id(TaskResult.prefix, result.flow, result.task, result.key, result.digest)


class Cache:
    """Earlier results of one flow: the newest page is read at once, older ones where they are asked for."""

    def __init__(self, workspace: Workspace, flow: str, tasks: int) -> None:
        self._workspace = workspace
        self._scope = scope_of(flow)
        self._size = min(MOST_NEWEST, 4 * tasks)
        self._newest: dict[tuple[str, str], tuple[Id, TaskResult]] = {}
        self._is_whole = False
        self.refresh()

    def refresh(self) -> None:
        """Read the newest results again, with those that other processes wrote meanwhile."""
        query = Query(kind=TaskResult.kind, scopes=[self._scope], attributes=())
        page = self._workspace.store.find(query, limit=self._size)
        self._newest = {}
        self._remember(page.items)
        self._is_whole = page.after is None

    def find(self, keys: Mapping[str, str]) -> dict[str, tuple[Id, TaskResult]]:
        """Task to its newest whole result, of the tasks with these keys."""
        missing = [key for task, key in keys.items() if (task, key) not in self._newest]
        if missing and not self._is_whole:
            self._look_up(missing)
        found = {task: self._newest[task, key] for task, key in keys.items() if (task, key) in self._newest}
        return {task: one for task, one in found.items() if self._is_stored(one[1].artifacts)}

    def value(self, result: TaskResult) -> Value:
        return Value(Packed(result.value, result.digest, {}), self.fetch, is_stored=True)

    def fetch(self, digest: str) -> bytes:
        """An artifact of a result; a damaged one is removed, so that its task is run again."""
        began = time.monotonic()
        try:
            return self._workspace.blobs.get(digest)
        except IntegrityError:
            # Unless it was put again meanwhile: then it is whole.
            self._workspace.blobs.delete([digest], timedelta(seconds=time.monotonic() - began))
            raise

    def _look_up(self, keys: Collection[str]) -> None:
        condition = Compare("key", "in", sorted(keys))
        query = Query(kind=TaskResult.kind, scopes=[self._scope], where=condition, attributes=())
        self._remember(self._workspace.store.find(query, limit=10 * len(keys)).items)

    def _remember(self, records: Collection[RawRecord]) -> None:
        for record in records:
            result = msgspec.convert(record.body, TaskResult)
            self._newest.setdefault((result.task, result.key), (record.id, result))

    def _is_stored(self, artifacts: Collection[str]) -> bool:
        try:
            return all(self._workspace.blobs.size(digest) >= 0 for digest in artifacts)
        except NotFoundError:
            return False


def newest_results(workspace: Workspace, flow: str, task: str, count: int) -> list[tuple[RawRecord, TaskResult]]:
    """The results of one task, the newest first."""
    query = Query(kind=TaskResult.kind, scopes=[scope_of(flow)], where=equals(task=task), attributes=())
    found = workspace.store.find(query, limit=count).items
    return [(record, msgspec.convert(record.body, TaskResult)) for record in found]
