"""`heptad.track`: a run around a block, around every call of a function, or for as long as a notebook goes on."""

import atexit
import functools
import inspect
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Literal, Protocol, TypeVar

from heptad.core.errors import InputError
from heptad.core.records import Id
from heptad.experiments.runs import ActiveRun, outcome_of
from heptad.experiments.scrubbing import scrub_values

F = TypeVar("F", bound=Callable[..., Any])
_PLAIN = str | int | float | bool | None


class Tracking(AbstractContextManager[ActiveRun]):
    """A run that has not begun yet.

    `with heptad.track("name") as run:` begins it and finishes it with the block. `@heptad.track("name")` above a
    function does so for each call: its plain arguments become parameters, and it is handed the run where it has a
    parameter `run`. `run = heptad.track("name").start()` begins it and leaves its end to `run.finish()`, or to the
    end of the process. Parameters whose name ends as that of a secret are recorded as `***`.
    """

    def __init__(self, begin: Callable[[Mapping[str, Any]], ActiveRun], params: Mapping[str, Any]) -> None:
        """`begin` takes all parameters; of arguments of the same names these count."""
        self._begin_with = begin
        self._params = params
        self._run: ActiveRun | None = None

    def start(self) -> ActiveRun:
        """Begin the run now; it is finished with the process, where nobody finishes it before."""
        run = self._begin({})
        at_end = functools.partial(_finish, run, before=_last_error())
        atexit.register(at_end)
        run.closing.append(lambda: atexit.unregister(at_end))
        return run

    def __enter__(self) -> ActiveRun:
        if self._run is not None:
            raise InputError(f"Run {self._run.id} has begun already.", remedy="call heptad.track again for another run")
        self._run = self._begin({})
        return self._run

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        assert self._run is not None
        return self._run.__exit__(kind, error, trace)

    def __call__(self, function: F) -> F:
        """The function, every call of it a run of its own."""
        signature = inspect.signature(function)

        def begun(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[ActiveRun, dict[str, Any]]:
            given = signature.bind_partial(*args, **kwargs)
            given.apply_defaults()
            params = {name: value for name, value in given.arguments.items() if name != "run" and _is_plain(value)}
            run = self._begin(params)
            wants = "run" in signature.parameters and given.arguments.get("run") is None
            return run, {**kwargs, "run": run} if wants else kwargs

        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                run, kwargs = begun(args, kwargs)
                with run:
                    return await function(*args, **kwargs)

            return awaited  # type: ignore[return-value]

        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def walked(*args: Any, **kwargs: Any) -> Any:
                run, kwargs = begun(args, kwargs)
                with run:
                    return (yield from function(*args, **kwargs))

            return walked  # type: ignore[return-value]

        if inspect.isasyncgenfunction(function):
            raise InputError(
                f"{function.__name__} is an asynchronous generator, and no run can be around one.",
                remedy="with heptad.track(...) as run: inside of it",
            )

        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            run, kwargs = begun(args, kwargs)
            with run:
                return function(*args, **kwargs)

        return called  # type: ignore[return-value]

    def _begin(self, arguments: Mapping[str, Any]) -> ActiveRun:
        return self._begin_with(scrub_values({**arguments, **self._params}))

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and hasattr(ActiveRun, name):
            raise InputError(
                f"This run has not begun, so it has no {name!r} yet.",
                remedy='with heptad.track("name") as run: ..., or run = heptad.track("name").start()',
            )
        raise AttributeError(name)


class Resuming(Protocol):
    """Where a run can be gone on with: a workspace, or a server."""

    def resume(self, run: Id) -> ActiveRun: ...


def go_on(place: Resuming, run: Id, params: Mapping[str, Any], **begun_with: Any) -> ActiveRun:
    """Go on with a run, and set these parameters, of which the latest value wins.

    Raises `InputError` where anything is given that a run has from its beginning on.
    """
    fixed = next((name for name, value in begun_with.items() if value), "")
    if fixed:
        raise InputError(
            f"Run {run} is gone on with, and keeps the {fixed} that it began with.",
            allowed="params",
            remedy=f"leave {fixed} out, or begin another run",
        )
    active = place.resume(run)
    if params:
        active.set_params(**params)
    return active


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(name, str) and _is_plain(one) for name, one in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return isinstance(value, _PLAIN)


def _last_error() -> BaseException | None:
    """What nobody caught last: a notebook goes on after it, and Python never forgets it."""
    return getattr(sys, "last_value", None)


def _finish(run: ActiveRun, *, before: BaseException | None) -> None:
    """End a run at the end of the process; an error from before it began did not end it."""
    error = _last_error()
    run.finish(*outcome_of(None if error is before else error))
