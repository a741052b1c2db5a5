"""What a tracked run records without being asked: its output, the machine's load, and the data that it reads."""

import threading
import time

from heptad.core.errors import HeptadError, InputError
from heptad.core.reads import listen
from heptad.core.records import Id
from heptad.experiments.journal.entries import Update
from heptad.experiments.journal.journal import OUTPUT, OUTPUT_PATH
from heptad.experiments.machine import Usage
from heptad.experiments.output import Output
from heptad.experiments.runs import ActiveRun

SAMPLE_SECONDS = 5.0
OUTPUT_SECONDS = 10.0
"""How often the output so far is kept with a run that goes on."""


def capture_process(run: ActiveRun) -> None:
    """Record what goes on in this process from now on until the run ends."""
    _Capture(run).start()


class _Capture:
    def __init__(self, run: ActiveRun) -> None:
        self._run = run
        self._usage = Usage()
        folder = run.journal.folder
        if folder is None:
            raise InputError(f"Run {run.id} is begun again where it is cut off, and its output is not kept.")
        self._output = Output(folder / OUTPUT)
        self._read: set[Id] = set()
        self._kept = 0
        self._done = threading.Event()
        self._stop_listening = listen(run.root.parent, self._note)

    def start(self) -> None:
        self._output.start()
        self._run.closing.append(self._stop)
        threading.Thread(target=self._watch, name="heptad-capture", daemon=True).start()

    def _watch(self) -> None:
        output_due = time.monotonic() + OUTPUT_SECONDS
        # A first sample soon, so that short runs have one too.
        pause = SAMPLE_SECONDS / 5
        while not self._done.wait(pause):
            pause = SAMPLE_SECONDS
            try:
                self._run.log(self._usage.sample())
                if time.monotonic() > output_due:
                    self._keep_output()
                    output_due = time.monotonic() + OUTPUT_SECONDS
            except HeptadError:
                # The run has ended meanwhile.
                return

    def _keep_output(self) -> None:
        if self._output.written > self._kept:
            self._kept = self._output.written
            self._run.attach(OUTPUT_PATH, self._output.path)

    def _note(self, record: Id) -> None:
        if record not in self._read:
            self._read.add(record)
            self._run.journal.add(Update(at=time.time(), links=[("data", record)]))

    def _stop(self) -> None:
        self._done.set()
        self._stop_listening()
        self._run.log(self._usage.sample())
        self._output.stop()
        self._keep_output()
