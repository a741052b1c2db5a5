"""A flow before it runs: functions wired by the names of their parameters, checked as a whole."""

import graphlib
import inspect
import pickle
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar

import msgspec

from heptad.core.errors import InputError, SettingsError, nearest
from heptad.core.settings import duration

Function: TypeAlias = Callable[..., Any]
F = TypeVar("F", bound=Function)

_MARK = "__heptad_task__"


class TaskOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a function is run as a task."""

    retries: int = 0
    """How often it is tried again where its error is `Retryable`."""
    backoff: str = "1s"
    """The pause before the first of them; each further one is twice as long."""
    timeout: str | None = None
    """How long one try may take; it is given up then, and may be tried again."""
    cache: bool = True
    """Whether an earlier result for the same code, parameters and inputs will do."""


def task(*, retries: int = 0, backoff: str = "1s", timeout: str | None = None, cache: bool = True) -> Callable[[F], F]:
    """Options for a function that becomes a task; the function itself stays as it is.

    >>> @task(retries=3, timeout="10m")
    ... def features(cleaned):
    ...     return len(cleaned)
    """

    def mark(function: F) -> F:
        setattr(function, _MARK, TaskOptions(retries=retries, backoff=backoff, timeout=timeout, cache=cache))
        return function

    return mark


class Task(NamedTuple):
    """A function in its place: `needs` are the parameters that get results or inputs, `defaults` all the others."""

    name: str
    function: Function
    options: TaskOptions
    needs: Sequence[str]
    defaults: Mapping[str, Any]
    backoff: timedelta
    timeout: timedelta | None


class Plan(NamedTuple):
    """Tasks in an order in which each comes after what it needs."""

    tasks: dict[str, Task]
    consumers: dict[str, list[str]]
    """Task or input to the tasks that take it."""


class Draft(NamedTuple):
    """A named function with what its signature and its mark say, before anything is checked."""

    name: str
    function: Function
    options: TaskOptions
    parameters: Mapping[str, inspect.Parameter]
    where: str


def drafts(functions: Sequence[Function] | Mapping[str, Function]) -> list[Draft]:
    """Functions under their own names, or under given ones; raises `InputError` for what is no function."""
    named = functions.items() if isinstance(functions, Mapping) else [(_name_of(one), one) for one in functions]
    return [
        Draft(name, function, getattr(function, _MARK, TaskOptions()), _parameters(function), _place_of(function))
        for name, function in named
    ]


def _parameters(function: Function) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError) as error:
        raise InputError(f"{function!r} cannot be a task: {error}.", allowed="a Python function") from error


def plan(flow: str, given: Sequence[Draft], inputs: Collection[str], *, portable: bool = False) -> Plan:
    """Wire the functions; raises `SettingsError` with everything that is wrong, each with its file and line.

    With `portable` they must also be importable by name, as they are sent to other processes.
    """
    checks = [*_CHECKS, _check_portable] if portable else _CHECKS
    problems = [problem for check in checks for problem in check(given, inputs)]
    if problems:
        raise SettingsError(f"The flow {flow!r} cannot run; nothing was started.", problems=problems)
    known = {*inputs, *(draft.name for draft in given)}
    by_name = {draft.name: _task(draft, known) for draft in given}
    order = graphlib.TopologicalSorter({name: [*one.needs] for name, one in by_name.items()}).static_order()
    tasks = {name: by_name[name] for name in order if name in by_name}
    consumers: dict[str, list[str]] = {name: [] for name in known}
    for name, one in tasks.items():
        for need in one.needs:
            consumers[need].append(name)
    return Plan(tasks, consumers)


def _task(draft: Draft, known: Collection[str]) -> Task:
    return Task(
        name=draft.name,
        function=draft.function,
        options=draft.options,
        needs=[name for name in draft.parameters if name in known],
        defaults={name: one.default for name, one in draft.parameters.items() if name not in known},
        backoff=duration(draft.options.backoff),
        timeout=duration(draft.options.timeout) if draft.options.timeout else None,
    )


def _name_of(function: Function) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _place_of(function: Function) -> str:
    """`file:line` of a function, or what it is where it has none."""
    inner: Any = inspect.unwrap(getattr(function, "func", function))
    code = getattr(inner, "__code__", None)
    return f"{Path(code.co_filename).name}:{code.co_firstlineno}" if code else repr(function)


Problems: TypeAlias = Iterator[str]


def _check_names(given: Sequence[Draft], inputs: Collection[str]) -> Problems:
    seen: dict[str, Draft] = {}
    for draft in given:
        if not draft.name.isidentifier():
            yield f"{draft.where}: {draft.name!r} is no name for a task; give functions without a name as a dict."
        elif draft.name in seen:
            yield f"{draft.where}: there is a task {draft.name!r} already, at {seen[draft.name].where}."
        elif draft.name in inputs:
            yield f"{draft.where}: the task {draft.name!r} has the name of an input."
        seen.setdefault(draft.name, draft)
    if not given:
        yield "It has no functions."


def _check_shapes(given: Sequence[Draft], inputs: Collection[str]) -> Problems:  # noqa: ARG001 - one shape for checks
    odd = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    for draft in given:
        names = [str(one) for one in draft.parameters.values() if one.kind in odd]
        if names:
            yield f"{draft.where}: the task {draft.name!r} takes {', '.join(names)}, which no name can be wired to."
        if inspect.iscoroutinefunction(draft.function) or inspect.isgeneratorfunction(draft.function):
            yield f"{draft.where}: the task {draft.name!r} is asynchronous or a generator; it must return its result."


def _check_parameters(given: Sequence[Draft], inputs: Collection[str]) -> Problems:
    known = sorted({*inputs, *(draft.name for draft in given)})
    for draft in given:
        for name, parameter in draft.parameters.items():
            wired = parameter.kind in {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
            if wired and parameter.default is inspect.Parameter.empty and name not in known:
                hint = nearest(name, known)
                yield f"{draft.where}: the task {draft.name!r} takes {name!r}, which is no task or input: {hint}"


def _check_inputs(given: Sequence[Draft], inputs: Collection[str]) -> Problems:
    taken = sorted({name for draft in given for name in draft.parameters})
    for name in sorted(set(inputs) - set(taken)):
        yield f"The input {name!r} is taken by no task: {nearest(name, taken)}"


def _check_cycles(given: Sequence[Draft], inputs: Collection[str]) -> Problems:
    places = {draft.name: draft.where for draft in given}
    needs = {draft.name: {name for name in draft.parameters if name not in inputs} for draft in given}
    while True:
        try:
            graphlib.TopologicalSorter(needs).prepare()
        except graphlib.CycleError as error:
            circle: list[str] = error.args[1]
            yield f"{places[circle[0]]}: the tasks {' -> '.join(circle)} wait for each other."
            # Without this one wire the next circle shows.
            needs[circle[1]].discard(circle[0])
        else:
            return


def _check_options(given: Sequence[Draft], inputs: Collection[str]) -> Problems:  # noqa: ARG001 - one shape for checks
    for draft in given:
        options: Any = draft.options
        wrong: list[str] = []
        if type(options.retries) is not int or options.retries < 0:
            wrong.append(f"retries is {options.retries!r}, not a whole number of 0 or more")
        if type(options.cache) is not bool:
            wrong.append(f"cache is {options.cache!r}, not True or False")
        for name, text in (("backoff", options.backoff), ("timeout", options.timeout)):
            if text is not None and not _is_duration(text):
                wrong.append(f"{name} is {text!r}, not a duration like '30s' or '10m'")
        yield from (f"{draft.where}: the task {draft.name!r}: {one}." for one in wrong)


def _is_duration(text: Any) -> bool:
    try:
        return isinstance(text, str) and duration(text) > timedelta()
    except InputError:
        return False


def _check_portable(given: Sequence[Draft], inputs: Collection[str]) -> Problems:  # noqa: ARG001 - one shape for checks
    for draft in given:
        try:
            pickle.dumps(draft.function)
        except (pickle.PicklingError, AttributeError, TypeError):
            yield (
                f"{draft.where}: the task {draft.name!r} cannot be sent to another process; "
                "define it at the top level of a module, or run the flow on threads."
            )


Check: TypeAlias = Callable[[Sequence[Draft], Collection[str]], Problems]
_CHECKS: list[Check] = [
    _check_names,
    _check_shapes,
    _check_parameters,
    _check_inputs,
    _check_cycles,
    _check_options,
]
