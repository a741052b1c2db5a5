"""A flow: functions wired by the names of their parameters, cached by content, resumed where they stopped."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

from heptad.core.errors import InputError, SettingsError
from heptad.core.executors import inline, shares_memory
from heptad.core.flow_plan import Function, TaskOptions, drafts, plan, task
from heptad.core.flow_run import FlowEvent, OnEvent, Run
from heptad.core.flow_values import Value, pack
from heptad.core.records import Id
from heptad.core.workspace import Workspace

__all__ = ["Flow", "FlowEvent", "Results", "TaskOptions", "task"]


class Flow:
    """Functions that feed each other: a parameter takes the result of the task, or the input, of its name.

    A step is identified by its code (with all of the project's code that it reaches), its parameters (default values)
    and the contents of its inputs; a step that was done before is read instead of run. Results are plain data,
    Structs, arrays and frames (`flow_values`), and every task gets its own copy of what it takes.

    >>> def cleaned(raw):
    ...     return [one for one in raw if one is not None]
    >>> def total(cleaned, factor=2):
    ...     return factor * sum(cleaned)
    >>> flow = Flow("example", [cleaned, total])

    `flow.run(workspace, {"raw": [1, None, 3]})["total"]` is 8. Options are given by the decorator `task`; functions
    without a name of their own, or with another name, as a dict.
    """

    def __init__(self, name: str, functions: Sequence[Function] | Mapping[str, Function]) -> None:
        self.name = name
        self.drafts = drafts(functions)

    def run(
        self,
        workspace: Workspace,
        inputs: Mapping[str, Any] | None = None,
        *,
        executor: Executor | None = None,
        on_event: OnEvent | None = None,
    ) -> "Results":
        """Check everything, then run what is not known yet; all results are durable when it returns.

        A step that another process is computing is waited for, not computed twice. Tasks marked `cache=False` run
        every time. `on_event` is called in this thread. Without an executor one task runs after the other.

        Errors: `SettingsError` with all that is wrong with the flow or its inputs, before anything has started;
        `TaskError` where a task fails (others that are running finish, and are kept); `WorkspaceError`.
        """
        executor = executor or inline()
        given = _packed(inputs or {})
        wired = plan(self.name, self.drafts, given.keys(), portable=not shares_memory(executor))
        run = Run(
            self.name, wired, given, workspace=workspace, executor=executor, on_event=on_event or (lambda _: None)
        )
        run.execute()
        return Results({name: run.values[name] for name in wired.tasks}, run.ids)


class Results(Mapping[str, Any]):
    """Task to its result, read when it is asked for; each reading is a copy of its own."""

    def __init__(self, values: Mapping[str, Value], ids: Mapping[str, Id]) -> None:
        self.ids = ids
        """Task to the record of its result; tasks with `cache=False` have none."""
        self._values = values

    def __getitem__(self, name: str) -> Any:
        return self._values[name].read()

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def _packed(inputs: Mapping[str, Any]) -> dict[str, Value]:
    packed: dict[str, Value] = {}
    problems: list[str] = []
    for name, value in inputs.items():
        try:
            taken = pack(value, f"the input {name!r}")
        except InputError as error:
            problems.append(error.problem)
        else:
            packed[name] = Value(taken, taken.blobs.__getitem__)
    if problems:
        raise SettingsError("The inputs of the flow cannot be used; nothing was started.", problems=problems)
    return packed
