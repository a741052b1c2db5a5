"""Lands a stream in forked processes until they are killed; each says that it has begun, and each batch.

A line of its input begins a process: the boundary at which it is killed, or 0. When it has ended, that is said.
Forked after the imports, a process costs milliseconds.
Usage: python landing_child.py URI ID FOLDER
"""

import os
import sys
from pathlib import Path

from heptad.core import catalogue, faults
from heptad.data import Place, SourceSettings, Until, follow
from heptad.data.streams import following


def say(*words: object) -> None:
    os.write(1, f"{' '.join(map(str, words))}\n".encode())


def land(boundary: int) -> None:
    uri, name, folder = sys.argv[1:]
    faults._KILL, faults._ACTIVE = boundary, boundary > 0
    following.AT_ONCE = 40
    settings = SourceSettings(uri=uri, id=name, commit_every="50ms", timeout="10s")
    follow(settings, Place(root=Path(folder)), Until(), lambda _: say("landed"))


def main() -> None:
    catalogue.find("stream", sys.argv[1].partition(":")[0])  # imported once, and not by each process
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                say("begun", os.getpid())
                land(int(line))
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        say("ended", os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
