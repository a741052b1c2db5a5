"""Classes are balanced in rows that are learnt from, nowhere else; probabilities stay those of rows as they come."""

from collections.abc import Iterator

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.training.conftest import Project, ProjectOn

from heptad.core import catalogue
from heptad.core.errors import DataError, NotFoundError
from heptad.data import Column, Schema, row_ids
from heptad.experiments import SearchSettings
from heptad.training import ValidateSettings, columns_of, fit
from heptad.training.balance import PriorCorrected, balance
from heptad.training.fitting import PreparedFold
from heptad.training.model import OnnxModel

HOWS = ["weights", "oversample", "undersample", "smote"]
SCHEMA = Schema(
    columns=[
        Column(name="id", type="integer", role="key"),
        Column(name="x", type="number"),
        Column(name="z", type="number"),
        Column(name="shop", type="category"),
        Column(name="y", type="category", role="target"),
    ],
    task="classification",
    classes=["no", "yes"],
)


def table(rows: int, seed: int = 1) -> pl.DataFrame:
    """About one row in twenty is positive, with a probability that x and the shop decide."""
    random = np.random.default_rng(seed)
    x, z, shop = random.normal(size=rows), random.normal(size=rows), random.integers(0, 3, rows)
    chance = 1 / (1 + np.exp(4 - 1.5 * x - 0.7 * (shop == 1)))
    return pl.DataFrame(
        {
            "id": np.arange(rows),
            "x": x,
            "z": np.where(random.random(rows) < 0.1, np.nan, z),
            "shop": [f"s{one}" for one in shop],
            "y": np.where(random.random(rows) < chance, "yes", "no"),
        }
    ).with_columns(pl.col("z").fill_nan(None))


TARGETS = st.lists(st.integers(0, 3), min_size=2, max_size=80).filter(lambda target: len(set(target)) > 1)


@given(TARGETS, st.integers(0, 9))
def test_every_class_counts_alike_and_no_row_is_made_up(target: list[int], seed: int) -> None:
    """By weight or by number; rows of the result are rows that were there, with the class that they had."""
    matrix, labels = np.arange(len(target), dtype=float).reshape(-1, 1), np.array(target)
    for how in ("weights", "oversample", "undersample"):
        made = balance(matrix, labels, 4, [], how, seed)
        counted = np.bincount(made.target, made.weights, minlength=4)
        there = counted[np.bincount(labels, minlength=4) > 0]
        assert there == pytest.approx(there[0])
        rows = made.matrix[:, 0].astype(int)
        assert (labels[rows] == made.target).all()
        if how != "undersample":
            assert set(rows) == set(range(len(target)))


@given(TARGETS)
def test_what_was_changed_is_what_is_set_right(target: list[int]) -> None:
    """Shares of balanced rows times the ratios are the shares of the rows as they came."""
    labels = np.array(target)
    made = balance(np.zeros((len(labels), 1)), labels, 4, [], "weights", 0)
    shares = np.bincount(made.target, made.weights, minlength=4) * made.ratios
    assert shares / shares.sum() == pytest.approx(np.bincount(labels, minlength=4) / len(labels))


@pytest.mark.parametrize("estimator", ["linear", "random_forest", "lightgbm"])
@pytest.mark.parametrize("how", HOWS)
def test_probabilities_stay_calibrated(estimator: str, how: str) -> None:
    """On rows that were not learnt from, about as many are positive as was said; without the correction far too many.

    Models that learn drawn rows by heart are too sure of them, which no correction of shares can undo; they are held to
    lose two thirds of their bias.
    """
    train, test = table(6_000), table(6_000, seed=2)
    fitted = fit(train, SCHEMA, estimator, {"balance": how}, 7)
    said = fitted.predict_native(test).scores
    truth = (test["y"] == "yes").to_numpy()
    assert isinstance(fitted.native, PriorCorrected)
    matrix = fitted.preprocessing.transform(columns_of(test, fitted.signature))
    uncorrected = fitted.native.model.predict(matrix)[:, 1]
    assert uncorrected.mean() > 2.5 * truth.mean()
    assert abs(said.mean() - truth.mean()) < 0.35 * abs(uncorrected.mean() - truth.mean())
    if estimator == "linear" or how == "undersample":
        assert said.mean() == pytest.approx(truth.mean(), abs=0.012)
        for part in np.array_split(np.argsort(said), 4):
            assert said[part].mean() == pytest.approx(truth[part].mean(), abs=0.05)


@pytest.mark.parametrize("estimator", ["linear", "random_forest", "lightgbm", "baseline"])
def test_the_graph_answers_what_the_model_does(estimator: str) -> None:
    """The correction is part of what is served."""
    train, test = table(1_000), table(300, seed=2)
    fitted = fit(train, SCHEMA, estimator, {"balance": "weights"}, 7)
    served = OnnxModel(fitted.onnx, fitted.signature).predict(columns_of(test, fitted.signature))
    native = fitted.predict_native(test)
    assert served.probabilities is not None
    assert native.probabilities is not None
    assert np.abs(served.probabilities - native.probabilities).max() < 1e-6
    assert served.probabilities.sum(axis=1) == pytest.approx(1)


