"""Moments become calendar parts, numbers become comparable, in the graph and to the last digit."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.preprocessing import StandardScaler

from heptad.training.model import GraphSession
from heptad.training.onnx_graph import GraphWriter
from heptad.training.onnx_numbers import MOMENT_PARTS, learn_scaling, write_finite, write_moments, write_scaling
from heptad.training.records import Input, Signature


def session(kind: str, names: list[str], write, width: int) -> GraphSession:
    inputs = [Input(name=name, type=kind) for name in names]
    graph = GraphWriter(inputs)
    output = graph.concat(write(graph, graph.concat(names)))
    return GraphSession(graph.finish(output, width), Signature(inputs=inputs, task="regression", target="y"))


CALENDAR = session("datetime", ["when"], write_moments, len(MOMENT_PARTS))


@given(st.lists(st.datetimes(), min_size=1, max_size=20))
def test_moments_have_the_parts_that_python_gives_them(moments: list[datetime]) -> None:
    """Year, month, day, weekday, hour and days since 1970, for every date there is."""
    aware = [moment.replace(tzinfo=UTC, microsecond=0) for moment in moments]
    seconds = np.array([[moment.timestamp()] for moment in aware])
    expected = [
        [moment.year, moment.month, moment.day, moment.weekday(), moment.hour, moment.timestamp() / 86_400]
        for moment in aware
    ]
    np.testing.assert_array_equal(CALENDAR.run({"when": seconds}), expected)


def test_a_missing_moment_has_no_parts() -> None:
    """NaN in gives NaN for every part."""
    assert np.isnan(CALENDAR.run({"when": np.array([[np.nan]])})).all()


NUMBERS = st.floats(-1e6, 1e6) | st.just(float("nan"))


@given(st.lists(st.tuples(NUMBERS, NUMBERS, st.just(3.0)), min_size=2, max_size=30))
def test_scaling_is_that_of_scikit_learn(rows: list[tuple[float, float, float]]) -> None:
    """Median, flags of gaps, and standard scores agree with scikit-learn's own transformers."""
    values = np.array(rows)
    scaling = learn_scaling(values)
    width = values.shape[1] + len(scaling.missing)
    names = ["a", "b", "c"]
    written = session("number", names, lambda graph, matrix: write_scaling(graph, matrix, scaling), width)
    got = written.run({name: values[:, [column]] for column, name in enumerate(names)})

    filled = SimpleImputer(strategy="median", keep_empty_features=True).fit_transform(values)
    flags = MissingIndicator(error_on_new=False).fit_transform(values)
    spread = filled.std(axis=0) > 1e-9 * np.abs(filled).max()
    scores = np.clip(StandardScaler().fit_transform(filled), -20, 20)
    np.testing.assert_allclose(got[:, :3][:, spread], scores[:, spread], rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(got[:, 3:], flags)


def test_scaling_is_exact_on_ordinary_numbers() -> None:
    """On well-scaled numbers the graph and NumPy agree to 1e-12."""
    random = np.random.default_rng(0)
    values = random.normal(5, 3, (500, 4))
    values[random.random((500, 4)) < 0.1] = np.nan
    filled = np.where(np.isnan(values), np.nanmedian(values, axis=0), values)
    scaling = learn_scaling(values)
    names = list("abcd")
    written = session("number", names, lambda graph, matrix: write_scaling(graph, matrix, scaling), 8)
    got = written.run({name: values[:, [column]] for column, name in enumerate(names)})
    np.testing.assert_allclose(got[:, :4], (filled - filled.mean(axis=0)) / filled.std(axis=0), atol=1e-12, rtol=0)
    np.testing.assert_array_equal(got[:, 4:], np.isnan(values))


@pytest.mark.parametrize(
    "column", [[np.nan, np.nan], [5.0, 5.0], [1e308, -1e308], [0.1 + 0.2, 0.3], [1e-320, 0.0], [np.nan, 1.7e308]]
)
def test_scaling_stays_finite_whatever_the_numbers(column: list[float]) -> None:
    """Empty, constant, huge and tiny columns give finite scores, in training and for other rows."""
    scaling = learn_scaling(np.array(column).reshape(-1, 1))
    width = 1 + len(scaling.missing)
    written = session("number", ["x"], lambda graph, matrix: write_scaling(graph, matrix, scaling), width)
    asked = np.array([*column, 0.0, np.nan, 1.7e308, -1.7e308]).reshape(-1, 1)
    scores = written.run({"x": asked})
    assert np.isfinite(scores).all()
    assert np.abs(scores).max() <= 20


def test_cutting_numbers_keeps_gaps() -> None:
    """Numbers are cut off at the limit on both sides; NaN stays NaN."""
    cut = session("number", ["x"], lambda graph, matrix: [write_finite(graph, matrix, 10.0)], 1)
    asked = np.array([[np.nan], [1e300], [-1e300], [3.0]] * 5)
    np.testing.assert_array_equal(cut.run({"x": asked}), [[np.nan], [10.0], [-10.0], [3.0]] * 5)


def test_outliers_that_were_kept_move_no_score() -> None:
    """Ten numbers far away leave the scores of the others as they are, and count as five spreads."""
    random = np.random.default_rng(0)
    values = random.normal(5, 3, (2_000, 2))
    values[:10] = 1e9
    values[10, 0] = np.nan
    plain, robust = learn_scaling(values), learn_scaling(values, [0])
    assert (plain.robust, robust.robust) == ([], [0])
    assert robust.means[1] == plain.means[1]
    written = session("number", ["a", "b"], lambda graph, matrix: write_scaling(graph, matrix, robust), 3)
    scores = written.run({"a": values[:, [0]], "b": values[:, [1]]})
    assert scores[:10, 0].tolist() == [5.0] * 10
    assert scores[10:, 0].std() == pytest.approx(1, abs=0.05)
    assert scores[11:, 0].mean() == pytest.approx(0, abs=0.05)


def test_half_of_a_column_that_is_one_number_has_no_quartiles() -> None:
    """Then mean and deviation measure it, and a column of gaps is nothing."""
    values = np.array([[0.0, np.nan]] * 9 + [[9.0, np.nan]])
    assert learn_scaling(values, [0, 1]).robust == []
