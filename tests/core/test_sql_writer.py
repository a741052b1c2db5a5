"""Changes are checked before the store is touched, and a store that was moved takes none."""

from contextlib import contextmanager

import pytest

from heptad.core import faults, sql_writer
from heptad.core.errors import InputError, WorkspaceError
from heptad.core.identity import acting_as
from heptad.core.query import Query
from heptad.core.records import AliasMove, Attribute, Change, NewEvent
from heptad.core.sql_store import SqlStore
from heptad.testing.store_contract import points, record


def test_a_wrong_value_is_found_before_the_transaction(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """So nobody waits for a change that cannot be written."""

    @contextmanager
    def refuse(**_: object) -> object:
        pytest.fail("a transaction began")
        yield

    monkeypatch.setattr(store.database, "writing", refuse)
    for wrong in (
        Change(records=[record("r1", body={"x": object()})]),
        Change(attributes=[Attribute("r1", "k", object())]),  # type: ignore[arg-type]
        Change(events=[NewEvent(kind="", subject="r1")]),
        Change(events=[NewEvent(kind="t.x", subject="r1", body={"x": float("nan")})]),
    ):
        with pytest.raises(InputError):
            store.write(wrong)


def test_a_change_of_nothing_takes_no_turn(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """It only asks for the newest position."""
    store.write(Change(records=[record("r1")], events=[NewEvent(kind="t.x", subject="r1")]))
    monkeypatch.setattr(store.database, "writing", None)
    assert store.write(Change()) == 1


def test_who_acts_is_who_acted(store: SqlStore) -> None:
    """The actor in force, unless the change names one."""
    event = NewEvent(kind="t.x", subject="r1")
    with acting_as("plan:p1"):
        store.write(Change(events=[event]))
        store.write(Change(events=[event], actor="token:ci"))
    assert [one.actor for one in store.follow(0)] == ["plan:p1", "token:ci"]


def test_scopes_and_kinds_are_kept_apart(store: SqlStore) -> None:
    """Records of one kind and scope are a family; a later change finds the family again."""
    for kind in ("run", "study"):
        for scope in ("a", "b"):
            for number in range(2):
                store.write(Change(records=[record(f"{kind}-{scope}{number}", kind=kind, scope=scope)]))
    found = store.find(Query(kind="study", scopes=["b"])).items
    assert [(one.id, one.kind, one.scope) for one in found] == [("study-b1", "study", "b"), ("study-b0", "study", "b")]


def test_a_sealed_store_is_read_only_and_says_where_it_went(store: SqlStore) -> None:
    """Whoever still has it open is told."""
    store.write(Change(records=[record("r1")], events=[NewEvent(kind="t.x", subject="r1")]))
    with store.database.writing() as transaction:
        sql_writer.seal(transaction, "postgresql://elsewhere/heptad")
    with pytest.raises(WorkspaceError, match="moved to postgresql://elsewhere/heptad"):
        store.write(Change(records=[record("r2")]))
    with pytest.raises(WorkspaceError, match="moved to postgresql://elsewhere/heptad"):
        store.append([points(0, 1)])
    assert len(store.get(["r1"])) == store.write(Change()) == 1


def test_a_write_passes_two_boundaries(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """One just before it becomes durable, one just after: there the tests of faults kill the process."""
    passed: list[str] = []
    monkeypatch.setattr(faults, "_ACTIVE", True)
    monkeypatch.setattr(faults, "_pass", passed.append)
    store.write(Change(aliases=[AliasMove(scope="s", name="a", target=None)]))
    assert passed == ["store.before_commit", "store.after_commit"]
