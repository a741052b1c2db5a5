"""The evaluation report says what was measured, needs nothing but itself, and lets no data become markup."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from heptad.experiments import SearchSettings
from heptad.training import ValidateSettings

ProjectOn = Callable[..., Any]
HOSTILE = "<script>alert(1)</script>"


def report_of(project: Any, estimator: str = "linear") -> tuple[Any, str]:
    with project.experiments.start("mine", params={"estimator": estimator}) as run:
        pass
    candidate = project.training.train(project.version, project.experiments.show(run.id))
    return candidate, project.training.report(candidate)


def test_the_report_of_two_classes_has_everything(project_on: ProjectOn, cancer: pl.DataFrame) -> None:
    """Headline with interval, trivial model, curves, calibration, confusion, attributions, parity, and the ids."""
    candidate, html = report_of(project_on(cancer, "target"))
    auc = candidate.body.evaluation.value("roc_auc")
    for text in (
        f"{auc.value:.4f}",
        f"95% interval {auc.low:.4f} to",
        "The trivial model",
        "ROC curve",
        "Calibration",
        "Right and wrong",
        "What the model uses",
        "agrees with the Python model on all",
        candidate.id,
        candidate.body.dataset,
        candidate.body.model_digest,
    ):
        assert text in html
    assert len(html) < 1_000_000


def test_the_page_loads_nothing(project_on: ProjectOn, cancer: pl.DataFrame) -> None:
    """No script, no link, no picture, no font from anywhere; addresses are names of namespaces only."""
    _, html = report_of(project_on(cancer, "target"))
    assert not re.findall(r"<(script|link|img|iframe|object)\b", html)
    assert not re.findall(r"url\((?!#)", html)
    assert set(re.findall(r"https?://[^\"' <]+", html)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_several_classes_and_numbers_have_reports_too(
    project_on: ProjectOn, wine: pl.DataFrame, diabetes: pl.DataFrame
) -> None:
    """Three classes show a confusion table; a number shows predictions and errors."""
    candidate, html = report_of(project_on(wine, "target"))
    assert html.count('<td style="background') == 9
    assert all(f"<th>{name}</th>" in html for name in candidate.body.signature.classes)
    _, html = report_of(
        project_on(diabetes.rename({"target": "progression"}), "progression", task="regression", folder="d")
    )
    assert "Predicted and true" in html
    assert "of the variance of “progression” is explained" in html
    assert "ROC" not in html


def test_no_text_of_the_data_becomes_markup(project_on: ProjectOn) -> None:
    """Column names, categories and classes with markup in them are shown as they are written."""
    random = np.random.default_rng(1)
    frame = pl.DataFrame(
        {
            f"x {HOSTILE}": random.normal(size=300),
            "side": random.choice([HOSTILE, "b"], 300),
            "target": random.choice([HOSTILE, "ordinary"], 300),
        }
    )
    project = project_on(frame, "target", validate=ValidateSettings(bootstrap=20, slices=["side"]))
    _, html = report_of(project)
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_what_the_model_was_not_told_is_said(project_on: ProjectOn) -> None:
    """Categories beyond the most frequent ones count as one, and the report says so."""
    frame = pl.DataFrame({"code": [f"c{one % 300}" for one in range(900)], "target": ["a", "b", "b"] * 300})
    candidate, html = report_of(project_on(frame, "target"))
    (note,) = candidate.body.notes
    assert "the 200 most frequent of" in note
    assert note in html


def test_one_class_among_the_judged_rows_is_said_and_not_hidden(project_on: ProjectOn) -> None:
    """Where the main metric has no value, the report says what it would need."""
    times = pl.datetime_range(pl.datetime(2026, 1, 1), pl.datetime(2026, 1, 5, 3), "1h", time_zone="UTC", eager=True)
    rows = len(times)
    frame = pl.DataFrame({"when": times, "x": np.arange(rows) % 7.0, "target": ["a", "b"] * 30 + ["a"] * (rows - 60)})
    project = project_on(frame, "target", time="when", search=SearchSettings(trials=1))
    candidate, html = report_of(project)
    assert candidate.body.evaluation.value("roc_auc") is None
    assert "needs rows of both classes" in html


@pytest.mark.parametrize("estimator", ["baseline", "lightgbm"])
def test_every_estimator_can_be_reported(project_on: ProjectOn, cancer: pl.DataFrame, estimator: str) -> None:
    """Also the trivial one, whose scores are all equal."""
    _, html = report_of(project_on(cancer, "target"), estimator)
    assert f"test: {estimator}" in html
