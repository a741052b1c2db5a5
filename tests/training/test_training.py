"""The front door of step 3, on real tables: known scores, honest splits, and the same answer when asked again."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

from heptad.core.errors import DataError, NotFoundError
from heptad.data import Profile
from heptad.experiments import SearchSettings
from heptad.training import OnnxModel, ValidateSettings

ProjectOn = Callable[..., Any]
START = datetime(2026, 1, 1, tzinfo=UTC)
LINEAR = {"estimator": "linear", "penalty": 1.0}


def moving(rows: int = 1_200) -> pl.DataFrame:
    """One row an hour whose label is known two days later; the rule that makes it turns round in the middle."""
    random = np.random.default_rng(3)
    signal, other = random.normal(size=rows), random.normal(size=rows)
    sign = np.where(np.arange(rows) < rows // 2, 1, -1)
    times = [START + timedelta(hours=hour) for hour in range(rows)]
    return pl.DataFrame(
        {
            "id": [f"row-{number}" for number in range(rows)],
            "when": times,
            "known": [time + timedelta(days=2) for time in times],
            "signal": signal,
            "other": other,
            "target": np.where(sign * signal + 0.5 * random.normal(size=rows) > 0, "yes", "no"),
        }
    )


def test_breast_cancer_is_told_apart_as_well_as_it_is_known_for(project_on: ProjectOn, cancer: pl.DataFrame) -> None:
    """Search, training and judgement reach the known ROC AUC, far above the trivial model, with parity on every row."""
    project = project_on(cancer, "target")
    best = project.training.search(project.version)
    candidate = project.training.train(project.version, best)
    evaluation = candidate.body.evaluation
    auc = evaluation.value("roc_auc")
    assert evaluation.metric == "roc_auc"
    assert auc is not None
    assert auc.value > 0.98
    assert auc.low <= auc.value <= auc.high
    assert {one.name: one.value for one in evaluation.baseline}["roc_auc"] == 0.5
    assert evaluation.parity.holds
    assert evaluation.parity.rows == candidate.body.split.judge_rows == auc.rows
    assert 0 < evaluation.model_latency_p50_ms <= evaluation.model_latency_p99_ms
    assert sum(one.rows for one in evaluation.calibration) == auc.rows
    assert set(evaluation.attributions) <= set(cancer.columns)
    assert candidate.body.signature.threshold == best.attributes["metrics.threshold"]


def test_wine_and_diabetes_score_what_they_are_known_for(
    project_on: ProjectOn, wine: pl.DataFrame, diabetes: pl.DataFrame
) -> None:
    """Three classes and a number as target go the same way."""
    project = project_on(wine, "target")
    accuracy = project.training.train(project.version, project.training.search(project.version)).body.evaluation.value(
        "accuracy"
    )
    assert accuracy is not None
    assert accuracy.value >= 0.9
    project = project_on(diabetes.rename({"target": "progression"}), "progression", task="regression")
    evaluation = project.training.train(project.version, project.training.search(project.version)).body.evaluation
    r2, trivial = evaluation.value("r2"), {one.name: one.value for one in evaluation.baseline}
    assert r2 is not None
    assert 0.3 < r2.value < 0.65
    assert trivial["r2"] < 0.05


def test_the_same_asked_again_is_the_same_candidate(project_on: ProjectOn, cancer: pl.DataFrame) -> None:
    """Training twice with the same arguments writes one record and one event; other arguments make another."""
    project = project_on(cancer, "target")
    with project.experiments.start("mine", params=LINEAR) as run:
        pass
    record = project.experiments.show(run.id)
    first = project.training.train(project.version, record)
    assert project.training.train(project.version, record) == first
    project.training.settings = ValidateSettings(bootstrap=10)
    other = project.training.train(project.version, record)
    assert other.id != first.id
    assert other.body.model_digest == first.body.model_digest
    assert [one.id for one in project.training.candidates()] == [other.id, first.id]
    assert project.training.show("latest").id == other.id
    events = project.workspace.store.follow(0, ["training.candidate_evaluated"])
    assert [event.subject for event in events] == [first.id, other.id]


def test_a_candidate_can_be_trained_again_from_its_record(project_on: ProjectOn, cancer: pl.DataFrame) -> None:
    """Refitting gives the same model and the same figures on the same rows, and writes nothing."""
    project = project_on(cancer, "target")
    with project.experiments.start("mine", params={"estimator": "lightgbm"}) as run:
        pass
    candidate = project.training.train(project.version, project.experiments.show(run.id))
    refit = project.training.refit(candidate)
    assert refit.model_digest == candidate.body.model_digest
    assert refit.metrics == candidate.body.evaluation.metrics
    assert (refit.train_rows, refit.judge_rows) == (candidate.body.split.train_rows, candidate.body.split.judge_rows)
    assert len(project.training.candidates()) == 1


def test_scores_are_kept_for_every_judged_row(project_on: ProjectOn, wine: pl.DataFrame) -> None:
    """The artifact holds key, label and prediction of each held-out row, in their order; the model gives them again."""
    project = project_on(wine, "target")
    with project.experiments.start("mine", params=LINEAR) as run:
        pass
    candidate = project.training.train(project.version, project.experiments.show(run.id))
    kept = pl.read_ipc(io.BytesIO(project.workspace.blobs.get(candidate.body.scores)))
    rows = project.training.judged_rows(candidate)
    assert kept["id"].to_list() == rows["_row"].cast(pl.String).to_list()
    assert kept["label"].to_list() == rows["target"].to_list()
    model = OnnxModel(project.workspace.blobs.get(candidate.body.model), candidate.body.signature)
    scores = project.training.score(model, rows)
    assert kept["predicted"].to_list() == scores.labels
    assert kept["score"].to_list() == scores.scores.tolist()
    assert [name for name in kept.columns if name.startswith("probability.")] == [
        f"probability.{name}" for name in candidate.body.signature.classes
    ]
    judged = project.training.judge(scores, rows, project.version.body.schema)
    assert judged == candidate.body.evaluation.metrics


def test_profile_and_background_belong_to_the_training_rows(project_on: ProjectOn, cancer: pl.DataFrame) -> None:
    """The reference profile counts the rows that were learnt from; the background rows are nobody's."""
    project = project_on(cancer, "target")
    with project.experiments.start("mine", params=LINEAR) as run:
        pass
    candidate = project.training.train(project.version, project.experiments.show(run.id))
    blobs = project.workspace.blobs
    profile = msgspec.json.decode(blobs.get(candidate.body.profile), type=Profile)
    assert profile.rows == candidate.body.split.train_rows
    background = pl.read_ipc(io.BytesIO(blobs.get(candidate.body.background)))
    assert background.columns == [one.name for one in candidate.body.signature.inputs]
    assert len(background) == 100
    assert background.join(cancer, on=background.columns, how="semi").is_empty()


