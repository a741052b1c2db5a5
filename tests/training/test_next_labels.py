"""The rows that are asked for first teach more than others, and come back through a file of corrections."""

from collections.abc import Iterator
from typing import get_args

import numpy as np
import polars as pl
import pytest
from tests.training.conftest import Project, ProjectOn, bundled

from heptad.core.errors import DataError
from heptad.data import CleanSettings
from heptad.training import fit, label_queue, queue_table
from heptad.training.next_labels import WAYS, By, LabelQueue
from heptad.training.out_of_fold import Model

LINEAR = Model("linear", {"penalty": 1.0})
KEEP = CleanSettings(missing_target="keep")


def hidden(frame: pl.DataFrame, labelled: int, seed: int) -> pl.DataFrame:
    """The frame with a number for each row, of which all but so many rows have lost their label."""
    known = np.random.default_rng(seed).permutation(len(frame))[:labelled].tolist()
    numbered = frame.with_row_index("id").with_columns(pl.col("target").cast(pl.String))
    return numbered.with_columns(pl.when(pl.col("id").is_in(known)).then("target").alias("target"))


def queue_of(project: Project, count: int, by: By = "uncertainty", model: Model = LINEAR) -> LabelQueue:
    return label_queue(project.training.parting, project.version, model, 7, count=count, by=by)


def accuracies(project_on: ProjectOn, by: By) -> Iterator[float]:
    """On 797 digits that nobody asks for: what 100 labels, and 60 more that were asked for, make of a model."""
    whole = bundled("digits").with_row_index("place")
    pool, test = whole[:1000].drop("place"), whole[1000:].drop("place").with_columns(pl.col("target").cast(pl.String))
    for seed in range(3):
        project = project_on(hidden(pool, 100, seed), "target", key=["id"], clean=KEEP, folder=f"{by}{seed}")
        asked = [int(one.key["id"]) for one in queue_of(project, 60, by).rows]  # type: ignore[arg-type]
        known = project.training.parting.labelled(project.version)
        told = (
            pool.with_row_index("id").filter(pl.col("id").is_in(asked)).with_columns(pl.col("target").cast(pl.String))
        )
        learnt = pl.concat([known, told.select(known.columns).cast(dict(known.schema))])
        schema = project.version.body.schema
        scores = fit(learnt, schema, "linear", {"penalty": 1.0}, 7).predict_native(test.with_row_index("id"))
        yield float((pl.Series(scores.labels) == test["target"]).mean())  # type: ignore[arg-type]


def test_asking_by_uncertainty_beats_asking_at_random(project_on: ProjectOn) -> None:
    """With the same number of labels the model is right more often, on average over three beginnings."""
    random, uncertain = (np.mean(list(accuracies(project_on, by))) for by in ("random", "uncertainty"))
    assert uncertain > random + 0.01


@pytest.mark.parametrize("by", get_args(By))
def test_every_way_asks_for_rows_without_a_label_and_the_most_telling_first(
    project_on: ProjectOn, wine: pl.DataFrame, by: By
) -> None:
    """As many as were asked for, each once, none of them labelled."""
    frame = hidden(wine, 60, 1)
    project = project_on(frame, "target", key=["id"], clean=KEEP)
    found = queue_of(project, 20, by)
    rows = [one.key["id"] for one in found.rows]
    assert len(set(rows)) == 20
    assert frame.filter(pl.col("id").is_in(rows))["target"].null_count() == 20
    scores = [one.score for one in found.rows]
    assert scores == sorted(scores, reverse=True)
    assert (found.labelled, found.unlabelled) == (60, 118)
    assert queue_of(project, 1_000, by).rows[:20] == found.rows


def test_uncertain_rows_are_those_that_models_are_wrong_about(project_on: ProjectOn) -> None:
    """The first fifth of the queue is called wrongly twice as often as the rest, whichever way is asked."""
    digits = bundled("digits")[:500]
    project = project_on(hidden(digits, 100, 1), "target", key=["id"], clean=KEEP)
    for by in ("uncertainty", "entropy", "disagreement"):
        found = queue_of(project, 400, by)
        wrong = [one.likely != str(digits["target"][int(one.key["id"])]) for one in found.rows]  # type: ignore[arg-type]
        assert np.mean(wrong[:80]) > 2 * np.mean(wrong[80:])


