"""The server process: `python -m heptad.serving.server OPTIONS`, where OPTIONS is `ServerOptions` as JSON."""

import sys
from pathlib import Path

import msgspec

from heptad.core.errors import HeptadError
from heptad.core.parent import end_with_parent
from heptad.serving.access import check_bind
from heptad.serving.journal import create_journal
from heptad.serving.snapshot import ServeFolder
from heptad.serving.worker import THREADS, ServerOptions, start_worker
from heptad.serving.workers import run_workers


def serve(options: ServerOptions) -> None:
    """Answer until SIGTERM or SIGINT; a worker that dies is replaced."""
    check_bind(options.host)
    if options.parent:
        end_with_parent(options.parent)
    create_journal(ServeFolder(Path(options.folder)).journal)
    run_workers("heptad.serving.worker", start_worker, options, THREADS)


if __name__ == "__main__":
    try:
        serve(msgspec.json.decode(sys.argv[1], type=ServerOptions))
    except HeptadError as error:
        sys.exit(f"{error.problem} {error.remedy}")
