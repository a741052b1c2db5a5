"""Group commit on the event loop."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from heptad.core.errors import UnavailableError
from heptad.serving.commits import Commits
from heptad.serving.messages import Part

MakePart = Callable[..., Part]


class Recording:
    """Stands in for a journal, and notes what is committed together."""

    def __init__(self, fails: int = 0) -> None:
        self.groups: list[list[str]] = []
        self.fails = fails

    def add(self, parts: Sequence[Part]) -> list[bytes]:
        if self.fails:
            self.fails -= 1
            raise UnavailableError("full")
        self.groups.append([one for part in parts for one in part.entries.ids])
        return [part.replies for part in parts]


def test_requests_that_arrive_together_are_stored_together(part_of: MakePart) -> None:
    """What one turn of the loop asks for is one transaction, and each gets its own replies."""
    journal = Recording()
    parts = [[part_of("a"), part_of("b")], [part_of("c")], [part_of("d")]]

    async def ask() -> list[list[bytes]]:
        commits = Commits(journal, asyncio.get_running_loop())  # type: ignore[arg-type]
        together = await asyncio.gather(*(commits.add(one) for one in parts))
        await commits.add([part_of("e")])
        return together

    assert asyncio.run(ask()) == [[part.replies for part in one] for one in parts]
    assert journal.groups == [["a", "b", "c", "d"], ["e"]]


def test_a_failed_commit_fails_its_requests_and_no_later_ones(part_of: MakePart) -> None:
    """Each request of the group gets the error; the next group is stored."""
    journal = Recording(fails=1)

    async def ask() -> list[object]:
        commits = Commits(journal, asyncio.get_running_loop())  # type: ignore[arg-type]
        failed = await asyncio.gather(commits.add([part_of("a")]), commits.add([part_of("b")]), return_exceptions=True)
        await commits.add([part_of("c")])
        return list(failed)

    failed = asyncio.run(ask())
    assert [type(one) for one in failed] == [UnavailableError, UnavailableError]
    assert journal.groups == [["c"]]


def test_a_request_that_was_given_up_does_not_harm_the_others(part_of: MakePart) -> None:
    """A cancelled request is stored with its group, and nobody waits for it."""
    journal = Recording()

    async def ask() -> list[bytes]:
        commits = Commits(journal, asyncio.get_running_loop())  # type: ignore[arg-type]
        given_up = asyncio.ensure_future(commits.add([part_of("a")]))
        waiting = asyncio.ensure_future(commits.add([part_of("b")]))
        asyncio.get_running_loop().call_soon(given_up.cancel)
        replies = await waiting
        with pytest.raises(asyncio.CancelledError):
            await given_up
        return replies

    assert len(asyncio.run(ask())) == 1
    assert journal.groups == [["a", "b"]]
