"""What an erasure has to remember is private, whole or not there, and gone at the end."""

import stat
import threading
from datetime import UTC, datetime

import pytest

from heptad.core.errors import ConflictError, IntegrityError
from heptad.core.workspace import Workspace
from heptad.data import FoundRows, Subjects
from heptad.lifecycle.erasing.job import FOLDER, Job, Jobs


def job(token: str, day: int = 1) -> Job:
    return Job(
        token=token,
        subjects=Subjects(columns=["k"], keys=[["17"]]),
        people=1,
        reason="they asked",
        asked_at=datetime(2026, 1, day, tzinfo=UTC),
        actor="user:me",
        retrain=False,
        entities=[
            Subjects(columns=["account"], keys=[["DE-4711"]]),
            Subjects(columns=["shop", "card"], keys=[["Bonn", "17"]]),
        ],
        unsure=["town"],
        rows=FoundRows(ids=["17"], traces={"email": ["ann@mail.example"]}),
        predictions=["p-1"],
        artifacts=[],
        found={},
        sources={},
    )


def test_kept_read_back_in_order_and_removed(workspace: Workspace) -> None:
    """The oldest first; its owner alone may read it; half-written ones are removed."""
    jobs = Jobs(workspace)
    assert list(jobs) == []
    with jobs.one_erasure():
        jobs.keep(job("b", 2))
        jobs.keep(job("a", 3))
    folder = workspace.folder / FOLDER
    (folder / ".c.json.0000").write_text("half")
    assert [one.token for one in jobs] == ["b", "a"]
    assert next(iter(jobs)) == job("b", 2)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.glob("*.json")} == {0o600}
    assert job("a").values() == ["17", "DE-4711", "ann@mail.example", "p-1"]
    assert job("a").entity_counts() == {"account": 1, "shop, card": 1}
    jobs.remove(job("b", 2))
    assert [one.token for one in jobs] == ["a"]
    assert sorted(path.name for path in folder.iterdir()) == ["a.json", "lock"]


def test_one_that_was_cut_off_at_its_very_end_is_over(workspace: Workspace) -> None:
    """Its file is written over before it is deleted."""
    jobs = Jobs(workspace)
    with jobs.one_erasure():
        jobs.keep(job("a"))
    path = workspace.folder / FOLDER / "a.json"
    path.write_bytes(b"\0" * path.stat().st_size)
    assert list(jobs) == []
    assert not path.exists()
    path.write_text("{")
    with pytest.raises(IntegrityError, match="erase them again"):
        list(jobs)


def test_two_at_once_are_one_and_a_refusal(workspace: Workspace) -> None:
    """From other threads as from other processes."""
    refused: list[Exception] = []

    def other() -> None:
        try:
            with Jobs(workspace).one_erasure():
                pass
        except ConflictError as error:
            refused.append(error)

    with Jobs(workspace).one_erasure():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert len(refused) == 1
    other()
    assert len(refused) == 1
