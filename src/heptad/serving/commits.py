"""Group commit: requests that arrive together are stored together, and answered once they are."""

import asyncio
from collections.abc import Sequence

from heptad.serving.journal import Journal
from heptad.serving.messages import Part


class Commits:
    """Collects what one turn of the event loop wants to store, and stores it in one transaction.

    The commit runs on the loop's own thread: it takes about 0.1 ms, and handing it to another thread and back takes
    longer than that.
    """

    def __init__(self, journal: Journal, loop: asyncio.AbstractEventLoop) -> None:
        self._journal = journal
        self._loop = loop
        self._waiting: list[tuple[Sequence[Part], asyncio.Future[list[bytes]]]] = []

    async def add(self, parts: Sequence[Part]) -> list[bytes]:
        """The replies of each part, as `Journal.add` gives them, once they are durable."""
        future: asyncio.Future[list[bytes]] = self._loop.create_future()
        if not self._waiting:
            self._loop.call_soon(self._commit)
        self._waiting.append((parts, future))
        return await future

    def _commit(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            replies = self._journal.add([part for parts, _ in waiting for part in parts])
        except Exception as error:  # noqa: BLE001 - every request of the group gets the error as its own
            for _, future in waiting:
                if not future.cancelled():
                    future.set_exception(error)
            return
        start = 0
        for parts, future in waiting:
            if not future.cancelled():
                future.set_result(replies[start : start + len(parts)])
            start += len(parts)
