"""The transformation is learned once; other libraries, asked to do the same, give the same matrix."""

import math
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from heptad.core.errors import DataError
from heptad.training import preprocessing as module
from heptad.training.columns import MISSING, Columns, columns_of
from heptad.training.model import GraphSession
from heptad.training.onnx_graph import GraphWriter
from heptad.training.onnx_numbers import MOMENT_PARTS
from heptad.training.preprocessing import Preprocessing, Recipe, learn_preprocessing
from heptad.training.records import Input, Signature

LINEAR = Recipe(numbers="scaled", categories="indicators", most_categories=100, most_terms=50)
BOOSTING = Recipe(numbers="raw", categories="codes", most_categories=100, most_terms=50)
FOREST = Recipe(numbers="single", categories="scores", most_categories=100, most_terms=50)

INPUTS = [
    Input(name="wind", type="number"),
    Input(name="late", type="boolean"),
    Input(name="carrier", type="category"),
    Input(name="departs", type="datetime"),
    Input(name="note", type="text"),
    Input(name="seats", type="integer"),
]
SIGNATURE = Signature(inputs=INPUTS, task="regression", target="y")
WORDS = ["red", "green", "blue", "late", "early"]


def frame(rows: int = 300, seed: int = 0) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    start = datetime(2012, 12, 30, tzinfo=UTC)
    return pl.DataFrame(
        {
            "wind": [None if random.random() < 0.1 else float(random.normal(10, 4)) for _ in range(rows)],
            "late": [bool(random.random() < 0.3) for _ in range(rows)],
            "carrier": [str(random.choice(["UA", "DL", "é"])) for _ in range(rows)],
            "departs": [start + timedelta(hours=float(random.random() * 20_000)) for _ in range(rows)],
            "note": [" ".join(random.choice(WORDS, random.integers(1, 6))) for _ in range(rows)],
            "seats": random.integers(20, 400, rows),
        }
    )


def learned(recipe: Recipe, data: pl.DataFrame) -> Preprocessing:
    target = np.arange(float(len(data))).reshape(-1, 1)
    return learn_preprocessing(columns_of(data, SIGNATURE), SIGNATURE, target, recipe)[0]


def matrix_of(preprocessing: Preprocessing, data: pl.DataFrame) -> np.ndarray:
    matrix = preprocessing.transform(columns_of(data, SIGNATURE))
    return matrix.toarray() if sparse.issparse(matrix) else matrix


def by_the_graph(preprocessing: Preprocessing, columns: Columns) -> np.ndarray:
    """The matrix as the served graph computes it."""
    graph = GraphWriter(preprocessing.signature.inputs)
    written = graph.finish(preprocessing.write(graph), len(preprocessing.origins))
    return GraphSession(written, preprocessing.signature).run(columns)


def by_hand(preprocessing: Preprocessing, row: dict[str, Any]) -> list[float]:
    """One row of the matrix in plain Python, from what was learnt."""
    inputs = preprocessing.signature.inputs
    numbers = [number_by_hand(row[one.name]) for one in inputs if one.type in {"number", "integer", "boolean"}]
    moments = [row[one.name] for one in inputs if one.type == "datetime"]
    for part in MOMENT_PARTS:
        numbers += [math.nan if moment is None else part_by_hand(moment, part) for moment in moments]
    if preprocessing.recipe.numbers == "single":
        numbers = [number if math.isnan(number) else min(max(number, -1e30), 1e30) for number in numbers]
    if (scaling := preprocessing.scaling) is not None:
        gaps = [float(math.isnan(number)) for number in numbers]
        learnt = zip(numbers, scaling.medians, scaling.means, scaling.deviations, strict=True)
        scores = [
            ((middle if math.isnan(one) else min(max(one, -1e150), 1e150)) - mean) / deviation
            for one, middle, mean, deviation in learnt
        ]
        numbers = [min(max(score, -20.0), 20.0) for score in scores] + [gaps[one] for one in scaling.missing]
    for place, one in enumerate(preprocessing.categories):
        value = MISSING if row[one.name] is None else row[one.name]
        code = one.values.index(value) if value in one.values else one.other
        if preprocessing.recipe.categories == "indicators":
            numbers += [float(code == known) for known in range(one.codes)]
        elif preprocessing.recipe.categories == "codes":
            numbers.append(math.nan if code is None else float(code))
        else:
            scores_of = preprocessing.scores[place]
            numbers.append(scores_of.unseen if code is None else scores_of.table[code])
    for vocabulary in preprocessing.vocabularies:
        small = "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in row[vocabulary.name] or "")
        words = re.findall(r"\w+", small)
        counts = Counter([*words, *pairwise(words)])
        terms = np.array([counts[term] for term in (*vocabulary.words, *vocabulary.pairs)]) * vocabulary.weights
        numbers += list(terms / (np.linalg.norm(terms) or 1.0))
    return numbers


def number_by_hand(value: float | None) -> float:
    return float(value) if value is not None and math.isfinite(value) else math.nan


