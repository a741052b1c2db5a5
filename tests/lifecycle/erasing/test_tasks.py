"""Cached results of flows are let go of, and their tasks run again."""

from datetime import timedelta

import polars as pl

from heptad.core.flow import Flow
from heptad.core.garbage import unreferenced
from heptad.core.workspace import Workspace
from heptad.lifecycle.erasing.tasks import forget_results, results

CALLS: list[str] = []


def table() -> pl.DataFrame:
    CALLS.append("table")
    return pl.DataFrame({"who": ["ann@mail.example"] * 1000, "n": range(1000)})


def name(table: pl.DataFrame) -> str:
    CALLS.append("name")
    return str(table["who"][0])


def size(table: pl.DataFrame) -> int:
    CALLS.append("size")
    return table.height


def test_results_with_tables_or_with_a_value_are_forgotten(workspace: Workspace) -> None:
    """A number that says nothing stays; what is run again comes to the same."""
    flow = Flow("own", [table, name, size])
    flow.run(workspace)
    artifacts = {digest for result in results(workspace) for digest in result.body.artifacts}
    assert artifacts
    CALLS.clear()
    for _ in range(2):
        forget_results(workspace, ["ann@mail.example", "17"])
    assert artifacts <= set(unreferenced(workspace, timedelta()))
    assert "ann@mail" not in str(list(results(workspace)))
    workspace.blobs.delete(artifacts)
    again = flow.run(workspace)
    assert again["name"] == "ann@mail.example"
    assert again["size"] == 1000
    assert "table" in CALLS
