"""Predictions of a person leave the journal, the log and the labels, and others stay as they were."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from heptad.core.workspace import Workspace
from heptad.data import Subjects
from heptad.serving.forgetting import ForgetPredictions
from heptad.serving.journal import Journal, create_journal
from heptad.serving.labels import Labels
from heptad.serving.log import PredictionLog
from heptad.serving.log_rows import TABLE
from heptad.serving.messages import Part
from heptad.serving.snapshot import serve_folder

MakePart = Callable[..., Part]
AT = datetime(2026, 1, 1, tzinfo=UTC)


class Used:
    """An endpoint that answered for some, partly collected, with labels for all."""

    def __init__(self, workspace: Workspace, part_of: MakePart) -> None:
        folder = serve_folder(workspace)
        create_journal(folder.journal)
        self.journal = Journal(folder.journal)
        self.log = PredictionLog(workspace.name, folder.journal, workspace.tables / TABLE)
        self.labels = Labels(workspace.tables / "labels", folder.path / "labels.lock")
        self.journal.add([part_of("ann-1"), part_of("bob-111", "ann-222", colour="blue")])
        self.log.collect()
        self.journal.add([part_of("ann-333", "eve-444")])
        ids = ["ann-1", "ann-222", "ann-333", "bob-111", "eve-444"]
        times = {"at": [AT] * len(ids), "known_at": [AT] * len(ids)}
        self.labels.add(pl.DataFrame({"id": ids, "value": ["late"] * len(ids), **times}))

    def ids(self) -> list[str]:
        return sorted(self.log.scan().select("id").collect()["id"])


@pytest.fixture
def used(workspace: Workspace, part_of: MakePart) -> Used:
    return Used(workspace, part_of)


def everything(folder: Path) -> bytes:
    """All bytes, and the rows of all tables."""
    tables = [path for path in folder.rglob("*.parquet") if "_delta_log" not in path.parts]
    rows = [pl.read_parquet(path, glob=False).write_ndjson().encode() for path in tables]
    return b"".join([*rows, *(path.read_bytes() for path in folder.rglob("*") if path.is_file())])


def test_they_are_found_by_inputs_and_by_the_names_of_rows(workspace: Workspace, used: Used) -> None:
    """What was not collected yet is found too; a column that is no input finds nobody."""
    forgetting = ForgetPredictions(workspace)
    assert forgetting.find(Subjects(columns=["colour"], keys=[["blue"]])) == ["ann-222", "bob-111"]
    assert forgetting.find(Subjects(columns=["customer"], keys=[["ann"]])) == []
    assert forgetting.find(Subjects(columns=["customer"], keys=[["ann"]]), ["ann-333", "x"]) == ["ann-333"]
    assert forgetting.count_labels(["ann-1", "ann-222"]) == 2
    assert used.ids() == ["ann-1", "ann-222", "ann-333", "bob-111", "eve-444"]


def test_nothing_of_them_is_in_any_file(workspace: Workspace, used: Used, part_of: MakePart) -> None:
    """Answers of others that came in the same request are still given again; done twice, it is done once."""
    gone = ["ann-1", "ann-222", "ann-333"]
    before = used.journal.add([part_of("bob-111", colour="blue")])
    for _ in range(2):
        ForgetPredictions(workspace).forget(gone)
    assert used.ids() == ["bob-111", "eve-444"]
    assert used.labels.scan("classification").collect().height == 2
    assert not any(one.encode() in everything(workspace.folder) for one in gone)
    assert used.journal.add([part_of("bob-111", colour="blue")]) == before
    used.journal.add([part_of("new-1")])
    assert used.log.collect() == 1
    assert used.ids() == ["bob-111", "eve-444", "new-1"]


def test_an_erased_id_that_comes_again_is_answered_anew(workspace: Workspace, used: Used, part_of: MakePart) -> None:
    """Nothing is known of it any more."""
    ForgetPredictions(workspace).forget(["ann-1"])
    again = part_of("ann-1", x=-3.0)
    assert used.journal.add([again]) == [again.replies]
    assert "ann-1" in used.ids()


def test_an_endpoint_that_never_answered_has_nobody(workspace: Workspace) -> None:
    """No file is made for it but a folder."""
    forgetting = ForgetPredictions(workspace)
    nobody: Any = Subjects(columns=["customer"], keys=[["ann"]])
    assert forgetting.find(nobody, ["x"]) == []
    assert forgetting.count_labels(["x"]) == 0
    forgetting.forget(["x"])
    assert not workspace.tables.exists()
