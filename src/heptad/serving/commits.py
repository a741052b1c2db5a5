"""Group commit: what several threads want to store at the same moment is stored in one transaction."""

import threading
from collections import deque
from collections.abc import Sequence

from heptad.core.errors import HeptadError, RequestError
from heptad.serving.journal import Journal
from heptad.serving.messages import Part


class _Wish:
    """What one thread wants to store, and what came of it: replies, or an error."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = parts
        self.replies: list[bytes] | None = None
        self.error: Exception | None = None


class Commits:
    """Whoever finds nobody committing commits; those who come meanwhile share the next commit, made by one of them."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: deque[_Wish] = deque()
        self._turn = threading.Lock()

    def add(self, parts: Sequence[Part]) -> list[bytes]:
        """The replies of each part, as `Journal.add` gives them, once they are durable."""
        if self._turn.acquire(blocking=False):
            try:
                return self._journal.add(parts)
            finally:
                self._turn.release()
        wish = _Wish(parts)
        self._waiting.append(wish)
        with self._turn:
            if wish.replies is None and wish.error is None:
                self._commit()
        if wish.replies is None:
            raise wish.error or RuntimeError("a commit ended without a result")
        return wish.replies

    def _commit(self) -> None:
        """Store everything that waits; where that fails, each wish of the group gets the error."""
        group = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            self._store(group)
        except RequestError:
            # One of them cannot be stored, and the others have nothing to do with it.
            for wish in group:
                try:
                    self._store([wish])
                except HeptadError as error:
                    wish.error = error
        except Exception as error:  # noqa: BLE001 - it belongs to those whose requests these are
            for wish in group:
                wish.error = error

    def _store(self, group: Sequence[_Wish]) -> None:
        replies = iter(self._journal.add([part for wish in group for part in wish.parts]))
        for wish in group:
            wish.replies = [next(replies) for _ in wish.parts]