def test_a_filled_file_comes_back_as_labels(project_on: ProjectOn, wine: pl.DataFrame) -> None:
    """Lines that were filled in become labels, the others stay open; the file shows the row to whoever decides."""
    project = project_on(hidden(wine, 60, 1), "target", key=["id"], clean=KEEP)
    parting, version = project.training.parting, project.version
    found = queue_of(project, 10)
    table = queue_table(found, parting.unlabelled(version), version.body.schema)
    assert table.columns[:7] == ["id", "column", "value", "reason", "likely", "probability", "score"]
    assert "alcohol" in table.columns
    path = project.workspace.root / "queue.csv"
    filled = table.with_columns(pl.when(pl.int_range(pl.len()) < 6).then("likely").alias("value"))
    filled.write_csv(path)
    read, _ = project.data.corrections.correct(version, path)
    assert (len(read.cells), read.left_open) == (6, 4)
    assert project.data.collect().body.labelled == 66
    assert set(WAYS) == set(get_args(By))


def test_columns_called_like_the_queues_own_stand_beside_them(project_on: ProjectOn, wine: pl.DataFrame) -> None:
    """A feature `score` is shown as `row score`."""
    frame = hidden(wine, 60, 1).rename({"alcohol": "score", "ash": "value"})
    project = project_on(frame, "target", key=["id"], clean=KEEP)
    rows = project.training.parting.unlabelled(project.version)
    table = queue_table(queue_of(project, 3), rows, project.version.body.schema)
    assert {"score", "value", "row score", "row value"} < set(table.columns)
    assert table["value"].null_count() == 3


def test_where_every_row_has_a_label_nothing_is_queued(project_on: ProjectOn, wine: pl.DataFrame) -> None:
    """And the setting that keeps rows without one is named."""
    project = project_on(wine.with_row_index("id"), "target", key=["id"])
    with pytest.raises(DataError, match="has a label") as raised:
        queue_of(project, 5)
    assert "missing_target" in raised.value.remedy


@pytest.mark.parametrize("by", ["uncertainty", "disagreement"])
def test_numbers_are_asked_for_where_models_differ(project_on: ProjectOn, by: By) -> None:
    """Where nobody has measured yet models differ most, and are wrong; the file comes back as for classes."""
    random = np.random.default_rng(3)
    x = np.concatenate([random.uniform(0, 1, 200), random.uniform(0, 3, 200)])
    target = np.where(np.arange(400) < 200, np.sin(4 * x) + random.normal(size=400) / 50, np.nan)
    frame = pl.DataFrame({"id": range(400), "x": x, "target": target}).with_columns(pl.col("target").fill_nan(None))
    project = project_on(frame, "target", key=["id"], clean=KEEP)
    found = queue_of(project, 200, by, model=LINEAR)
    far = [float(x[int(one.key["id"])]) > 1 for one in found.rows]  # type: ignore[arg-type]
    assert np.mean(far[:50]) > np.mean(far[150:]) + 0.3
    assert [one.score for one in found.rows] == sorted((one.score for one in found.rows), reverse=True)
    assert all(one.probability is None for one in found.rows)
    table = queue_table(found, project.training.parting.unlabelled(project.version), project.version.body.schema)
    assert table.columns[:7] == ["id", "column", "value", "reason", "likely", "probability", "score"]
    path = project.workspace.root / "queue.csv"
    table.with_columns(pl.when(pl.int_range(pl.len()) < 6).then(pl.lit("0.5")).alias("value")).write_csv(path)
    project.data.corrections.correct(project.version, path)
    assert project.data.collect().body.labelled == 206


def test_numbers_have_no_entropy(project_on: ProjectOn, diabetes: pl.DataFrame) -> None:
    """The ways that they have are named; at random they are queued too."""
    frame = hidden(diabetes, 60, 1).with_columns(pl.col("target").cast(pl.Float64))
    project = project_on(frame, "target", key=["id"], clean=KEEP)
    with pytest.raises(DataError, match="no entropy") as raised:
        queue_of(project, 5, "entropy")
    assert raised.value.allowed == "uncertainty, disagreement, random"
    assert len(queue_of(project, 5, "random").rows) == 5
