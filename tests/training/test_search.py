"""A search tries every estimator, records each trial as a run, goes on after failures, and after being killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

from heptad.core.clock import ManualClock
from heptad.core.errors import DataError, NotFoundError
from heptad.experiments import SearchSettings
from heptad.training import TrialEnded, metric_names
from heptad.training.estimators import known_estimators
from heptad.training.fitting import PreparedFold
from heptad.training.metrics import Sample
from heptad.training.model import Scores
from heptad.training.search import joined, space_of

ProjectOn = Callable[..., Any]
SEARCH = SearchSettings(trials=5, folds=2)


def trials_of(project: Any) -> list[tuple[Any, ...]]:
    """Number, parameters, status and value of each trial, by number."""
    runs = [run for run in project.experiments.list() if run.body.study]
    return sorted(
        (
            run.body.number,
            sorted(run.body.params.items()),
            run.attributes["status"],
            run.attributes.get("metrics.roc_auc"),
        )
        for run in runs
    )


def test_every_trial_is_a_run_with_params_series_environment_and_lineage(
    project_on: ProjectOn, cancer: pl.DataFrame
) -> None:
    """The defaults of each estimator come first; each trial has a point a fold, and its mean as metric."""
    project = project_on(cancer, "target", search=SEARCH)
    watched: list[TrialEnded] = []
    best = project.training.search(project.version, watched.append)
    assert [one.estimator for one in watched[:3]] == list(SEARCH.estimators)
    assert [one.number for one in watched] == [0, 1, 2, 3, 4]
    assert watched[-1].best == best.attributes["metrics.roc_auc"] == max(one.value for one in watched if one.value)
    for run in project.experiments.list():
        folds = project.experiments.metric_series(run.id, "fold.roc_auc")
        assert list(folds.steps) == [0, 1]
        assert run.attributes["metrics.roc_auc"] == pytest.approx(np.mean(folds.values))
        assert run.body.environment
        assert run.body.params["estimator"] in SEARCH.estimators
        roles = {link.role: link.target for link in project.workspace.store.trace([run.id], "out")}
        assert roles == {"data": project.version.id, "study": run.body.study}


def test_a_finished_search_answers_at_once(
    project_on: ProjectOn, cancer: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked again, nothing is read and nothing is fitted; other folds are another search."""
    project = project_on(cancer, "target", search=SEARCH)
    best = project.training.search(project.version)
    monkeypatch.setattr(project.data, "scan", None)
    assert project.training.search(project.version).id == best.id
    project.experiments.settings = SearchSettings(trials=2, folds=3)
    monkeypatch.undo()
    assert project.training.search(project.version).body.study != best.body.study


@pytest.mark.parametrize("sampler", ["tpe", "random", "grid"])
def test_more_trials_go_on_where_fewer_ended(project_on: ProjectOn, cancer: pl.DataFrame, sampler: str) -> None:
    """Two trials and then four are the four of a search that was asked for four; fewer choose among the first."""
    settings = SearchSettings(estimators=("linear", "baseline"), trials=4, folds=2, sampler=sampler)
    undisturbed = project_on(cancer, "target", search=settings, folder="undisturbed")
    undisturbed.training.search(undisturbed.version)
    project = project_on(cancer, "target", search=msgspec.structs.replace(settings, trials=2))
    of_two = project.training.search(project.version)
    project.experiments.settings = settings
    watched: list[TrialEnded] = []
    project.training.search(project.version, watched.append)
    assert [(one.number, one.trials) for one in watched] == [(2, 4), (3, 4)]
    assert trials_of(project) == trials_of(undisturbed)
    project.experiments.settings = msgspec.structs.replace(settings, trials=2)
    assert project.training.search(project.version).id == of_two.id


