"""Contributions add up to the score and give each input what it is due."""

import itertools
import math

import numpy as np
import polars as pl
import pytest

from heptad.core.errors import InputError, RequestError
from heptad.data import Column, Schema
from heptad.training.columns import check_rows
from heptad.training.explanation import explain
from heptad.training.fitting import fit
from heptad.training.model import OnnxModel

NAMES = ["a", "b", "c", "unused"]


def table(rows: int, seed: int = 0) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    return pl.DataFrame(
        {"a": random.normal(size=rows), "b": random.normal(size=rows), "c": random.choice(["x", "y", "z"], rows)}
    ).with_columns(unused=pl.lit(1.0))


def model(task: str, estimator: str) -> OnnxModel:
    data = table(500)
    raw = data["a"].to_numpy() * (1 + (data["c"] == "x").to_numpy()) + data["b"].to_numpy()
    classes = {"regression": [], "binary": ["no", "yes"], "multi": ["p", "q", "r"]}[task]
    labels = np.digitize(raw, np.quantile(raw, np.linspace(0, 1, len(classes) + 1)[1:-1])) if classes else raw
    data = data.with_columns(y=pl.Series([classes[label] for label in labels] if classes else labels))
    schema = Schema(
        columns=[
            Column(name="a", type="number"),
            Column(name="b", type="number"),
            Column(name="c", type="category"),
            Column(name="unused", type="number"),
            Column(name="y", type="category" if classes else "number", role="target"),
        ],
        task="classification" if classes else "regression",
        classes=classes,
    )
    fitted = fit(data, schema, estimator, {}, 7)
    return OnnxModel(fitted.onnx, fitted.signature)


BACKGROUND = table(40, seed=1).to_dicts()
ROW = {"a": 1.0, "b": -0.5, "c": "x", "unused": 1.0}


@pytest.mark.parametrize("task", ["regression", "binary", "multi"])
@pytest.mark.parametrize("estimator", ["linear", "lightgbm", "random_forest"])
def test_contributions_add_up_to_the_score(task: str, estimator: str) -> None:
    """Base and contributions give the score of the row; the base is the mean score of the background."""
    asked = model(task, estimator)
    explanation = explain(asked, ROW, BACKGROUND, seed=1)
    scores = asked.predict(check_rows([ROW], asked.signature)[0])
    background = asked.predict(check_rows(BACKGROUND, asked.signature)[0])
    base = background.scores.mean()
    if task == "multi":
        base = background.probabilities[:, asked.signature.classes.index(scores.labels[0])].mean()
    assert explanation.score == scores.scores[0]
    assert explanation.base == pytest.approx(base, abs=1e-9)
    assert explanation.base + sum(explanation.contributions.values()) == pytest.approx(explanation.score, abs=1e-12)
    weights = [abs(value) for value in explanation.contributions.values()]
    assert weights == sorted(weights, reverse=True)


def test_they_are_near_the_exact_shapley_values() -> None:
    """Against the definition, over all subsets of inputs and the whole background."""
    asked = model("regression", "lightgbm")

    def value(taken: frozenset[str]) -> float:
        rows = [row | {name: ROW[name] for name in taken} for row in BACKGROUND]
        return float(asked.predict(check_rows(rows, asked.signature)[0]).scores.mean())

    values = {frozenset(some): value(frozenset(some)) for n in range(5) for some in itertools.combinations(NAMES, n)}
    explanation = explain(asked, ROW, BACKGROUND, seed=1)
    for name in NAMES:
        others = [some for some in values if name not in some]
        exact = sum(
            (values[some | {name}] - values[some])
            * math.factorial(len(some))
            * math.factorial(3 - len(some))
            / math.factorial(4)
            for some in others
        )
        assert explanation.contributions[name] == pytest.approx(exact, abs=0.1)


def test_an_input_that_the_model_does_not_use_contributes_nothing() -> None:
    """Exactly nothing."""
    assert explain(model("binary", "lightgbm"), ROW, BACKGROUND, seed=1).contributions["unused"] == 0.0


def test_of_a_sum_each_input_gets_its_own_part() -> None:
    """For a linear model the values are exact: weight times the distance from the background's mean."""
    asked = model("regression", "linear")
    explanation = explain(asked, ROW, BACKGROUND, seed=1)
    moved = [row | {"a": ROW["a"]} for row in BACKGROUND]
    difference = (
        asked.predict(check_rows(moved, asked.signature)[0]).scores.mean()
        - asked.predict(check_rows(BACKGROUND, asked.signature)[0]).scores.mean()
    )
    assert explanation.contributions["a"] == pytest.approx(difference, abs=1e-12)


def test_equal_seeds_explain_equally() -> None:
    """The same question has the same answer; the seed chooses the sample."""
    asked = model("binary", "lightgbm")
    assert explain(asked, ROW, BACKGROUND, seed=1) == explain(asked, ROW, BACKGROUND, seed=1)
    assert explain(asked, ROW, BACKGROUND, seed=1) != explain(asked, ROW, BACKGROUND, seed=2)


def test_a_row_like_the_background_needs_no_explanation() -> None:
    """Against itself nothing contributes."""
    explanation = explain(model("binary", "lightgbm"), ROW, [ROW], seed=1)
    assert explanation.base == explanation.score
    assert not any(explanation.contributions.values())


def test_wrong_rows_and_no_background_are_refused() -> None:
    """A row is checked as any request is, and there must be something to compare with."""
    asked = model("binary", "linear")
    with pytest.raises(RequestError):
        explain(asked, {"a": "one"}, BACKGROUND, seed=1)
    with pytest.raises(InputError, match="background"):
        explain(asked, ROW, [], seed=1)
