"""One run of a flow: what is ready runs, what is known is read, what fails is tried again or ends the run."""

import heapq
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

from heptad.core.errors import HeptadError, IntegrityError, NotFoundError, Retryable, TaskError
from heptad.core.executors import shares_memory
from heptad.core.flow_attempt import Call, Outcome, attempt
from heptad.core.flow_cache import Cache, Keys, TaskResult, key_of, result_id, scope_of
from heptad.core.flow_claims import Claims
from heptad.core.flow_ledger import Entry, Ledger
from heptad.core.flow_plan import Plan, Task
from heptad.core.flow_values import Value
from heptad.core.identity import current_actor
from heptad.core.records import Id
from heptad.core.workspace import Workspace

FIRST_LOOK, LAST_LOOK = 0.05, 0.5
"""Seconds between two looks at a step that another process computes; the pause grows from the one to the other."""


class FlowEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to a task; `waiting`: another process computes it; `retried`: it will be, after a pause."""

    kind: Literal["started", "cached", "finished", "failed", "retried", "waiting"]
    task: str
    seconds: float = 0.0
    """How long it took; for a cached result, when it was computed."""
    detail: str = ""
    """The error, where there was one."""


OnEvent: TypeAlias = Callable[[FlowEvent], None]


class Try(NamedTuple):
    """A task that is running, or will be, how often it was tried with this time, and what it was given."""

    task: Task
    number: int
    given: Mapping[str, Value] = {}


class Look(NamedTuple):
    """When to look next whether another process has finished a step, and the pause after that."""

    due: float
    pause: float


class Run:
    """The state of one run; everything but the tasks themselves happens in the thread that calls `execute`."""

    def __init__(
        self,
        flow: str,
        plan: Plan,
        inputs: Mapping[str, Value],
        *,
        workspace: Workspace,
        executor: Executor,
        on_event: OnEvent,
    ) -> None:
        self.values: dict[str, Value] = dict(inputs)
        self.ids: dict[str, Id] = {}
        """Task to the record of its result, of tasks that are cached."""
        self._flow = flow
        self._plan = plan
        self._keys = Keys(plan, inputs)
        self._actor = current_actor()
        self._cache = Cache(workspace, flow, len(plan.tasks))
        self._claims = Claims(workspace.store, scope_of(flow))
        self._ledger = Ledger(workspace, self._claims, self._actor)
        self._executor = executor
        self._tell = on_event
        self._ready = [name for name, task in plan.tasks.items() if set(task.needs) <= self.values.keys()]
        self._running: dict[Future[Outcome], Try] = {}
        self._delayed: list[tuple[float, str, Try]] = []
        self._elsewhere: dict[str, Look] = {}
        self._started: set[str] = set()
        self._damaged: set[str] = set()
        self._failures: dict[str, TaskError] = {}
        self._has_claimed = False

    def execute(self) -> None:
        """Run until all values are there and durable; raises `TaskError` when what was running has ended."""
        try:
            self._start_ready()
            while self._running or self._delayed or self._elsewhere:
                self._wait()
                self._start_ready()
        finally:
            for future in self._running:
                future.cancel()
            self._ledger.close()
        if self._failures:
            first, *others = [self._failures[name] for name in self._plan.tasks if name in self._failures]
            for other in others:
                first.add_note(str(other))
            raise first
        for task in self._plan.tasks.values():
            if task.options.cache:
                self.values[task.name].forget()

    def _start_ready(self) -> None:
        """Take cached values as far as they reach, and start what has to run."""
        while self._ready and not self._failures:
            batch = [self._plan.tasks[name] for name in dict.fromkeys(self._ready)]
            self._ready = []
            missing = self._take_cached(batch)
            if not self._has_claimed and any(task.options.cache for task in missing):
                self._claim_all()
                # Another process may have finished one between the look and the claim.
                missing = self._take_cached(missing)
            for task in missing:
                if self._failures:
                    return
                if task.options.cache and not self._claim(task):
                    self._leave(task)
                elif task.name not in self.values:
                    self._elsewhere.pop(task.name, None)
                    self._start(Try(task, 1))

    def _take_cached(self, tasks: list[Task]) -> list[Task]:
        """Give tasks whose results are stored their values; answers the others."""
        able = [task for task in tasks if task.options.cache and task.name not in self._damaged]
        keys = {task.name: key_of(self._keys.parts(task, self.values)) for task in able}
        found = self._cache.find(keys)
        for name, (identity, result) in found.items():
            self._elsewhere.pop(name, None)
            self._tell(FlowEvent(kind="cached", task=name, seconds=result.seconds))
            self._settle(self._plan.tasks[name], self._cache.value(result), identity)
        return [task for task in tasks if task.name not in found]

    def _claim_all(self) -> None:
        """Claim every step that has no value yet, in one transaction; where one is taken, each is claimed in turn."""
        self._has_claimed = True
        self._ledger.start()
        steps = [name for name, task in self._plan.tasks.items() if task.options.cache and name not in self.values]
        self._claims.take_all([self._keys.claim(name) for name in steps])
        self._cache.refresh()

    def _claim(self, task: Task) -> bool:
        """Whether the step is ours to compute, or was computed by another process in this moment."""
        name = self._keys.claim(task.name)
        if name in self._claims:
            return True
        if not self._claims.take(name):
            return False
        self._cache.refresh()
        self._take_cached([task])
        return True

    def _leave(self, task: Task) -> None:
        """Another process computes it: look again after a pause."""
        pause = self._elsewhere[task.name].pause if task.name in self._elsewhere else FIRST_LOOK
        if task.name not in self._elsewhere:
            self._tell(FlowEvent(kind="waiting", task=task.name))
        self._elsewhere[task.name] = Look(time.monotonic() + pause, min(2 * pause, LAST_LOOK))

    def _start(self, current: Try) -> None:
        task = current.task
        arguments = self._arguments(task)
        if arguments is None:
            self._started.discard(task.name)
            return
        # Kept, since a value that turns out to be damaged is taken away until it is computed again.
        given = {need: self.values[need] for need in task.needs}
        self._started.add(task.name)
        self._tell(FlowEvent(kind="started", task=task.name))
        timeout = task.timeout.total_seconds() if task.timeout else None
        portable = not shares_memory(self._executor)
        future = self._executor.submit(
            attempt, Call(task.name, task.function, arguments, self._actor, timeout, portable)
        )
        self._running[future] = current._replace(given=given)
        if future.done():
            self._finish(future)

    def _arguments(self, task: Task) -> dict[str, Any] | None:
        """Copies of what a task takes; `None` where a stored value is damaged: its task runs again, then this one."""
        arguments: dict[str, Any] = {}
        for need in task.needs:
            if need not in self.values:
                return None
            try:
                arguments[need] = self.values[need].read()
            except (IntegrityError, NotFoundError):
                self._damaged.add(need)
                self._started.discard(need)
                del self.values[need]
                self._ready.append(need)
                return None
        return arguments

    def _wait(self) -> None:
        """Sleep until a task ends, a pause is over, or it is time to look what other processes did."""
        now = time.monotonic()
        moments = [when for when, _, _ in self._delayed] + [look.due for look in self._elsewhere.values()]
        pause = max(0.0, min(moments) - now) if moments else None
        if self._running:
            for future in wait(self._running, timeout=pause, return_when=FIRST_COMPLETED).done:
                self._finish(future)
        else:
            time.sleep(pause or 0.0)
        if self._failures:
            self._start_nothing_more()
        while self._delayed and self._delayed[0][0] <= time.monotonic():
            self._start(heapq.heappop(self._delayed)[2])
        due = [name for name, look in self._elsewhere.items() if look.due <= time.monotonic()]
        if due:
            self._cache.refresh()
            self._ready += due

    def _start_nothing_more(self) -> None:
        self._delayed.clear()
        self._elsewhere.clear()
        for future in [one for one in self._running if one.cancel()]:
            del self._running[future]

    def _finish(self, future: Future[Outcome]) -> None:
        current = self._running.pop(future)
        error = future.exception()
        if error is None:
            self._succeed(current, future.result())
        elif isinstance(error, Retryable) and current.number <= current.task.options.retries:
            pause = current.task.backoff.total_seconds() * 2 ** (current.number - 1)
            again = current._replace(number=current.number + 1)
            heapq.heappush(self._delayed, (time.monotonic() + pause, current.task.name, again))
            self._tell(FlowEvent(kind="retried", task=current.task.name, detail=_words(error)))
        else:
            self._fail(current, error)

    def _succeed(self, current: Try, outcome: Outcome) -> None:
        task = current.task
        value = Value(outcome.packed, self._cache.fetch)
        self._tell(FlowEvent(kind="finished", task=task.name, seconds=outcome.seconds))
        if not task.options.cache:
            self._settle(task, value, None)
            return
        parts = self._keys.parts(task, current.given)
        result = TaskResult(
            flow=self._flow,
            task=task.name,
            key=key_of(parts),
            parts=parts,
            sources={need: self.ids[need] for need in task.needs if need in self.ids},
            value=value.tree,
            digest=value.digest,
            artifacts=sorted(value.blobs),
            seconds=outcome.seconds,
            tries=current.number,
        )
        self._ledger.add(Entry(result, value, self._keys.claim(task.name)))
        self._settle(task, value, result_id(result))

    def _settle(self, task: Task, value: Value, identity: Id | None) -> None:
        """The task has its value: whoever waited only for it is ready, and what nobody needs any more is forgotten."""
        self.values[task.name] = value
        if identity is not None:
            self.ids[task.name] = identity
        for name in self._plan.consumers[task.name]:
            is_waiting = name not in self.values and name not in self._started
            if is_waiting and set(self._plan.tasks[name].needs) <= self.values.keys():
                self._ready.append(name)
        for need in self.values.keys() & task.needs:
            if self.values[need].is_stored and set(self._plan.consumers[need]) <= self.values.keys():
                self.values[need].forget()

    def _fail(self, current: Try, error: BaseException) -> None:
        task = current.task
        self._tell(FlowEvent(kind="failed", task=task.name, detail=_words(error)))
        given = ", ".join(f"{need} = {value}" for need, value in current.given.items()) or "nothing"
        tries = f" after {current.number} tries" if current.number > 1 else ""
        known = error if isinstance(error, HeptadError) else HeptadError("")
        failure = TaskError(
            f"The task {task.name!r} of the flow {self._flow!r} failed{tries}: {_words(error)}\nIt was given {given}.",
            task=task.name,
            exit_code=known.exit_code,
            allowed=known.allowed,
            remedy=known.remedy or "What was finished is kept: run again when the cause is mended.",
        )
        failure.__cause__ = error
        self._failures[task.name] = failure


def _words(error: BaseException) -> str:
    problem = error.problem if isinstance(error, HeptadError) else str(error)
    return f"{type(error).__name__}: {problem}" if problem else type(error).__name__
