"""`[validate]` decides which rows are learnt from, judged, searched over and nested."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from tests.training.conftest import Project, ProjectOn

from heptad.core.errors import DataError, NotFoundError, SettingsError
from heptad.data import row_ids
from heptad.experiments import SearchSettings
from heptad.training import ValidateSettings
from heptad.training.parting import Parting

START = datetime(2026, 1, 1, tzinfo=UTC)
QUICK = SearchSettings(estimators=("linear",), trials=1, folds=2)


def table(rows: int, *, rare: int = 5, first: int = 0) -> pl.DataFrame:
    """Every `rare`-th row is of the rare class; about seven rows a patient, within twenty hours."""
    numbers = list(range(first, first + rows))
    return pl.DataFrame(
        {
            "id": numbers,
            "x": [float(one * 7919 % 1013) for one in numbers],
            "patient": [f"p{one // 20 * 3 + one % 3}" for one in numbers],
            "when": [START + timedelta(hours=one) for one in numbers],
            "y": ["rare" if one % rare == 1 else "often" for one in numbers],
        },
        schema_overrides={"when": pl.Datetime("us", "UTC")},
    )


def opened(project_on: ProjectOn, frame: pl.DataFrame, **validate: object) -> tuple[Project, Parting]:
    project = project_on(frame, "y", key=["id"], ignore=["patient", "when"], validate=ValidateSettings(**validate))  # type: ignore[arg-type]
    return project, project.training.parting


def test_a_growing_table_moves_no_row_and_keeps_the_shares(project_on: ProjectOn) -> None:
    """Judged rows are judged in every later version, folds stay folds, and each class has its share."""
    project, parting = opened(project_on, table(200))
    sides: dict[str, str] = {}
    folds: dict[str, int] = {}
    for rows in (200, 330, 1_000):
        table(rows).write_parquet(project.workspace.root / "table.parquet")
        version = project.data.collect()
        parts = parting.parts(version)
        found = dict.fromkeys(row_ids(parts.train, version.body.schema), "train")
        found |= dict.fromkeys(row_ids(parts.judged, version.body.schema), "judged")
        assert len(found) == rows
        assert {one: found[one] for one in sides} == sides
        numbered = {}
        for number, fold in enumerate(parting.folds(version, parts.train, 3)):
            numbered |= dict.fromkeys(row_ids(parts.train[fold.judge], version.body.schema), number)
        assert len(numbered) == len(parts.train)
        assert {one: numbered[one] for one in folds} == folds
        sides, folds = found, numbered
        if rows == 200:
            counts = parts.judged["y"].value_counts().sort("count")["count"].to_list()
            assert counts == [8, 32]
    assert list(sides.values()).count("judged") == pytest.approx(200, abs=45)


def test_a_table_larger_than_memory_is_refused_in_words(project_on: ProjectOn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the system ends the process; what the settings say that it may use counts."""
    project, parting = opened(project_on, table(2_000))
    assert len(parting.labelled(project.version)) == 2_000
    monkeypatch.setattr("heptad.training.parting.SURE", 1_000)
    assert len(parting.labelled(project.version)) == 2_000
    monkeypatch.setattr("heptad.training.parting.budget", lambda: 10_000)
    with pytest.raises(DataError, match="2,000 rows of test@1 take about"):
        parting.labelled(project.version)
    assert len(parting.labelled(project.version, ["y"])) == 2_000


def test_no_group_is_on_both_sides_whatever_is_split(project_on: ProjectOn) -> None:
    """Neither in the holdout, nor in a fold, nor in a nested one; the share is near the one asked for."""
    project, parting = opened(project_on, table(700), group=["patient"], outer_folds=3)
    version = project.version
    parts = parting.parts(version)
    assert not set(parts.train["patient"]) & set(parts.judged["patient"])
    assert len(parts.judged) / 700 == pytest.approx(0.2, abs=0.03)
    assert parts.split.group == ["patient"]
    for frame, folds in (
        (parts.train, parting.folds(version, parts.train, 3)),
        (parting.labelled(version), parting.outer(version, parting.labelled(version))),
    ):
        for fold in folds:
            assert not set(frame[fold.train]["patient"]) & set(frame[fold.judge]["patient"])


