"""Labels that were flipped on purpose are found, and corrected they make a better model."""

import numpy as np
import polars as pl
import pytest
from tests.training.conftest import Project, ProjectOn

from heptad.training import ValidateSettings, find_label_errors
from heptad.training.label_errors import LabelErrors
from heptad.training.out_of_fold import Model, model_of

LINEAR = Model("linear", {"penalty": 1.0})
FOREST = model_of([], "random_forest")


def flipped(frame: pl.DataFrame, share: float, seed: int = 3) -> tuple[pl.DataFrame, set[int]]:
    """The frame with a number for each row, where so many labels are another class; and which rows those are."""
    random = np.random.default_rng(seed)
    rows = set(random.choice(len(frame), round(share * len(frame)), replace=False).tolist())
    classes = frame["target"].unique().sort().to_list()
    labels = [
        random.choice([other for other in classes if other != label]) if row in rows else label
        for row, label in enumerate(frame["target"])
    ]
    return frame.with_columns(target=pl.Series(labels)).with_row_index("id"), rows


def errors_of(project: Project, model: Model = LINEAR) -> LabelErrors:
    return find_label_errors(project.training.parting, project.version, model, 7)


@pytest.mark.parametrize("model", [LINEAR, FOREST], ids=["linear", "forest"])
@pytest.mark.parametrize("name", ["cancer", "wine"])
def test_flipped_labels_are_found(
    project_on: ProjectOn, request: pytest.FixtureRequest, name: str, model: Model
) -> None:
    """Of one label in twelve that was flipped at least eight in ten are found, and seven in ten of what is found were.

    The likely label is the one that the row had in nine of ten.
    """
    clean: pl.DataFrame = request.getfixturevalue(name)
    frame, wrong = flipped(clean, 1 / 12)
    found = errors_of(project_on(frame, "target", key=["id"]), model)
    rows = [int(one.key["id"]) for one in found.errors]  # type: ignore[arg-type]
    hits = [row for row in rows if row in wrong]
    assert len(hits) / len(wrong) >= 0.8
    assert len(hits) / len(rows) >= 0.7
    likely = {int(one.key["id"]): one.likely for one in found.errors}  # type: ignore[arg-type]
    assert np.mean([likely[row] == str(clean["target"][row]) for row in hits]) >= 0.9
    assert [one.quality for one in found.errors] == sorted(one.quality for one in found.errors)


def test_corrected_labels_make_a_better_model(project_on: ProjectOn, cancer: pl.DataFrame) -> None:
    """What the finder proposes, put in by `data correct`, is closer to the truth and so is the model of it."""
    frame, wrong = flipped(cancer, 0.15)
    project = project_on(frame, "target", key=["id"], validate=ValidateSettings(bootstrap=5))
    found = errors_of(project)
    path = project.workspace.root / "errors.csv"
    found.table().write_csv(path)
    _, correction = project.data.corrections.correct(project.version, path)
    assert correction is not None
    corrected = project.data.collect()
    labels = project.data.scan(corrected).sort("id").collect()["target"]
    left = int((labels != cancer["target"].cast(pl.String)).sum())
    assert left < 0.4 * len(wrong)
    assert sum(one.cells for one in corrected.body.repairs if one.rule == "corrected") == len(found.errors)


def test_every_label_is_judged_by_models_that_have_not_seen_it(project_on: ProjectOn, wine: pl.DataFrame) -> None:
    """Labels that are noise cannot be agreed with: whoever had seen them would know them by heart."""
    noise = wine.with_columns(target=pl.Series(np.random.default_rng(1).permutation(wine["target"].to_numpy())))
    found = errors_of(project_on(noise.with_row_index("id"), "target", key=["id"]), FOREST)
    assert found.agreement < 0.5
    assert found.rows == len(wine)


