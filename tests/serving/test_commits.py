"""Group commit of several threads."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from heptad.core.errors import RequestError, UnavailableError
from heptad.serving.commits import Commits
from heptad.serving.journal import Journal, create_journal
from heptad.serving.messages import Part

MakePart = Callable[..., Part]


class Slow:
    """Stands in for a journal: notes what is committed together, and finishes a commit when it is told to."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.fails: Exception | None = None
        self.entered = threading.Semaphore(0)
        self.go_on = threading.Semaphore(0)

    def add(self, parts: Sequence[Part]) -> list[bytes]:
        ids = [one for part in parts for one in part.entries.ids]
        self.entered.release()
        assert self.go_on.acquire(timeout=60)
        if self.fails and (not isinstance(self.fails, RequestError) or "bad" in ids):
            raise self.fails
        self.groups.append(ids)
        return [part.replies for part in parts]


def three_behind_one(journal: Slow, *wishes: Sequence[Part]) -> list[Future[list[bytes]]]:
    """The first wish is being committed while the others come."""
    commits = Commits(journal)  # type: ignore[arg-type]
    with ThreadPoolExecutor(len(wishes)) as threads:
        first = threads.submit(commits.add, wishes[0])
        assert journal.entered.acquire(timeout=60)
        others = [threads.submit(commits.add, one) for one in wishes[1:]]
        while len(commits._waiting) < len(others):
            pass
        for _ in range(2 * len(wishes)):
            journal.go_on.release()
    return [first, *others]


def test_requests_that_come_during_a_commit_are_stored_together(part_of: MakePart) -> None:
    """Those who wait for a commit to end share the next one, and each gets its own replies."""
    journal = Slow()
    wishes = [[part_of("a")], [part_of("b"), part_of("c")], [part_of("d")], [part_of("e")]]
    done = three_behind_one(journal, *wishes)
    assert [one.result() for one in done] == [[part.replies for part in one] for one in wishes]
    assert journal.groups[0] == ["a"]
    assert sorted(journal.groups[1]) == ["b", "c", "d", "e"]


def test_a_failed_commit_fails_its_requests_and_no_later_ones(part_of: MakePart) -> None:
    """Each request of the group gets the error; the next one is stored."""
    journal = Slow()
    journal.fails = UnavailableError("full")
    done = three_behind_one(journal, [part_of("a")], [part_of("b")], [part_of("c")])
    assert [type(one.exception()) for one in done] == [UnavailableError] * 3
    journal.fails = None
    journal.go_on.release()
    assert Commits(journal).add([part_of("d")])  # type: ignore[arg-type]
    assert journal.groups == [["d"]]


def test_a_request_that_cannot_be_stored_does_not_harm_its_group(part_of: MakePart) -> None:
    """What is wrong with one request is answered to its own client only."""
    journal = Slow()
    journal.fails = RequestError("answered long ago", status=409)
    done = three_behind_one(journal, [part_of("a")], [part_of("b")], [part_of("bad")], [part_of("c")])
    assert [type(one.exception()) for one in done] == [type(None), type(None), RequestError, type(None)]
    assert sorted(one for group in journal.groups for one in group) == ["a", "b", "c"]


def test_nothing_is_lost_or_mixed_up_between_threads(part_of: MakePart, tmp_path: Path) -> None:
    """Eight threads store forty requests each in a real journal; each reply belongs to its request."""
    create_journal(tmp_path / "journal.db")
    journal = Journal(tmp_path / "journal.db")
    commits = Commits(journal)
    parts = [[part_of(f"{thread}-{turn}", x=float(thread)) for turn in range(40)] for thread in range(8)]

    def work(mine: list[Part]) -> list[bytes]:
        return [commits.add([part])[0] for part in mine]

    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(work, parts))
    assert replies == [[part.replies for part in mine] for mine in parts]
    stored = [one for _, entries in journal.after(0, 1000) for one in entries.ids]
    assert sorted(stored) == sorted(part.entries.ids[0] for mine in parts for part in mine)
    assert journal.written <= 320