@pytest.mark.parametrize("group", [[], ["patient"]])
@pytest.mark.parametrize("time", ["", "when"])
def test_nested_folds_are_disjoint(project_on: ProjectOn, group: list[str], time: str) -> None:
    """No row that an outer fold judges is in any fold of its search; without time each row is judged once."""
    split = "time" if time else "hash"
    project = project_on(
        table(400), "y", key=["id"], time=time, ignore=["patient"],
        validate=ValidateSettings(group=group, outer_folds=4, split=split),  # type: ignore[arg-type]
    )  # fmt: skip
    parting = project.training.parting
    frame = parting.labelled(project.version)
    found = parting.nested(project.version, frame, 3)
    for one in found:
        judged = set(one.outer.judge.tolist())
        assert not judged & set(one.outer.train.tolist())
        for inner in one.inner:
            rows = {*inner.train.tolist(), *inner.judge.tolist()}
            assert not rows & judged
            assert rows <= set(one.outer.train.tolist())
            assert not set(inner.train.tolist()) & set(inner.judge.tolist())
            if time:
                assert frame["when"][inner.train].max() < frame["when"][inner.judge].min()  # type: ignore[operator]
    if not time:
        assert sorted(np.concatenate([one.outer.judge for one in found])) == list(range(400))


@pytest.mark.parametrize(("rows", "rare", "holdout"), [(8, 4, 0.05), (8, 4, 0.9), (60, 30, 0.2), (120, 2, 0.5)])
def test_every_row_is_on_one_side_and_every_class_on_both(
    project_on: ProjectOn, rows: int, rare: int, holdout: float
) -> None:
    """No row is lost or used twice; a class with two rows or more is learnt from and judged."""
    frame = table(rows, rare=rare)
    project, parting = opened(project_on, frame, holdout=holdout)
    parts = parting.parts(project.version)
    assert sorted([*parts.train["id"], *parts.judged["id"]]) == frame["id"].to_list()
    assert set(parts.train["y"]) == set(parts.judged["y"]) == {"often", "rare"}


def test_a_moment_fixes_which_rows_are_judged(project_on: ProjectOn) -> None:
    """With `since` a row that was learnt from is never judged later, however the table grows in time."""
    since = ValidateSettings(since="2026-01-05")
    project = project_on(table(200), "y", key=["id"], time="when", ignore=["patient"], validate=since)
    for rows in (200, 400):
        table(rows).write_parquet(project.workspace.root / "table.parquet")
        parts = project.training.parting.parts(project.data.collect())
        assert parts.train["id"].max() == 95
        assert len(parts.judged) == rows - 96


def test_a_split_by_hash_can_be_asked_for_where_there_is_a_time(project_on: ProjectOn) -> None:
    """Rows of one patient may be spread over time, and a group is then what matters."""
    for validate in (ValidateSettings(split="hash"), ValidateSettings(group=["patient"])):
        project = project_on(table(200), "y", key=["id"], time="when", ignore=["patient"], validate=validate)
        parts = project.training.parting.parts(project.version)
        assert parts.split.by == "hash"
        assert parts.judged["when"].min() < parts.train["when"].max()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("validate", "problem"),
    [({"split": "time"}, "needs a time"), ({"since": "2026-01-01"}, "needs a time")],
)
def test_wishes_that_a_table_cannot_fulfil_are_refused(
    project_on: ProjectOn, validate: dict[str, str], problem: str
) -> None:
    """In words that name the setting."""
    project, parting = opened(project_on, table(40), **validate)
    with pytest.raises(SettingsError, match=problem):
        parting.parts(project.version)


def test_settings_that_contradict_each_other_are_refused(project_on: ProjectOn) -> None:
    """By hash and from a moment on cannot both be meant."""
    both = ValidateSettings(split="hash", since="2026-01-05")
    project = project_on(table(40), "y", key=["id"], time="when", validate=both)
    with pytest.raises(SettingsError, match="contradict"):
        project.training.parting.parts(project.version)


def test_a_group_that_does_not_exist_is_refused(project_on: ProjectOn) -> None:
    """With the columns that there are."""
    project, parting = opened(project_on, table(40), group=["pacient"])
    with pytest.raises(NotFoundError, match="pacient"):
        parting.parts(project.version)


def test_a_candidate_is_parted_again_as_it_was(project_on: ProjectOn) -> None:
    """Whatever the settings say now, and whatever rows came: a rebuilt model learns from the same rows."""
    project = project_on(
        table(300), "y", key=["id"], ignore=["when"], search=QUICK,
        validate=ValidateSettings(group=["patient"], bootstrap=5),
    )  # fmt: skip
    training = project.training
    candidate = training.train(project.version, training.search(project.version))
    other = Parting(project.workspace, ValidateSettings(holdout=0.5), project.data)
    parts = other.parts_of(candidate, project.version)
    assert parts.judged["id"].to_list() == training.parting.parts(project.version).judged["id"].to_list()
    assert parts.split == candidate.body.split
    refit = training.refit(candidate)
    assert refit.model_digest == candidate.body.model_digest
