"""Processes that run trials: one may hang, eat memory, print or die, and the search goes on."""

import contextlib
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing import current_process, get_context
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any, TextIO

from heptad.core.errors import HeptadError, InputError
from heptad.experiments.searching.groups import end_group, is_larger, lead_group, resident
from heptad.experiments.searching.objectives import ActiveTrial, Constraint, Objective, Outcome, conduct
from heptad.experiments.searching.told import Trial

_OUTPUT = 64 * 1024
"""Bytes that are kept of what a trial printed: its last ones."""
_BACKSTOP = 1.5
"""Of the memory limit: where the kernel refuses more at once, if the process grows too quickly to be seen growing."""
_LOOK = 0.5
"""Seconds between two looks at the memory of everything that a trial started."""


class Seat:
    """A process that runs one trial at a time, started afresh after it was killed.

    It leads a group of processes, which holds whatever its trials start, and is ended with all of these.
    What it is asked lies in a pipe, so that a trial counts as begun when the process has loaded the objective.
    """

    def __init__(
        self, objective: bytes, names: Sequence[str], limits: Sequence[Constraint], seed: int, memory: int
    ) -> None:
        self._start = objective, tuple(names), tuple(limits), seed, memory
        self._memory = memory
        self._output = Path(tempfile.mkstemp(prefix="heptad-trial-")[1])
        self.trial: Trial | None = None
        self.deaths = 0
        self.spent = 0.0
        """What the trial said that it costs, in all its attempts."""
        self._next_look = 0.0
        self._open()

    def begin(self, trial: Trial) -> None:
        self.trial, self.deaths, self.spent = trial, 0, 0.0
        self._send()

    def again(self) -> None:
        """Run the same trial once more, in a new process."""
        self.deaths += 1
        self.restart()
        self._send()

    def restart(self) -> None:
        self.kill()
        self._open()

    @property
    def seconds(self) -> float:
        """How long the trial has run; 0 while the process is being started."""
        return time.monotonic() - self._began if self._ready and self._began else 0.0

    @property
    def grew_too_large(self) -> bool:
        """Whether the process has more memory than it may, or it and what it started together."""
        if not self._memory or self.process.pid is None:
            return False
        if resident(self.process.pid) > self._memory:
            return True
        if time.monotonic() < self._next_look:
            return False
        self._next_look = time.monotonic() + _LOOK
        return is_larger(self.process.pid, self._memory)

    def message(self) -> tuple[Any, ...] | None:
        """What the process said; `None`: nothing. Raises `EOFError` where it is dead."""
        is_dead = self.process.exitcode is not None
        if is_dead:
            # What it started holds its end of the pipe, too.
            end_group(self.process.pid)
        try:
            if not self.connection.poll():
                if is_dead:
                    raise EOFError
                return None
            said: tuple[Any, ...] = self.connection.recv()
        except OSError as error:
            raise EOFError from error
        match said[0]:
            case "ready":
                self._ready, self._began = True, time.monotonic()
            case "spent":
                self.spent += said[1]
            case "unloadable":
                raise InputError(
                    f"The objective cannot be loaded in a process of its own: {said[1]}",
                    allowed="a function at the top of a module, or of a script whose start is under "
                    '`if __name__ == "__main__":`',
                )
            case _:
                return said
        return None

    def answer(self, said: bool | HeptadError) -> None:
        """Whether the trial that reported ends, or what is wrong with its report."""
        with contextlib.suppress(OSError):  # dead: seen when the next message is read
            self.connection.send(said)

    def printed(self) -> bytes:
        """The end of what the trial has printed."""
        with self._output.open("rb") as file:
            file.seek(max(self._from, self._output.stat().st_size - _OUTPUT))
            return file.read()

    def died(self) -> tuple[str, bool]:
        """How the process ended, in words, and whether somebody outside may have ended it."""
        self.process.join()
        code = self.process.exitcode or 0
        if code < 0:
            name = signal.Signals(-code).name
            return f"its process was ended by {name}", -code in (signal.SIGKILL, signal.SIGTERM)
        return f"its process ended with exit code {code}", False

    def kill(self) -> None:
        end_group(self.process.pid)
        self.process.kill()  # it may not lead its group yet
        self.process.join()
        self.connection.close()

    def close(self) -> None:
        self.kill()
        self._output.unlink(missing_ok=True)

    def _open(self) -> None:
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        # A daemon here, so that it ends with this process; in there it is none, so that trials may have pools.
        self.process = context.Process(target=_serve, args=(theirs, str(self._output), *self._start), daemon=True)
        self.process.start()
        theirs.close()
        self._ready, self._began = False, 0.0

    def _send(self) -> None:
        assert self.trial is not None
        self._from, self._began = self._output.stat().st_size, time.monotonic()
        with contextlib.suppress(OSError):  # dead: seen when the next message is read
            self.connection.send((self.trial.number, self.trial.params))


def packed(objective: Objective) -> bytes:
    """The objective as another process is sent it; raises `InputError` where it cannot be."""
    try:
        return bytes(ForkingPickler.dumps(objective))
    except Exception as error:
        raise InputError(
            f"The objective cannot be sent to a process of its own: {error}",
            allowed="a function at the top of a module; no lambda and no function inside of another",
        ) from error


def _serve(
    connection: Connection,
    output: str,
    objective: bytes,
    names: Sequence[str],
    limits: Sequence[Constraint],
    seed: int,
    memory: int,
) -> None:
    """The life of such a process."""
    lead_group()
    current_process().daemon = False
    # Whoever interrupts by hand interrupts the search, which ends its processes.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    file = os.open(output, os.O_WRONLY | os.O_APPEND)
    _print_to(file)
    if memory:
        most = int(memory * _BACKSTOP)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    try:
        function: Objective = ForkingPickler.loads(objective)
    except Exception as error:  # noqa: BLE001 - the parent raises it
        connection.send(("unloadable", f"{type(error).__name__}: {error}"))
        return
    connection.send(("ready",))

    def reported(step: int, value: float) -> bool:
        connection.send(("report", step, value))
        answer = connection.recv()
        if isinstance(answer, HeptadError):
            raise answer
        return bool(answer)

    def spent(amount: float) -> None:
        connection.send(("spent", amount))

    while True:
        try:
            number, params = connection.recv()
        except EOFError:
            return
        _print_to(file)
        trial = ActiveTrial(Trial(number, params), seed, reported, spent)
        outcome: Outcome = conduct(function, trial, names, limits)
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):  # whatever the trial has put there
                stream.flush()
        connection.send(("ended", outcome))


def _print_to(file: int) -> None:
    """Let standard output and error go to a file, also where a trial before has closed or replaced them."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(file, number)
        own = _streams.get(name)
        if own is None or own.closed:
            # It stays open.
            own = open(number, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
            _streams[name] = own
        setattr(sys, name, own)


_streams: dict[str, TextIO] = {}
