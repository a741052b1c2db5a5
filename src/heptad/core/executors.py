"""Where tasks run: here and now, in threads, or in processes of this machine; any executor of Python's will do."""

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.connection import wait
from typing import Any, ParamSpec, TypeVar

from heptad.core import catalogue
from heptad.core.settings import ExecuteSettings

P = ParamSpec("P")
T = TypeVar("T")


def open_executor(settings: ExecuteSettings) -> Executor:
    """The executor that `[execute]` names; shut it down after use, as a context manager does."""
    executor: Executor = catalogue.find("executor", settings.executor)(settings.workers)
    return executor


def inline(workers: int = 1) -> Executor:  # noqa: ARG001 - executors are made alike
    """One task after the other, in the thread that submits it."""
    return InlineExecutor()


def threads(workers: int = 0) -> Executor:
    """Threads of this process; 0 workers: one a core."""
    return ThreadPoolExecutor(workers or _cores(), thread_name_prefix="heptad-task")


def processes(workers: int = 0) -> Executor:
    """Processes of this machine, started afresh (never forked); 0 workers: one a core.

    A script that uses them needs the usual `if __name__ == "__main__":`. They end with the process that made
    them, also when that is killed.
    """
    return ProcessPoolExecutor(
        workers or _cores(), mp_context=multiprocessing.get_context("spawn"), initializer=end_with_parent
    )


def shares_memory(executor: Executor) -> bool:
    """Whether functions and values reach the executor as they are, without being pickled."""
    return isinstance(executor, InlineExecutor | ThreadPoolExecutor)


class InlineExecutor(Executor):
    """Runs a call while it is submitted, so that the future it answers is done."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - the future carries it to whoever asks for the result
            future.set_exception(error)
        return future


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def end_with_parent() -> None:
    """Watch the process that started this one, and end with it: a pool's worker alone would wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), name="heptad-parent", daemon=True).start()


def _watch(sentinel: Any) -> None:
    wait([sentinel])
    os._exit(1)
