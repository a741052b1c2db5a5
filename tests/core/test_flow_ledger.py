"""Results are written in groups, in the order they came, by one thread beside the run."""

import time
from datetime import timedelta
from typing import Any

import pytest

from heptad.core import flow_ledger
from heptad.core.errors import NotFoundError, UnavailableError, WorkspaceError
from heptad.core.flow_cache import KeyParts, TaskResult, result_id
from heptad.core.flow_claims import Claims
from heptad.core.flow_ledger import Entry, Ledger
from heptad.core.flow_values import Value, pack
from heptad.core.query import Query
from heptad.core.records import Change
from heptad.core.workspace import Workspace


def entry(number: int, value: Any = None, **sources: str) -> Entry:
    packed = pack(number if value is None else value)
    result = TaskResult(
        flow="test",
        task=f"step{number}",
        key=f"key{number}",
        parts=KeyParts(code={}, parameters={}, inputs={}),
        sources=sources,
        value=packed.tree,
        digest=packed.digest,
        artifacts=sorted(packed.blobs),
        seconds=0.0,
        tries=1,
    )
    return Entry(result, Value(packed, dict[str, bytes]().__getitem__), f"claim{number}")


@pytest.fixture
def claims(workspace: Workspace) -> Claims:
    return Claims(workspace.store, "flow:test")


@pytest.fixture
def ledger(workspace: Workspace, claims: Claims) -> Ledger:
    return Ledger(workspace, claims, "user:test")


def stored(workspace: Workspace) -> list[str]:
    return [one.body["task"] for one in reversed(workspace.store.find(Query(kind="task_result"), limit=1000).items)]


def test_everything_is_written_when_it_is_closed(workspace: Workspace, ledger: Ledger, claims: Claims) -> None:
    """All results are in the store, in order, with their artifacts and links; their claims are released."""
    claims.take_all(["claim0", "claim1", "claim9"])
    first = entry(0, b"x" * 1000)
    ledger.add(first)
    for number in range(1, 5):
        ledger.add(entry(number, step=result_id(first.result)))
    ledger.close()
    assert stored(workspace) == [f"step{number}" for number in range(5)]
    assert workspace.blobs.get(first.result.artifacts[0]) == b"x" * 1000
    assert first.value.is_stored
    (link,) = workspace.store.trace([result_id(entry(1, step="").result)], "out")
    assert (link.role, link.target) == ("input:step", result_id(first.result))
    assert Claims(workspace.store, "flow:test").take_all(["claim0", "claim1", "claim9"])


def test_many_results_take_few_transactions(workspace: Workspace, ledger: Ledger, monkeypatch) -> None:
    """A hundred results that come quickly are written in groups, not one by one."""
    written: list[Change] = []
    write = type(workspace.store).write

    def count(store: Any, change: Change) -> int:
        written.append(change)
        return write(store, change)

    monkeypatch.setattr(type(workspace.store), "write", count)
    for number in range(100):
        ledger.add(entry(number))
    ledger.close()
    assert len(stored(workspace)) == 100
    assert len(written) < 50


def test_a_result_that_somebody_else_wrote_is_no_error(workspace: Workspace, ledger: Ledger, claims: Claims) -> None:
    """Of equal results one is kept; the others of the group are written, with their links."""
    other = Ledger(workspace, Claims(workspace.store, "flow:test"), "user:other")
    other.add(entry(0))
    other.close()
    ledger._write([entry(0), entry(1, step=result_id(entry(0).result))])
    ledger._write([entry(0)])
    assert stored(workspace) == ["step0", "step1"]
    assert workspace.store.trace([result_id(entry(1, step="").result)], "out")


def test_a_lost_claim_does_not_lose_the_result(
    workspace: Workspace, ledger: Ledger, claims: Claims, monkeypatch
) -> None:
    """Where a claim expired and somebody else has it, the result is written all the same."""
    monkeypatch.setattr("heptad.core.flow_claims.LEASE", timedelta())
    assert claims.take("claim0")
    monkeypatch.undo()
    other = Claims(workspace.store, "flow:test")
    assert other.take("claim0")
    ledger.add(entry(0))
    ledger.close()
    assert stored(workspace) == ["step0"]
    assert not Claims(workspace.store, "flow:test").take("claim0")


def test_an_unknown_source_is_an_error(ledger: Ledger) -> None:
    """A link to a record that is not there is a defect, and is not hidden."""
    with pytest.raises(NotFoundError):
        ledger._write([entry(0, step="task-none")])


def test_what_went_wrong_is_raised_where_it_matters(workspace: Workspace, ledger: Ledger, monkeypatch) -> None:
    """An error of the writing thread is raised by the next `add` or by `close`."""

    def full(*_: Any) -> int:
        raise WorkspaceError("the disk is full")

    monkeypatch.setattr(type(workspace.store), "write", full)
    ledger.add(entry(0))
    assert ledger._thread is not None
    ledger._thread.join()
    with pytest.raises(WorkspaceError, match="full"):
        ledger.add(entry(1))
    with pytest.raises(WorkspaceError, match="full"):
        ledger.close()


def test_claims_are_kept_alive_while_results_keep_coming(
    workspace: Workspace, ledger: Ledger, claims: Claims, monkeypatch
) -> None:
    """A long task keeps its claim although others, that end all the time, give the ledger no rest."""
    for module in ("flow_claims", "flow_ledger"):
        monkeypatch.setattr(f"heptad.core.{module}.LEASE", timedelta(seconds=0.6))
    assert claims.take("long")
    ledger.start()
    for number in range(20):
        ledger.add(entry(number))
        time.sleep(0.08)
    assert not Claims(workspace.store, "flow:test").take("long")
    ledger.close()


def test_claims_are_kept_alive_while_nothing_happens(ledger: Ledger, claims: Claims, monkeypatch) -> None:
    """A task that takes longer than a lease keeps its claim, also where the store is busy for a moment."""
    renewed: list[int] = []

    def renew() -> None:
        renewed.append(1)
        if len(renewed) == 3:
            ledger._queue.put(None)
        raise UnavailableError("busy")

    monkeypatch.setattr(flow_ledger, "LEASE", timedelta(milliseconds=30))
    monkeypatch.setattr(claims, "renew", renew)
    ledger.start()
    assert ledger._thread is not None
    ledger._thread.join(60)
    assert len(renewed) == 3
    ledger.close()
