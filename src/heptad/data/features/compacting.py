"""Makes the files of the online store anew, so that nothing is in them any more that was deleted or replaced."""

from collections.abc import Callable, Sequence

from heptad.data.features.online import CompactingStore, OnlineStore

_WORTH = 0.25
"""Share of the used bytes that must be slack before it is worth the copying."""
_LEAST = 1 << 20
"""Bytes of slack that are not worth it either."""


class OnlineFiles:
    """The files of online stores that have any here: in Redis nothing is done."""

    def __init__(self, opened: Callable[[], Sequence[OnlineStore]]) -> None:
        self._opened = opened

    def slack(self) -> int:
        """Bytes that hold no row now, of the stores where they are worth copying the others."""
        return sum(slack for _, slack in self._slack())

    def compact(self, *, worth_it: bool = False) -> int:
        """Make them anew, or only those where it is worth it; answers the bytes that were freed."""
        stores = [store for store, _ in self._slack()] if worth_it else self._stores()
        return sum(store.compact() for store in stores)

    def _slack(self) -> list[tuple[CompactingStore, int]]:
        measured = [(store, *store.slack()) for store in self._stores()]
        return [(store, slack) for store, slack, used in measured if slack > max(_LEAST, _WORTH * used)]

    def _stores(self) -> list[CompactingStore]:
        return [store for store in self._opened() if isinstance(store, CompactingStore)]
