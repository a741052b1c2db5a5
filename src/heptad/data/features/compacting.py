"""Makes the files of the online store anew, so that nothing is in them any more that was deleted or replaced."""

from collections.abc import Callable

from heptad.data.features.online import CompactingStore, OnlineStore

_WORTH = 0.25
"""Share of the used bytes that must be slack before it is worth the copying."""
_LEAST = 1 << 20
"""Bytes of slack that are not worth it either."""


class OnlineFiles:
    """The files of the online store, where it has any here: in Redis nothing is done."""

    def __init__(self, opened: Callable[[], OnlineStore]) -> None:
        self._opened = opened

    def slack(self) -> int:
        """Bytes that hold no row now; 0 where they are too few to be worth copying the others."""
        store = self._opened()
        if not isinstance(store, CompactingStore):
            return 0
        slack, used = store.slack()
        return slack if slack > max(_LEAST, _WORTH * used) else 0

    def compact(self) -> int:
        """Make them anew whatever the slack; answers the bytes that were freed."""
        store = self._opened()
        return store.compact() if isinstance(store, CompactingStore) else 0
