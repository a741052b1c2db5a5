"""The api process: `python -m heptad.api.server OPTIONS`, where OPTIONS is `ApiOptions` as JSON."""

import sys

import msgspec

from heptad.api.settings import ApiOptions
from heptad.api.worker import start_worker, threads_of
from heptad.core.errors import HeptadError
from heptad.core.parent import end_with_parent
from heptad.serving import check_bind, run_workers


def serve(options: ApiOptions) -> None:
    """Answer until SIGTERM or SIGINT; a worker that dies is replaced."""
    check_bind(options.host)
    if options.parent:
        end_with_parent(options.parent)
    run_workers("heptad.api.worker", start_worker, options, threads_of(options.workers))


if __name__ == "__main__":
    try:
        serve(msgspec.json.decode(sys.argv[1], type=ApiOptions))
    except HeptadError as error:
        sys.exit(f"{error.problem} {error.remedy}")