def test_weights_find_more_of_a_rare_class_at_one_half() -> None:
    """The raw model, whose answers are not set right, is the proof that balance reaches every estimator."""
    train = table(4_000)
    for estimator in ("linear", "random_forest", "lightgbm", "baseline"):
        plain = fit(train, SCHEMA, estimator, {}, 7)
        made = fit(train, SCHEMA, estimator, {"balance": "weights"}, 7)
        assert isinstance(made.native, PriorCorrected)
        matrix = made.preprocessing.transform(columns_of(train, made.signature))
        assert made.native.model.predict(matrix)[:, 1].mean() > 3 * plain.native.predict(matrix)[:, 1].mean()


SEEN: list[set[int]] = []
"""For each call of the resampler that watches: which rows it was given, by the value of their first column."""


def watching(matrix: np.ndarray, target: np.ndarray, codes: list[int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A resampler that writes down its rows and answers each of them twice."""
    SEEN.append(set(np.rint(matrix[:, 0]).astype(int).tolist()))
    return np.vstack([matrix, matrix]), np.r_[target, target]


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[set[int]]]:
    monkeypatch.setitem(catalogue.BUILT_IN["resampler"], "watching", f"{__name__}:watching")
    SEEN.clear()
    yield SEEN
    SEEN.clear()


def searched(project_on: ProjectOn, balanced: tuple[str, ...], **validate: object) -> Project:
    frame = table(400).with_columns(x=pl.col("id").cast(pl.Float64), name=pl.col("id").cast(pl.String))
    return project_on(
        frame, "y", key=["name"], ignore=["id"],
        search=SearchSettings(estimators=("lightgbm",), trials=2, folds=3, balance=balanced),
        validate=ValidateSettings(bootstrap=5, **validate),  # type: ignore[arg-type]
    )  # fmt: skip


def test_no_judged_row_is_resampled(project_on: ProjectOn, watched: list[set[int]]) -> None:
    """In every fold of the search the resampler gets the rows that are learnt from, and in the final fit those too."""
    project = searched(project_on, ("watching",))
    training, version = project.training, project.version
    parts = training.parting.parts(version)
    folds = training.parting.folds(version, parts.train, 3)
    run = training.search(version)
    learnt = [set(parts.train[fold.train]["id"]) for fold in folds]
    assert len(watched) == 2 * len(folds)
    assert all(rows in learnt for rows in watched)
    assert all(rows in watched for rows in learnt)
    watched.clear()
    candidate = training.train(version, run)
    assert watched == [set(parts.train["id"])]
    assert candidate.body.evaluation.metrics[0].rows == len(parts.judged)
    assert candidate.body.split.train_rows == len(parts.train)
    assert any("balanced" in note for note in candidate.body.notes)
    scores = pl.read_ipc(project.workspace.blobs.get(candidate.body.scores))
    assert scores["id"].to_list() == row_ids(parts.judged, version.body.schema).to_list()


def test_judged_rows_have_no_say_in_what_is_learnt() -> None:
    """The same row gets the same answer, whichever rows are judged beside it."""
    train, judged = table(600), table(200, seed=3)
    for how in HOWS:
        whole = PreparedFold(train, judged, SCHEMA).score("lightgbm", {"balance": how}, 7)
        part = PreparedFold(train, judged.head(20), SCHEMA).score("lightgbm", {"balance": how}, 7)
        assert len(whole.scores) == 200
        assert whole.scores[:20].tolist() == part.scores.tolist()


def test_it_can_be_searched_and_is_rebuilt(project_on: ProjectOn) -> None:
    """One of the parameters of a trial; a candidate is trained again with the one that it had, to the digit."""
    project = searched(project_on, ("none", "weights", "undersample"))
    training = project.training
    run = training.search(project.version)
    tried = {one.body.params["balance"] for one in project.experiments.trials(run.body.study)}
    assert tried <= {"none", "weights", "undersample"}
    candidate = training.train(project.version, run)
    assert training.refit(candidate).model_digest == candidate.body.model_digest
    assert candidate.body.params["balance"] in tried


def test_a_number_has_no_classes_to_balance(project_on: ProjectOn, diabetes: pl.DataFrame) -> None:
    """Refused before any trial."""
    project = project_on(diabetes, "target", search=SearchSettings(trials=1, folds=2, balance=("weights",)))
    with pytest.raises(DataError, match="regression"):
        project.training.search(project.version)


def test_an_unknown_resampler_is_named(project_on: ProjectOn) -> None:
    """With those that there are."""
    with pytest.raises(NotFoundError, match="smoke"):
        balance(np.zeros((2, 1)), np.array([0, 1]), 2, [], "smoke", 0)


def test_a_resampler_that_loses_columns_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes back must fit."""
    monkeypatch.setitem(catalogue.BUILT_IN["resampler"], "narrow", f"{__name__}:narrow")
    with pytest.raises(DataError, match="narrow"):
        balance(np.zeros((2, 3)), np.array([0, 1]), 2, [], "narrow", 0)


def narrow(matrix: np.ndarray, target: np.ndarray, codes: list[int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    return matrix[:, :1], target
