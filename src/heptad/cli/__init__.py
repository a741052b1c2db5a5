"""The command line: one file per step; it formats and decides nothing."""

import os
import sys

# Typer formats its help with Rich unless told otherwise before its first import, which alone costs 200 ms.
os.environ.setdefault("TYPER_USE_RICH", "0")


def main() -> None:
    """Entry point of `heptad`; exit code 0: done, 1: it failed, 2: what was given cannot be used, 130: interrupted."""
    from heptad.cli.app import run

    sys.exit(run(sys.argv[1:]))