def part_by_hand(moment: datetime, part: str) -> float:
    if part == "days":
        return (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() / 86_400
    return float(moment.weekday() if part == "weekday" else getattr(moment, part))


TEXTS = st.sampled_from(
    ["", " ", "UA", "ua", "Late, LATE again!", "日本 語", "Grüße é", "a\x00b", "\uffff", "x" * 3_000, "late " * 2_000]
) | st.text(alphabet="abAB01_ .,éÄ日\n", max_size=20)
FLOATS = st.floats(allow_subnormal=True) | st.sampled_from([0.1, -0.0, 16_777_217.0, 1e300, -1e300, 2.0**53 + 1])
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "wind": st.none() | FLOATS,
            "late": st.none() | st.booleans(),
            "carrier": st.none() | TEXTS,
            "departs": st.none() | st.datetimes().map(lambda moment: moment.replace(microsecond=0, tzinfo=UTC)),
            "note": st.none() | TEXTS,
            "seats": st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3),
        }
    ),
    min_size=1,
    max_size=12,
)
SCHEMA = {
    "wind": pl.Float64,
    "late": pl.Boolean,
    "carrier": pl.String,
    "departs": pl.Datetime("us", "UTC"),
    "note": pl.String,
    "seats": pl.Int64,
}


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(seen=ROWS, asked=ROWS, most=st.sampled_from([2, 50]))
@pytest.mark.parametrize("recipe", [LINEAR, BOOSTING, FOREST])
def test_the_graph_computes_what_plain_python_does(
    recipe: Recipe, seen: list[dict], asked: list[dict], most: int
) -> None:
    """The graph, the way of training, and a reckoning by hand agree on any rows.

    On nulls, infinities, unseen and empty values, any script, very long texts, dates long before 1970, booleans, and
    numbers that float32 or float64 cannot hold.
    """
    recipe = msgspec.structs.replace(recipe, most_categories=most, most_terms=most)
    columns = columns_of(pl.DataFrame(seen, schema=SCHEMA), SIGNATURE)
    preprocessing, _ = learn_preprocessing(columns, SIGNATURE, np.arange(float(len(seen))).reshape(-1, 1), recipe)
    for rows in (seen, asked):
        columns = columns_of(pl.DataFrame(rows, schema=SCHEMA), SIGNATURE)
        written = by_the_graph(preprocessing, columns)
        transformed = preprocessing.transform(columns)
        dense = transformed.toarray() if sparse.issparse(transformed) else transformed
        np.testing.assert_array_equal(dense, written)
        expected = np.array([by_hand(preprocessing, row) for row in rows])
        np.testing.assert_allclose(written, expected, rtol=1e-12, atol=1e-12)


def numbers_by_polars(data: pl.DataFrame) -> np.ndarray:
    """The numbers and the parts of the moment, as Polars makes them."""
    departs = pl.col("departs").dt
    parts = [
        pl.col("wind"),
        pl.col("late"),
        pl.col("seats"),
        departs.year(),
        departs.month(),
        departs.day(),
        departs.weekday() - 1,
        departs.hour(),
        departs.epoch("us") / 86_400e6,
    ]
    return data.select(part.cast(float).alias(str(n)) for n, part in enumerate(parts)).to_numpy()


def words_by_sklearn(preprocessing: Preprocessing, train: pl.DataFrame, asked: pl.DataFrame) -> np.ndarray:
    (vocabulary,) = preprocessing.vocabularies
    terms = [*vocabulary.words, *(" ".join(pair) for pair in vocabulary.pairs)]
    peer = TfidfVectorizer(ngram_range=(1, 2), token_pattern="[a-zA-Z0-9_]+", vocabulary=terms)
    return peer.fit(train["note"].to_list()).transform(asked["note"].to_list()).toarray()


def test_linear_models_get_what_scikit_learn_would_make() -> None:
    """Scaled numbers, flags of gaps, indicators and weighted words, to 1e-12, also for rows not learnt from."""
    train, asked = frame(), frame(seed=1).with_columns(carrier=pl.lit("never seen"))
    preprocessing = learned(LINEAR, train)
    numbers = numbers_by_polars(train)
    middle = np.nanmedian(numbers, axis=0)
    scaler = StandardScaler().fit(np.where(np.isnan(numbers), middle, numbers))
    encoder = OneHotEncoder(
        categories=[preprocessing.categories[0].values], handle_unknown="ignore", sparse_output=False
    ).fit(train.select("carrier").to_numpy())
    for data in (train, asked):
        numbers = numbers_by_polars(data)
        expected = [
            scaler.transform(np.where(np.isnan(numbers), middle, numbers)),
            np.isnan(numbers[:, :1]),
            encoder.transform(data.select("carrier").to_numpy()),
            words_by_sklearn(preprocessing, train, data),
        ]
        np.testing.assert_allclose(matrix_of(preprocessing, data), np.hstack(expected), rtol=0, atol=1e-12)


