"""The process that keeps turning the loop: any number may run, one at a time turns, a dead one is replaced."""

import logging
import threading
from datetime import timedelta

from heptad.core.errors import ConflictError, HeptadError
from heptad.core.leases import held
from heptad.core.store import Store
from heptad.lifecycle.happenings import Watcher, unwatched
from heptad.lifecycle.lifecycle import Lifecycle

_log = logging.getLogger(__name__)
LEASE = timedelta(seconds=30)


class Worker:
    """Turns the loop of one endpoint every `pause` until it is told to stop.

    A turn that fails, for whatever reason, is logged with its remedy and tried again after the next pause; what it had
    finished is kept. The same failure in a row is logged once.
    """

    def __init__(
        self, store: Store, endpoint: str, lifecycle: Lifecycle, pause: timedelta, watch: Watcher = unwatched
    ) -> None:
        self._store = store
        self._endpoint = endpoint
        self._lifecycle = lifecycle
        self._pause = pause
        self._watch = watch
        self._stopped = threading.Event()
        self._failure = ""

    def run(self) -> None:
        """Work until `stop` is called, from another thread or a signal handler."""
        while not self._stopped.is_set():
            self.turn()
            self._stopped.wait(self._pause.total_seconds())

    def turn(self) -> bool:
        """One turn, unless another worker is turning; answers whether it was done without an error."""
        try:
            with held(self._store, f"worker:{self._endpoint}", "turn", LEASE):
                self._lifecycle.turn(self._watch)
        except ConflictError as error:
            _log.debug("Somebody else was faster: %s", error)
            return False
        except Exception as error:  # noqa: BLE001 - the server beside it must go on answering
            self._report(error)
            return False
        self._failure = ""
        return True

    def stop(self) -> None:
        self._stopped.set()

    def _report(self, error: Exception) -> None:
        failure = f"{type(error).__name__}: {error}"
        if failure != self._failure:
            trace = None if isinstance(error, HeptadError) else error
            _log.warning("The loop of %s could not be turned: %s", self._endpoint, error, exc_info=trace)
        self._failure = failure
