"""Every row's place, and each part in figures."""

import polars as pl
import pytest
from tests.training.conftest import ProjectOn
from tests.training.test_parting import table

from heptad.core.errors import DataError
from heptad.training import ValidateSettings, split_table


def test_every_row_has_its_place_and_parts_add_up(project_on: ProjectOn) -> None:
    """Judged rows are in no fold, the others in one; outer and inner folds take all rows."""
    project = project_on(table(300), "y", key=["id"], ignore=["patient", "when"])
    found = split_table(project.training.parting, project.version, 3, ["patient"])
    rows = found.rows.collect()
    assert rows.columns == ["id", "patient", "part", "fold", "outer", "inner"]
    assert rows["id"].to_list() == list(range(300))
    assert rows.filter(pl.col("part") == "judged")["fold"].null_count() == 60
    assert rows.filter(pl.col("part") == "train")["fold"].null_count() == 0
    assert rows["outer"].null_count() == rows["inner"].null_count() == 0
    figures = {one.part: one for one in found.parts}
    assert figures["train"].rows + figures["judged"].rows == 300
    assert figures["judged"].share == 0.2
    assert figures["judged"].classes == {"often": 0.8, "rare": 0.2}
    assert sum(figures[f"fold {number}"].rows for number in (1, 2, 3)) == 240
    assert sum(figures[f"outer {number}"].rows for number in range(1, 6)) == 300
    assert figures["train"].groups is not None


def test_rows_without_a_group_are_no_group(project_on: ProjectOn) -> None:
    """Each of them is dealt by itself; of several columns all name the group."""
    frame = table(300).with_columns(
        pl.when(pl.col("id") % 20 < 3).then("patient").alias("patient"), nobody=pl.lit(None, pl.String)
    )
    for group in (["patient"], ["patient", "nobody"]):
        validate = ValidateSettings(group=group)
        project = project_on(frame, "y", key=["id"], ignore=["patient", "when", "nobody"], validate=validate)
        found = split_table(project.training.parting, project.version, 3, group)
        told = {one.part: one.groups or 0 for one in found.parts}
        assert told["train"] + told["judged"] == (45 if group == ["patient"] else 0)
        assert found.rows.collect()["part"].n_unique() == 2


def test_one_group_alone_is_refused_by_its_name(project_on: ProjectOn) -> None:
    """More rows of the same would not help."""
    frame = table(100).with_columns(patient=pl.lit("p1"))
    validate = ValidateSettings(group=["patient"])
    project = project_on(frame, "y", key=["id"], ignore=["patient", "when"], validate=validate)
    with pytest.raises(DataError, match="no labelled rows") as error:
        split_table(project.training.parting, project.version, 3, ["patient"])
    assert "the same patient are all on one side ([validate] group)" in error.value.remedy


def test_a_column_that_is_called_like_a_place_is_refused(project_on: ProjectOn) -> None:
    """Instead of one being told for the other."""
    project = project_on(table(100).rename({"id": "fold"}), "y", key=["fold"], ignore=["patient", "when"])
    with pytest.raises(DataError, match="a column 'fold'"):
        split_table(project.training.parting, project.version, 3, [])


def test_a_target_that_is_called_like_a_place_is_none(project_on: ProjectOn) -> None:
    """What rows are known by has to have another name, what they are split by does not."""
    names = {"y": "part", "when": "outer"}
    project = project_on(table(100).rename(names), "part", key=["id"], time="outer", ignore=["patient"])
    assert (
        split_table(project.training.parting, project.version, 3, []).rows.collect()["part"].to_list().count("judged")
        == 20
    )


def test_rows_that_are_neither_learnt_from_nor_judged_are_counted(project_on: ProjectOn) -> None:
    """By time, rows of a judged patient are left out; the earliest block judges nothing."""
    validate = ValidateSettings(split="time", group=["patient"], holdout=0.05)
    project = project_on(table(300), "y", key=["id"], time="when", ignore=["patient"], validate=validate)
    found = split_table(project.training.parting, project.version, 3, ["patient"])
    neither = next(one for one in found.parts if one.part == "neither")
    assert neither.rows > 0
    assert sum(one.rows for one in found.parts if one.part in {"train", "judged", "neither"}) == 300
    assert "inner" not in found.rows.collect().columns
    assert found.by == "time"
