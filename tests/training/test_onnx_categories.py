"""Categories become codes, indicators or scores; values never seen are told apart from all that were."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder

from heptad.training.columns import MISSING
from heptad.training.model import GraphSession
from heptad.training.onnx_categories import (
    Categories,
    learn_categories,
    learn_scores,
    with_indicators,
    write_codes,
    write_indicators,
    write_scores,
)
from heptad.training.onnx_graph import GraphWriter
from heptad.training.records import Input, Signature


def column(values: list[str]) -> np.ndarray:
    return np.array(values, dtype=object).reshape(-1, 1)


def run(categories: list[Categories], write, width: int, columns: dict[str, np.ndarray]) -> np.ndarray:
    inputs = [Input(name=one.name, type="category") for one in categories]
    graph = GraphWriter(inputs)
    session = GraphSession(graph.finish(write(graph), width), Signature(inputs=inputs, task="regression", target="y"))
    return session.run(columns)


def test_codes_go_by_frequency_and_then_by_value() -> None:
    """The most frequent value is 0; a value that was never seen has no code, and missing is a value like others."""
    learned = learn_categories("x", column(["b", "c", "c", MISSING, "a", "a"]), 10)
    assert learned.values == ["a", "c", "b", MISSING]
    got = run([learned], lambda graph: write_codes(graph, [learned]), 1, {"x": column(["b", MISSING, "z", ""])})
    np.testing.assert_array_equal(got, [[2.0], [3.0], [np.nan], [np.nan]])


def test_rare_values_share_a_code_with_those_never_seen() -> None:
    """Where not all values are kept, the rest and the unseen are one."""
    learned = learn_categories("x", column(["a"] * 3 + ["b"] * 2 + ["c", "d"]), 2)
    assert (learned.values, learned.other, learned.codes) == (["a", "b"], 2, 3)
    asked = column(["a", "b", "c", "d", "z", MISSING])
    got = run([learned], lambda graph: write_codes(graph, [learned]), 1, {"x": asked})
    assert got.ravel().tolist() == [0, 1, 2, 2, 2, 2]


@given(
    st.lists(st.tuples(st.text(max_size=3), st.sampled_from("xyz")), min_size=1, max_size=20),
    st.lists(st.tuples(st.text(max_size=3), st.sampled_from("xyzw")), min_size=1, max_size=10),
)
def test_indicators_are_those_of_scikit_learn(seen: list[tuple[str, str]], asked: list[tuple[str, str]]) -> None:
    """One column of 0 and 1 for each value of each column; all 0 for a value never seen."""
    table, other = np.array(seen, dtype=object), np.array(asked, dtype=object)
    learned = [learn_categories(name, table[:, [n]], 1000) for n, name in enumerate("ab")]
    width = sum(one.codes for one in learned)
    columns = {name: other[:, [n]] for n, name in enumerate("ab")}
    got = run(learned, lambda graph: write_indicators(graph, write_codes(graph, learned), learned), width, columns)
    codes = run(learned, lambda graph: write_codes(graph, learned), 2, columns)
    numbers = np.arange(2.0 * len(codes)).reshape(-1, 2)
    beside = with_indicators(numbers, codes, learned)
    np.testing.assert_array_equal(beside.toarray(), np.hstack([numbers, got]))
    assert beside.nnz == np.count_nonzero(numbers) + np.count_nonzero(got)
    encoder = OneHotEncoder(
        categories=[one.values for one in learned], handle_unknown="ignore", sparse_output=False
    ).fit(table)
    np.testing.assert_array_equal(got, encoder.transform(other))


def test_scores_are_smoothed_means_of_the_target() -> None:
    """Each value scores the mean of its rows, mixed with a hundred rows of the whole table."""
    target = np.array([[1.0]] * 30 + [[0.0]] * 10)
    learned = learn_categories("x", column(["a"] * 30 + ["b"] * 10), 10)
    scores, _ = learn_scores(np.array([0] * 30 + [1] * 10), 2, target)
    got = run([learned], lambda graph: write_scores(graph, [learned], [scores]), 1, {"x": column(["a", "b", "?"])})
    expected = [(30 + 100 * 0.75) / 130, (0 + 100 * 0.75) / 110, 0.75]
    np.testing.assert_allclose(got.ravel(), expected, rtol=0, atol=1e-15)


def test_scores_of_two_classes_are_the_share_of_the_second() -> None:
    """Two classes are scored like the number that says whether it is the second."""
    codes, classes = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 0])
    two, two_of_training = learn_scores(codes, 2, np.eye(2)[classes])
    one, one_of_training = learn_scores(codes, 2, classes.reshape(-1, 1).astype(float))
    np.testing.assert_allclose(two.table, one.table, rtol=0, atol=1e-15)
    np.testing.assert_allclose(two_of_training, one_of_training, rtol=0, atol=1e-15)


def test_scores_of_many_classes_part_the_categories_by_their_classes() -> None:
    """Values with like classes score alike, values with unlike classes far apart."""
    classes = np.array([0] * 50 + [0] * 48 + [1] * 2 + [2] * 50 + [2] * 48 + [1] * 2)
    scores, of_training = learn_scores(np.repeat(np.arange(4), 50), 4, np.eye(3)[classes])
    a, b, c, d = scores.table
    assert abs(a - b) < 0.1 * abs(a - c)
    assert min(a, b, c, d) < scores.unseen < max(a, b, c, d)
    np.testing.assert_allclose(of_training, np.repeat(scores.table, 50), atol=0.2 * abs(a - c))


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(-9, 9)), min_size=1, max_size=40))
def test_the_score_of_a_training_row_leaves_its_own_part_out(rows: list[tuple[int, float]]) -> None:
    """It is what the rows of its category in the four other fifths make."""
    codes, target = np.array([code for code, _ in rows]), np.array([value for _, value in rows])
    _, of_training = learn_scores(codes, 4, target.reshape(-1, 1))
    part = np.random.default_rng(0).integers(0, 5, len(rows))
    others = [target[(codes == code) & (part != own)] for code, own in zip(codes, part, strict=True)]
    expected = [(one.sum() + 100 * target.mean()) / (len(one) + 100) for one in others]
    np.testing.assert_allclose(of_training, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("value", ["a\x00b", "日本", "\uffff", " ", "", "x" * 100_000])
def test_any_text_is_a_category(value: str) -> None:
    """Nothing is trimmed, cut or normalised on the way."""
    learned = learn_categories("x", column([value, "plain"]), 10)
    asked = column([value, value + " ", value[:-1]])
    got = run([learned], lambda graph: write_codes(graph, [learned]), 1, {"x": asked}).ravel()
    assert got[0] == learned.values.index(value)
    assert np.isnan(got[1])