def test_clean_labels_are_mostly_left_alone(project_on: ProjectOn, wine: pl.DataFrame) -> None:
    """A set whose labels were measured has few that a model would doubt."""
    found = errors_of(project_on(wine.with_row_index("id"), "target", key=["id"]))
    assert len(found.errors) <= 0.03 * len(wine)
    assert found.table().columns[:4] == ["id", "column", "value", "reason"] or not found.errors


def test_a_rare_class_and_times_do_not_disturb(project_on: ProjectOn, wine: pl.DataFrame) -> None:
    """A class of two rows may be missing where a model learns; rows with a time are dealt by hash all the same."""
    frame, _ = flipped(wine, 0.1)
    rare = frame.with_columns(
        target=pl.when(pl.col("id") < 2).then(pl.lit("rare")).otherwise("target"),
        when=pl.datetime(2026, 1, 1) + pl.duration(hours=pl.col("id")),
    )
    found = errors_of(project_on(rare, "target", key=["id"], time="when"))
    assert found.rows == len(wine)
    assert found.errors


def measured(rows: int = 600, seed: int = 1) -> tuple[pl.DataFrame, set[int]]:
    """Friedman's function with noise that grows with it; of one value in twenty, which are told, a digit was shifted.

    J. Friedman, "Multivariate adaptive regression splines" (1991).
    """
    random = np.random.default_rng(seed)
    x = random.random((rows, 5))
    right = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    given = right + random.normal(size=rows) * right / 15
    wrong = random.choice(rows, rows // 20, replace=False)
    given[wrong] *= random.choice([0.1, 10], len(wrong))
    table = pl.DataFrame({"id": range(rows), **{f"x{n}": x[:, n] for n in range(5)}, "target": given})
    return table, set(wrong.tolist())


@pytest.mark.parametrize("model", [FOREST, model_of([])], ids=["forest", "boosting"])
def test_wrong_numbers_are_found(project_on: ProjectOn, model: Model) -> None:
    """Of shifted digits seven in ten, and nine in ten of what is found were; the rest is no further off than others."""
    frame, wrong = measured()
    project = project_on(frame, "target", key=["id"])
    found = errors_of(project, model)
    rows = [int(one.key["id"]) for one in found.errors]  # type: ignore[arg-type]
    hits = [row for row in rows if row in wrong]
    assert len(hits) / len(wrong) >= 0.7
    assert len(hits) / len(rows) >= 0.9
    assert (found.rows, found.numbers) == (600, True)
    assert 0.6 < found.agreement < 1
    assert [one.quality for one in found.errors] == sorted(one.quality for one in found.errors)
    assert "of the variance of the others" in found.sentence
    assert "is usually off by" in found.errors[0].reason


def test_right_numbers_are_left_alone(project_on: ProjectOn, diabetes: pl.DataFrame) -> None:
    """Of a set whose values were measured."""
    assert len(errors_of(project_on(diabetes.with_row_index("id"), "target", key=["id"])).errors) <= 2


def test_numbers_are_decided_by_a_person(project_on: ProjectOn) -> None:
    """No model's word is proposed for a measurement: lines are open until they are filled in."""
    frame, wrong = measured()
    project = project_on(frame, "target", key=["id"])
    found = errors_of(project, FOREST)
    table = found.table()
    assert table.columns == ["id", "column", "value", "reason", "given", "quality", "likely"]
    assert table["value"].null_count() == len(table)
    path = project.workspace.root / "errors.csv"
    table.write_csv(path)
    read, _ = project.data.corrections.correct(project.version, path)
    assert (len(read.cells), read.left_open) == (0, len(table))
    row = next(int(one.key["id"]) for one in found.errors if int(one.key["id"]) in wrong)  # type: ignore[arg-type]
    table.with_columns(pl.when(pl.col("id") == row).then(pl.lit("17.5")).alias("value")).write_csv(path)
    project.data.corrections.correct(project.version, path)
    assert project.data.scan(project.data.collect()).filter(pl.col("id") == row).collect()["target"].to_list() == [17.5]