def test_with_a_time_the_newest_rows_are_judged(project_on: ProjectOn) -> None:
    """Nothing that is learnt from was known later than anything that is judged happened."""
    project = project_on(moving(), "target", key=["id"], time="when", label_time="known")
    with project.experiments.start("mine", params=LINEAR) as run:
        pass
    candidate = project.training.train(project.version, project.experiments.show(run.id))
    split = candidate.body.split
    assert split.by == "time"
    assert split.train_until is not None
    assert (split.judge_rows, split.train_rows) == (240, 1_200 - 240 - 47)
    assert project.training.judged_rows(candidate)["when"].min() == split.train_until
    assert project.training.refit(candidate).model_digest == candidate.body.model_digest


def test_windows_decide_what_is_learnt(project_on: ProjectOn) -> None:
    """After the rule has turned round, a short window learns the new one and a long one does not."""
    project = project_on(moving(), "target", key=["id"], time="when", label_time="known")
    with project.experiments.start("mine", params=LINEAR) as run:
        pass
    record = project.experiments.show(run.id)
    until = START + timedelta(hours=900)
    judged = {
        window: project.training.train(
            project.version, record, window=window, train_until=until, judge_until=until + timedelta(hours=200)
        )
        for window in ("all", "10d")
    }
    split = judged["10d"].body.split
    assert (split.train_from, split.train_rows, split.judge_rows) == (until - timedelta(days=10), 193, 200)
    values = {window: one.body.evaluation.value("roc_auc") for window, one in judged.items()}
    assert values["10d"] is not None
    assert values["all"] is not None
    assert values["10d"].value > 0.9
    assert values["all"].value < 0.7