def test_a_search_that_was_interrupted_ends_as_if_it_had_not_been(
    project_on: ProjectOn, cancer: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted in the middle of its third trial and run again, it has the trials of an undisturbed search."""
    undisturbed = project_on(cancer, "target", search=SEARCH, folder="undisturbed")
    undisturbed.training.search(undisturbed.version)
    project = project_on(cancer, "target", search=SEARCH)
    score, calls = PreparedFold.score, iter(range(100))

    def interrupted(self: PreparedFold, *arguments: Any) -> Scores:
        if next(calls) == 5:
            raise KeyboardInterrupt
        return score(self, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(PreparedFold, "score", interrupted)
        with pytest.raises(KeyboardInterrupt):
            project.training.search(project.version)
    statuses = [status for _, _, status, _ in trials_of(project)]
    assert statuses == ["finished", "finished", "running"]
    project.training.search(project.version)
    assert trials_of(project) == trials_of(undisturbed)


def test_trials_that_fail_are_recorded_with_their_reason_and_the_search_goes_on(
    project_on: ProjectOn, cancer: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An estimator that raises and one whose scores are NaN are failed trials; the others decide."""
    score = PreparedFold.score

    def sometimes(self: PreparedFold, estimator: str, *arguments: Any) -> Scores:
        if estimator == "linear":
            raise ValueError("did not converge")
        scores = score(self, estimator, *arguments)
        if estimator == "random_forest":
            return replace(scores, scores=np.full(len(scores.scores), np.nan))
        return scores

    monkeypatch.setattr(PreparedFold, "score", sometimes)
    search = SearchSettings(trials=6, folds=2, metric="log_loss")
    project = project_on(cancer, "target", search=search)
    best = project.training.search(project.version)
    assert best.body.params["estimator"] == "lightgbm"
    reasons = {
        run.body.params["estimator"]: run.attributes["reason"]
        for run in project.experiments.list(where="status = failed")
    }
    assert reasons["linear"] == "ValueError: did not converge"
    assert "something that is no number" in reasons["random_forest"]


def test_an_undefined_metric_is_a_failure_that_says_what_to_set(project_on: ProjectOn) -> None:
    """With a single positive row to search over there is no ROC AUC; with another metric there is a model."""
    frame = pl.DataFrame({"x": [float(one) for one in range(10)], "target": ["b"] * 2 + ["a"] * 8})
    project = project_on(frame, "target", search=SEARCH)
    with pytest.raises(DataError, match="needs rows of both classes") as refusal:
        project.training.search(project.version)
    assert "[search] metric" in refusal.value.remedy
    project.experiments.settings = msgspec.structs.replace(SEARCH, metric="log_loss")
    assert project.training.train(project.version, project.training.search(project.version)).body.evaluation.metrics


def test_a_search_for_f1_judges_by_the_threshold_that_the_model_will_have(project_on: ProjectOn) -> None:
    """Where no probability reaches one half, F1 at one half would be 0 for every trial."""
    random = np.random.default_rng(3)
    number = random.normal(size=3_000)
    rare = random.random(3_000) < 0.3 / (1 + np.exp(2 - 2 * number))
    frame = pl.DataFrame({"x": number, "target": np.where(rare, "yes", "no")})
    search = SearchSettings(estimators=("linear",), trials=1, folds=2, metric="f1")
    best = project_on(frame, "target", search=search)
    run = best.training.search(best.version)
    assert run.attributes["metrics.threshold"] < 0.4
    assert run.attributes["metrics.f1"] > 0.2


def test_a_search_in_which_everything_fails_says_why(
    project_on: ProjectOn, cancer: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error carries the reasons of the trials."""

    def broken(*_arguments: Any) -> Scores:
        raise MemoryError("too large")

    monkeypatch.setattr(PreparedFold, "score", broken)
    project = project_on(cancer, "target", search=SEARCH)
    with pytest.raises(DataError, match=r"All 5 trials .* MemoryError: too large"):
        project.training.search(project.version)


def test_unknown_estimators_are_refused_before_anything_runs(project_on: ProjectOn, wine: pl.DataFrame) -> None:
    """The message lists the estimators there are; nothing is written."""
    project = project_on(wine, "target", search=SearchSettings(estimators=("lightbgm",)))
    with pytest.raises(NotFoundError, match="did you mean 'lightgbm'"):
        project.training.search(project.version)
    assert project.experiments.list() == []


def test_the_rows_that_will_be_judged_are_not_searched_over(
    project_on: ProjectOn, cancer: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No row of the holdout is in any fold, and no more rows are used than the settings say."""
    from heptad.training import search as module

    project = project_on(cancer, "target", search=SearchSettings(trials=1, folds=2, sample=200))
    seen: list[pl.DataFrame] = []

    def watched(train: pl.DataFrame, judged: pl.DataFrame, schema: Any) -> PreparedFold:
        seen.extend([train, judged])
        return PreparedFold(train, judged, schema)

    monkeypatch.setattr(module, "PreparedFold", watched)
    candidate = project.training.train(project.version, project.training.search(project.version))
    used = pl.concat(seen)["_row"].unique()
    assert len(used) == 200
    assert not set(used) & set(project.training.judged_rows(candidate)["_row"])


def test_the_space_holds_the_estimators_that_can_do_the_task(project_on: ProjectOn, wine: pl.DataFrame) -> None:
    """Each branch is an estimator's own space, and its defaults are a point of it."""
    schema = project_on(wine, "target").version.body.schema
    space, first = space_of(schema, SearchSettings())
    assert list(space.branches) == ["linear", "random_forest", "lightgbm"]
    assert first[0] == {"estimator": "linear", **known_estimators()["linear"].defaults}


def test_samples_of_several_folds_are_joined() -> None:
    """Rows of all parts, one after the other."""
    part = Sample(np.array([0, 1]), np.array([0.2, 0.8]), np.array([0, 1]), np.zeros((2, 2)), 2)
    whole = joined([part, part])
    assert (len(whole), whole.classes, whole.probabilities.shape) == (4, 2, (4, 2))
    assert metric_names("classification", whole.classes)[0] == "roc_auc"


CHILD = """
import sys
from pathlib import Path
from heptad.core.settings import ProjectSettings, StoreSettings
from heptad.core.workspace import open_workspace
from heptad.data import CleanSettings, Data, DataSettings, ExpectSettings, SourceSettings
from heptad.experiments import Experiments, SearchSettings
from heptad.training import Training, ValidateSettings

workspace, project = open_workspace(Path(sys.argv[1]), "test", StoreSettings()), ProjectSettings(name="test")
source = {"table": SourceSettings(uri="table.parquet")}
data = Data(workspace, project, source, DataSettings(target="target"), CleanSettings(), ExpectSettings(), {})
experiments = Experiments(workspace, project, SearchSettings(estimators=("linear", "lightgbm"), trials=4, folds=2))
training = Training(workspace, project, ValidateSettings(bootstrap=20), data, experiments)
version = data.collect()
candidate = training.train(version, training.search(version))
runs = sorted(experiments.list(), key=lambda run: run.body.number)
for run in runs:
    series = list(experiments.metric_series(run.id, "fold.roc_auc").values)
    print(run.body.number, sorted(run.body.params.items()), run.attributes["metrics.roc_auc"], series)
print(len(training.candidates()), candidate.body.model_digest, candidate.body.evaluation.metrics)
"""


@pytest.mark.slow
def test_kill_9_at_any_time_changes_nothing(tmp_path: Path, cancer: pl.DataFrame) -> None:
    """A search and training that are killed at boundaries between durable acts end with the same runs and model."""

    def run(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        folder.mkdir(exist_ok=True)
        cancer.write_parquet(folder / "table.parquet")
        command = [sys.executable, "-c", CHILD, str(folder)]
        return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)

    undisturbed = run(tmp_path / "a", HEPTAD_FAULT_LOG=str(tmp_path / "passed"))
    assert undisturbed.returncode == 0, undisturbed.stderr
    boundaries = len((tmp_path / "passed").read_text().splitlines())
    # Each attempt starts where the one before was killed, so that later kills strike later work.
    for kill in (boundaries // 2, boundaries // 3):
        killed = run(tmp_path / "b", HEPTAD_FAULT_KILL=str(kill))
        assert killed.returncode == -signal.SIGKILL, killed.stderr
    resumed = run(tmp_path / "b")
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout == undisturbed.stdout


def test_trials_in_processes_come_to_the_same(project_on: ProjectOn, cancer: pl.DataFrame) -> None:
    """Two processes at once, each with folds of its own; a grid has the same trials and the same values."""
    settings = SearchSettings(estimators=("linear", "baseline"), trials=4, folds=2, sampler="grid")
    alone = project_on(cancer, "target", search=settings, folder="alone")
    alone.training.search(alone.version)
    beside = project_on(cancer, "target", search=msgspec.structs.replace(settings, processes=2, timeout="5m"))
    beside.training.search(beside.version)
    assert trials_of(beside) == trials_of(alone)


def test_a_search_may_leave_features_out(project_on: ProjectOn, cancer: pl.DataFrame) -> None:
    """The defaults use all; where one is left out, neither the folds nor the model that is trained know it."""
    settings = SearchSettings(estimators=("linear",), trials=8, folds=2, sampler="random", features=("mean_radius",))
    project = project_on(cancer, "target", search=settings)
    project.training.search(project.version)
    runs = project.experiments.list(where="params.use.mean_radius = 0")
    assert 0 < len(runs) < 8
    candidate = project.training.train(project.version, runs[0])
    names = [one.name for one in candidate.body.signature.inputs]
    assert "mean_radius" not in names
    assert "mean_texture" in names
    whole = project.training.train(project.version, project.experiments.list(where="params.use.mean_radius = 1")[-1])
    assert "mean_radius" in [one.name for one in whole.body.signature.inputs]


def test_features_that_cannot_be_left_out_are_refused(project_on: ProjectOn, cancer: pl.DataFrame) -> None:
    """An unknown one, and all of them."""
    project = project_on(cancer, "target")
    names = tuple(one.name for one in project.version.body.schema.features())
    for features, error in ((("mean_radios",), NotFoundError), (names, DataError)):
        with pytest.raises(error, match="features"):
            space_of(project.version.body.schema, SearchSettings(features=features))


def test_a_pruner_ends_trials_after_a_fold(project_on: ProjectOn, cancer: pl.DataFrame) -> None:
    """With halving, what begins worse than others is not judged on the remaining folds."""
    settings = SearchSettings(trials=9, folds=4, pruner="halving", metric="log_loss", estimators=("linear", "baseline"))
    project = project_on(cancer, "target", search=settings)
    watched: list[TrialEnded] = []
    best = project.training.search(project.version, watched.append)
    assert best.body.params["estimator"] == "linear"
    pruned = [one.sentence for one in watched if one.pruned]
    assert len(pruned) == project.experiments.study(best.body.study).pruned > 0
    assert "baseline ended early by the pruner in" in pruned[0]


def test_several_metrics_and_a_limit_choose_together(project_on: ProjectOn, cancer: pl.DataFrame) -> None:
    """The front has both metrics, the best keeps to the limit, and a limit that nobody keeps to is said."""
    settings = SearchSettings(
        trials=6, folds=2, objectives=("log_loss",), constraints=("calibration_error <= 0.5",), sampler="random"
    )
    project = project_on(cancer, "target", search=settings)
    report = project.experiments.study(project.training.search(project.version).body.study)
    assert report.objectives == {"roc_auc": "maximize", "log_loss": "minimize"}
    assert report.best is not None
    project.experiments.settings = msgspec.structs.replace(settings, constraints=("calibration_error <= -1",))
    with pytest.raises(DataError, match=r"of 6, keeps to calibration_error <= -1\. .* misses calibration_error by 1\."):
        project.training.search(project.version)


def test_a_search_over_similar_data_begins_with_what_was_found_before(
    project_on: ProjectOn, cancer: pl.DataFrame, clock: ManualClock
) -> None:
    """Behind the defaults come the best points of the search over the version before, which is linked."""
    settings = SearchSettings(estimators=("linear",), trials=6, folds=2)
    project = project_on(cancer, "target", search=settings)
    before = project.training.search(project.version)
    clock.advance(timedelta(days=1))
    later = project_on(cancer[:500], "target", search=msgspec.structs.replace(settings, warm_start="similar"))
    report = later.experiments.study(later.training.search(later.version).body.study)
    assert list(report.warm_start) == [before.body.study]
    assert before.body.params in [run.body.params for run in later.experiments.trials(report.study)][:4]
