"""A record loses values of single rows, and nothing of them stays in the store's file."""

from collections.abc import Callable
from dataclasses import replace

import msgspec
from tests.core.conftest import postgresql_server, postgresql_store, postgresql_url

from heptad.core import graph
from heptad.core.records import Record
from heptad.core.sql_store import SqlStore
from heptad.core.workspace import Workspace
from heptad.data import DatasetVersion, ExpectationResult, Fitted
from heptad.data.erasing.redacting import redacted, rewrite_records, scrub_store

__all__ = ["postgresql_server", "postgresql_store", "postgresql_url"]


def test_only_values_of_the_rows_that_go_are_taken_out(collected: Callable[[int], Record[DatasetVersion]]) -> None:
    """Classes of the target stay: a model answers them. What groups agreed on goes by group and by value."""
    body = collected(40).body
    votes = {"town": {"cust-17": "bonn", "cust-3": "zzyzx-on-sea", "cust-4": "ulm"}}
    body = msgspec.structs.replace(body, fitted=Fitted(votes=votes))
    traces = {"town": frozenset({"zzyzx-on-sea"}), "customer": frozenset({"cust-17"}), "paid": frozenset({"yes"})}
    left = redacted(body, traces, {"age": (20.0, 69.0)})
    assert left.fitted.votes == {"town": {"cust-4": "ulm"}}
    columns = {column.name: column for column in left.schema.columns}
    assert sorted(columns["town"].categories or []) == ["bonn", "köln", "ulm"]
    assert (columns["age"].min, columns["age"].max) == (20.0, 69.0)
    assert left.schema.classes == ["no", "yes"]
    assert (left.digest, left.rows) == (body.digest, body.rows)


def test_what_was_replaced_is_not_in_the_file_any_more(
    workspace: Workspace, collected: Callable[[int], Record[DatasetVersion]]
) -> None:
    """Neither in its free pages nor in its log; the store goes on."""
    version = collected(40)
    store = [path for path in workspace.folder.glob("heptad.db*") if "lock" not in path.name]
    assert any(b"zzyzx-on-sea" in path.read_bytes() for path in store)
    body = redacted(version.body, {"town": frozenset({"zzyzx-on-sea"})}, {})
    rewrite_records(workspace, {version.id: body})
    scrub_store(workspace)
    assert not any(b"zzyzx-on-sea" in path.read_bytes() for path in workspace.folder.glob("heptad.db*"))
    assert graph.load(workspace, version.id, DatasetVersion).body == body


def test_a_store_on_postgresql_is_written_anew_too(workspace: Workspace, postgresql_store: SqlStore) -> None:
    """While others may read it."""
    there = replace(workspace, store=postgresql_store)
    body = ExpectationResult(name="zzyzx", version=1, rows=1, passed=True, findings=[])
    record = graph.save(there, body, scope="test")
    rewrite_records(there, {record.id: msgspec.structs.replace(body, name="gone")})
    scrub_store(there)
    assert graph.load(there, record.id, ExpectationResult).body.name == "gone"
    graph.set_attributes(there, record.id, {"note": "it goes on"})