def test_a_candidate_for_each_run_and_window_is_the_one_that_training_alone_makes(project_on: ProjectOn) -> None:
    """In the order of the runs and then of the windows, each read once; asked again, they are there."""
    project = project_on(moving(), "target", key=["id"], time="when", label_time="known")
    runs = []
    for params in (LINEAR, {"estimator": "lightgbm"}):
        with project.experiments.start("mine", params=params) as run:
            pass
        runs.append(project.experiments.show(run.id))
    until = START + timedelta(hours=900)
    moments = {
        "train_until": until,
        "judge_until": until + timedelta(hours=200),
        "known_at": until + timedelta(days=30),
    }
    found = project.training.train_each(project.version, runs, ["all", "10d"], **moments)
    assert [(one.body.estimator, one.body.window) for one in found] == [
        ("linear", "all"),
        ("linear", "10d"),
        ("lightgbm", "all"),
        ("lightgbm", "10d"),
    ]
    assert project.training.train_each(project.version, runs, ["all", "10d"], **moments) == found
    for one in found:
        refit = project.training.refit(one)
        assert (refit.model_digest, refit.metrics) == (one.body.model_digest, one.body.evaluation.metrics)


def test_labels_that_were_not_known_are_not_used(project_on: ProjectOn) -> None:
    """With `known_at`, rows whose label came later count as unlabelled, in training and judgement."""
    project = project_on(moving(), "target", key=["id"], time="when", label_time="known")
    with project.experiments.start("mine", params=LINEAR) as run:
        pass
    until = START + timedelta(hours=900)
    candidate = project.training.train(
        project.version,
        project.experiments.show(run.id),
        train_until=until,
        judge_until=until + timedelta(hours=200),
        known_at=until + timedelta(days=3),
    )
    assert candidate.body.split.known_at == until + timedelta(days=3)
    assert project.training.judged_rows(candidate)["known"].max() <= until + timedelta(days=3)
    assert candidate.body.split.judge_rows == 25


def test_two_models_are_compared_on_the_same_rows(project_on: ProjectOn, cancer: pl.DataFrame) -> None:
    """A good model and the trivial one differ by what their figures say, and surely."""
    project = project_on(cancer, "target")
    ids = []
    for params in (LINEAR, {"estimator": "baseline"}):
        with project.experiments.start("mine", params=params) as run:
            pass
        ids.append(run.id)
    good, trivial = (project.training.train(project.version, project.experiments.show(one)) for one in ids)
    rows = project.training.judged_rows(good)
    scores = [
        project.training.score(OnnxModel(project.workspace.blobs.get(one.body.model), one.body.signature), rows)
        for one in (good, trivial)
    ]
    schema = project.version.body.schema
    found = project.training.paired_difference(rows, *scores, "roc_auc", 7, schema=schema)
    assert found.a_is_better
    assert found.b == 0.5
    assert found.value == pytest.approx(found.a - 0.5)


def test_slices_are_those_that_the_settings_name(project_on: ProjectOn) -> None:
    """The main metric for each value of a named column; an unknown column is refused with those that exist."""
    frame = moving().with_columns(
        side=pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.lit("left")).otherwise(pl.lit("right"))
    )
    project = project_on(
        frame, "target", key=["id"], time="when", validate=ValidateSettings(bootstrap=20, slices=["side"])
    )
    with project.experiments.start("mine", params=LINEAR) as run:
        pass
    record = project.experiments.show(run.id)
    slices = project.training.train(project.version, record).body.evaluation.slices
    assert {one.value for one in slices} == {"left", "right"}
    assert {one.metric.name for one in slices} == {"roc_auc"}
    wrong = project_on(frame, "target", key=["id"], time="when", validate=ValidateSettings(slices=["sides"]))
    with pytest.raises(NotFoundError, match="did you mean 'side'"):
        wrong.training.train(wrong.version, record)


def test_a_run_without_an_estimator_cannot_be_trained_from(project_on: ProjectOn, wine: pl.DataFrame) -> None:
    """A run of somebody's own script is refused in words."""
    project = project_on(wine, "target")
    with project.experiments.start("mine", params={"depth": 3}) as run:
        pass
    with pytest.raises(DataError, match="names no estimator"):
        project.training.train(project.version, project.experiments.show(run.id))
    with pytest.raises(NotFoundError):
        project.training.show("latest")


def test_ten_rows_are_enough(project_on: ProjectOn) -> None:
    """The smallest table that is promised to work: everything is measured, or said to be undefined."""
    frame = pl.DataFrame({"x": [float(one) for one in range(10)], "target": ["a", "b"] * 5})
    project = project_on(frame, "target", search=SearchSettings(trials=3, folds=3))
    candidate = project.training.train(project.version, project.training.search(project.version))
    assert candidate.body.split.train_rows + candidate.body.split.judge_rows == 10
    assert candidate.body.evaluation.metrics
    assert "ROC AUC" in project.training.report(candidate)
