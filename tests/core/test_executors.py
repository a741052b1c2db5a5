"""The built-in executors keep the promises of `concurrent.futures.Executor`."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path

import pytest

from heptad.core.catalogue import find
from heptad.core.errors import NotFoundError
from heptad.core.executors import InlineExecutor, inline, open_executor, processes, shares_memory, threads
from heptad.core.settings import ExecuteSettings
from heptad.testing.executor_contract import ExecutorContract


class TestInline(ExecutorContract):
    """Inline runs a call while it is submitted."""

    @pytest.fixture
    def executor(self) -> Iterator[Executor]:
        with inline() as executor:
            yield executor

    def test_a_call_is_done_when_submitted(self, executor: Executor) -> None:
        """It runs in the caller's thread, and the future is done at once."""
        future = executor.submit(threading.get_ident)
        assert future.done()
        assert future.result() == threading.get_ident()

    def test_an_interrupt_is_not_swallowed(self, executor: Executor) -> None:
        """Ctrl-C inside of a call ends the caller, not only the call."""

        def interrupt() -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            executor.submit(interrupt)


class TestThreads(ExecutorContract):
    """Threads of this process."""

    @pytest.fixture
    def executor(self) -> Iterator[Executor]:
        with threads(2) as executor:
            yield executor

    def test_calls_run_side_by_side(self, executor: Executor) -> None:
        """Two calls that wait for each other both end."""
        barrier = threading.Barrier(2, timeout=60)
        futures = [executor.submit(barrier.wait) for _ in range(2)]
        assert sorted(future.result() for future in futures) == [0, 1]


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    with processes(2) as executor:
        yield executor


class TestProcesses(ExecutorContract):
    """Processes of this machine."""

    @pytest.fixture
    def executor(self, pool: Executor) -> Executor:
        return pool

    def test_calls_run_elsewhere(self, executor: Executor) -> None:
        """A call runs in another process."""
        assert executor.submit(os.getpid).result() != os.getpid()


@pytest.mark.parametrize(("name", "kind"), [("inline", InlineExecutor), ("threads", None), ("processes", None)])
def test_executors_are_found_by_name(name: str, kind: type | None) -> None:
    """`[execute]` names an executor, which is looked up in the catalogue."""
    with open_executor(ExecuteSettings(executor=name, workers=1)) as executor:
        assert isinstance(executor, kind or Executor)
        assert shares_memory(executor) is (name != "processes")
    assert find("executor", name)


def test_an_unknown_executor_names_the_known_ones() -> None:
    """A wrong name says which executors there are."""
    with pytest.raises(NotFoundError, match="did you mean 'threads'"):
        open_executor(ExecuteSettings(executor="thread"))


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_workers_end_with_a_killed_parent(tmp_path: Path) -> None:
    """`kill -9` of the process that made the pool leaves no worker behind."""
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
        import os, time
        from heptad.core.executors import processes
        if __name__ == "__main__":
            pool = processes(1)
            print(pool.submit(os.getpid).result(), flush=True)
            pool.submit(time.sleep, 60)
            time.sleep(60)
        """)
    )
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert is_alive(worker)
        parent.send_signal(signal.SIGKILL)
    until = time.monotonic() + 60
    while is_alive(worker) and time.monotonic() < until:
        time.sleep(0.02)
    assert not is_alive(worker)
