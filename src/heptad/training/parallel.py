"""Several trainings at once, one a core; each of them computes exactly what it would compute alone."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from threadpoolctl import threadpool_limits

T = TypeVar("T")
R = TypeVar("R")


def on_all_cores(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """`work` of each item, in order; raises what the first item that failed raised.

    Threads are enough, since what takes long (LightGBM, BLAS, ONNX Runtime) lets others run. Each keeps to one thread
    of its own: more would add up in another order, and the limit is one of the whole process, so it is set around all.
    """
    workers = min(len(items), os.cpu_count() or 1)
    if workers <= 1:
        return [work(item) for item in items]
    # Each in a context of its own, so that all act in the name of whoever asked.
    contexts = [copy_context() for _ in items]
    with threadpool_limits(1), ThreadPoolExecutor(workers, thread_name_prefix="training") as pool:
        return list(pool.map(lambda context, item: context.run(work, item), contexts, items))
