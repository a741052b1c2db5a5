"""What a process prints while a run goes on, line by line, as a terminal would show it in the end."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from heptad.experiments.scrubbing import LineScrubber

LARGEST = 20_000_000
"""Characters of a run's output that are kept; what comes later is counted."""


class Lines:
    r"""Turns what is printed into lines; a carriage return starts a line anew: of a progress bar the last state stays.

    >>> lines = Lines()
    >>> lines.add("step 1\rstep 2\rdone\nnext")
    ['done']
    >>> lines.rest()
    'next'
    """

    def __init__(self) -> None:
        self._open = ""
        self._returned = False

    def add(self, text: str) -> list[str]:
        """The lines that are complete now."""
        done: list[str] = []
        for number, part in enumerate(text.split("\n")):
            if number:
                done.append(self._open)
                self._open, self._returned = "", False
            for place, piece in enumerate(part.split("\r")):
                if place:
                    self._returned = True
                if piece:
                    self._open = piece if self._returned else self._open + piece
                    self._returned = False
        return done

    def rest(self) -> str:
        """The line that is not complete."""
        return self._open


class Output:
    """Copies what goes through `sys.stdout` and `sys.stderr` to a file; programs written in C pass it by."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written = 0
        self._left_out = 0
        self._guard = threading.RLock()
        self._lines = {"stdout": Lines(), "stderr": Lines()}
        self._scrubbers = {name: LineScrubber() for name in self._lines}
        self._file = path.open("w", encoding="utf-8", errors="backslashreplace")
        self._streams: dict[str, tuple[Any, _Copying]] = {}

    def start(self) -> None:
        for name in self._lines:
            stream = getattr(sys, name)
            copying = _Copying(stream, name, self._take)
            self._streams[name] = stream, copying
            setattr(sys, name, copying)

    def stop(self) -> None:
        """Copy no more; where somebody has replaced the streams since, theirs stay."""
        for name, (stream, copying) in self._streams.items():
            if getattr(sys, name) is copying:
                setattr(sys, name, stream)
            copying.end()
        with self._guard:
            for name, lines in self._lines.items():
                if lines.rest():
                    self._keep(name, lines.rest())
            if self._left_out:
                self._file.write(f"({self._left_out:,} more characters left out)\n")
                self.written += 1
            self._file.close()

    def _take(self, name: str, text: str) -> None:
        with self._guard:
            if not self._file.closed:
                for line in self._lines[name].add(text):
                    self._keep(name, line)
                self._file.flush()

    def _keep(self, name: str, line: str) -> None:
        if self.written > LARGEST:
            self._left_out += len(line) + 1
            return
        kept = self._scrubbers[name].scrub(line)
        if kept is not None:
            self.written += self._file.write(kept + "\n")


class _Copying:
    """A stream that passes everything on, and hands a copy of what is written to `take`."""

    def __init__(self, stream: TextIO | None, name: str, take: Callable[[str, str], None]) -> None:
        self._stream, self._name = stream, name
        self._take: Callable[[str, str], None] | None = take

    def write(self, text: str) -> int:
        if self._take is not None:
            try:
                self._take(self._name, text)
            except OSError:
                # A full disk must not keep a program from printing.
                self._take = None
        return self._stream.write(text) if self._stream is not None else len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if self._stream is not None:
            self._stream.flush()

    def end(self) -> None:
        """Only pass on from now on: somebody may have kept this stream."""
        self._take = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