def test_boosting_gets_raw_numbers_and_codes() -> None:
    """Gaps stay NaN, a category never seen is NaN, and the columns with codes are named."""
    train, asked = frame(), frame(seed=1).with_columns(carrier=pl.lit("never seen"))
    preprocessing = learned(BOOSTING, train)
    values = preprocessing.categories[0].values
    for data, codes in ((train, [values.index(value) for value in train["carrier"]]), (asked, [np.nan] * len(asked))):
        got = matrix_of(preprocessing, data)
        np.testing.assert_allclose(got[:, :9], numbers_by_polars(data), rtol=1e-15)
        np.testing.assert_array_equal(got[:, preprocessing.code_columns].ravel(), codes)


def test_forests_get_numbers_within_float32_and_scores() -> None:
    """Huge numbers are cut off, gaps stay, and a category scores the mean target of its rows."""
    train = frame().with_columns(wind=pl.when(pl.arange(0, 300) == 0).then(1e300).otherwise(pl.col("wind")))
    got = matrix_of(learned(FOREST, train), train)
    assert np.isfinite(got.astype(np.float32)[~np.isnan(got)]).all()
    np.testing.assert_array_equal(np.isnan(got[:, 0]), train["wind"].is_null().to_numpy())
    mean = train.with_columns(y=pl.arange(0, 300)).group_by("carrier").agg(pl.col("y").sum(), n=pl.len())
    expected = {row["carrier"]: (row["y"] + 100 * 149.5) / (row["n"] + 100) for row in mean.to_dicts()}
    np.testing.assert_allclose(got[:, 9], [expected[value] for value in train["carrier"]], rtol=1e-12)


@pytest.mark.parametrize("recipe", [LINEAR, BOOSTING, FOREST])
def test_every_column_of_the_matrix_has_its_origin(recipe: Recipe) -> None:
    """Changing one input changes only the columns that are said to come from it."""
    data = frame()
    preprocessing = learned(recipe, data)
    before = matrix_of(preprocessing, data)
    assert before.shape == (300, len(preprocessing.origins))
    shuffled = frame(seed=9)
    for column in SIGNATURE.inputs:
        after = matrix_of(preprocessing, data.with_columns(shuffled[column.name]))
        changed = np.flatnonzero((~np.isclose(before, after, equal_nan=True)).any(axis=0))
        assert {preprocessing.origins[number] for number in changed} == {column.name}


def test_wide_matrices_are_kept_sparse() -> None:
    """With many indicators most of the matrix is zero; it is kept so, with the same values."""
    data = frame(2000).with_columns(carrier=pl.arange(0, 2000).mod(90).cast(pl.String))
    preprocessing = learned(LINEAR, data)
    matrix = preprocessing.transform(columns_of(data, SIGNATURE))
    assert sparse.issparse(matrix)
    np.testing.assert_array_equal(matrix.toarray(), by_the_graph(preprocessing, columns_of(data, SIGNATURE)))


def test_a_training_row_does_not_meet_its_own_target_in_its_scores() -> None:
    """A category of one row scores the middle in training, and what its own row had, a little, ever after."""
    data = frame().with_columns(carrier=pl.arange(0, 300).cast(pl.String))
    target = np.arange(300.0).reshape(-1, 1)
    preprocessing, matrix = learn_preprocessing(columns_of(data, SIGNATURE), SIGNATURE, target, FOREST)
    (column,) = preprocessing.category_columns
    kept = data["carrier"].is_in(preprocessing.categories[0].values).to_numpy()
    np.testing.assert_allclose(matrix[kept, column], 149.5)
    later = matrix_of(preprocessing, data)
    assert np.corrcoef(later[kept, column], target[kept, 0])[0, 1] > 0.999
    others = [number for number in range(matrix.shape[1]) if number != column]
    np.testing.assert_array_equal(matrix[:, others], later[:, others])


def test_what_was_left_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rare categories that count as one, and texts that had no say in the words; nothing where nothing is left out."""
    data = frame(300)
    assert learned(LINEAR, data).notes(300) == []
    monkeypatch.setattr(module, "_VOCABULARY_ROWS", 100)
    few = msgspec.structs.replace(LINEAR, most_categories=2)
    assert learned(few, data).notes(300) == [
        "carrier: the 2 most frequent of 3 values are told apart, all others count as one.",
        "note: its 30 words and pairs of words were chosen by 100 of 300 texts.",
    ]


def test_texts_without_words_leave_nothing_to_learn_from() -> None:
    """A table of empty texts only is refused; beside other columns such a text is left out."""
    only = Signature(inputs=[Input(name="note", type="text")], task="regression", target="y")
    empty = pl.DataFrame({"note": ["", "?!", None]})
    with pytest.raises(DataError, match="texts without words"):
        learn_preprocessing(columns_of(empty, only), only, np.zeros((3, 1)), LINEAR)
    data = frame().with_columns(note=pl.lit(None, dtype=pl.String))
    preprocessing = learned(LINEAR, data)
    assert "note" not in preprocessing.origins
    assert np.isfinite(matrix_of(preprocessing, frame())).all()
