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
    assert learned.code(asked).tolist() == [0, 1, 2, 2, 2, 2]


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
    encoder = OneHotEncoder(
        categories=[one.values for one in learned], handle_unknown="ignore", sparse_output=False
    ).fit(table)
    np.testing.assert_array_equal(got, encoder.transform(other))


def test_scores_are_smoothed_means_of_the_target() -> None:
    """Each value scores the mean of its rows, mixed with a hundred rows of the whole table."""
    values = column(["a"] * 30 + ["b"] * 10)
    target = np.array([[1.0]] * 30 + [[0.0]] * 10)
    learned = learn_categories("x", values, 10)
    scores = learn_scores(learned, values, target)
    got = run([learned], lambda graph: write_scores(graph, [learned], [scores]), 1, {"x": column(["a", "b", "?"])})
    expected = [(30 + 100 * 0.75) / 130, (0 + 100 * 0.75) / 110, 0.75]
    np.testing.assert_allclose(got.ravel(), expected, rtol=0, atol=1e-15)


def test_scores_of_two_classes_are_the_share_of_the_second() -> None:
    """Two classes are scored like the number that says whether it is the second."""
    values = column(["a", "a", "b", "b", "b"])
    classes = np.array([0, 1, 1, 1, 0])
    learned = learn_categories("x", values, 10)
    two, _ = learn_scores(learned, values, np.eye(2)[classes])
    one, _ = learn_scores(learned, values, classes.reshape(-1, 1).astype(float))
    np.testing.assert_allclose(two, one, rtol=0, atol=1e-15)


def test_scores_of_many_classes_part_the_categories_by_their_classes() -> None:
    """Values with like classes score alike, values with unlike classes far apart."""
    values = column(["a"] * 50 + ["b"] * 50 + ["c"] * 50 + ["d"] * 50)
    classes = np.array([0] * 50 + [0] * 48 + [1] * 2 + [2] * 50 + [2] * 48 + [1] * 2)
    learned = learn_categories("x", values, 10)
    scores, unseen = learn_scores(learned, values, np.eye(3)[classes])
    of = dict(zip(learned.values, scores, strict=True))
    assert abs(of["a"] - of["b"]) < 0.1 * abs(of["a"] - of["c"])
    assert min(of.values()) < unseen < max(of.values())


@pytest.mark.parametrize("value", ["a\x00b", "日本", "\uffff", " ", "", "x" * 100_000])
def test_any_text_is_a_category(value: str) -> None:
    """Nothing is trimmed, cut or normalised on the way."""
    learned = learn_categories("x", column([value, "plain"]), 10)
    asked = column([value, value + " ", value[:-1]])
    got = run([learned], lambda graph: write_codes(graph, [learned]), 1, {"x": asked}).ravel()
    assert got[0] == learned.values.index(value)
    assert np.isnan(got[1])
