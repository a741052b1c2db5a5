"""The transformation is learned once; other libraries, asked to do the same, give the same matrix."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from heptad.core.errors import DataError
from heptad.training.columns import columns_of
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
    return learn_preprocessing(columns_of(data, SIGNATURE), SIGNATURE, target, recipe)


def matrix_of(preprocessing: Preprocessing, data: pl.DataFrame) -> np.ndarray:
    matrix = preprocessing.transform(columns_of(data, SIGNATURE))
    return matrix.toarray() if sparse.issparse(matrix) else matrix


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
    session = preprocessing.session()
    np.testing.assert_array_equal(matrix.toarray(), session.run(columns_of(data, SIGNATURE)))


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
