"""A trained model answers the same in its own library and through the graph that is served."""

import string
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from heptad.core.errors import DataError, InputError
from heptad.data import Column, Schema
from heptad.training.columns import check_rows, columns_of
from heptad.training.fitting import PreparedFold, fit, signature_of
from heptad.training.model import OnnxModel, Scores

ESTIMATORS = ["linear", "random_forest", "lightgbm", "baseline"]
PARAMS = {"lightgbm": {"n_estimators": 50, "min_child_samples": 5}, "random_forest": {"max_depth": 5}}
FEATURES = [
    Column(name="n", type="number"),
    Column(name="k", type="integer"),
    Column(name="b", type="boolean"),
    Column(name="c", type="category"),
    Column(name="d", type="datetime"),
    Column(name="t", type="text"),
]
DTYPES = {
    "n": pl.Float64(),
    "k": pl.Int64(),
    "b": pl.Boolean(),
    "c": pl.String(),
    "d": pl.Datetime("us", "UTC"),
    "t": pl.String(),
}
TASKS = {"binary": ["no", "yes"], "multi": ["a", "b", "c"], "regression": []}


def schema_for(task: str) -> Schema:
    classes = TASKS[task]
    target = Column(name="y", type="category" if classes else "number", role="target")
    return Schema(columns=[*FEATURES, target], task="classification" if classes else "regression", classes=classes)


def frame(rows: int, task: str, seed: int = 0) -> pl.DataFrame:
    """Rows whose target depends on the number, the category, a word and the hour."""
    random = np.random.default_rng(seed)
    number, category = random.normal(size=rows), random.choice(["u", "v", "w", ""], rows)
    hours, words = random.integers(0, 9000, rows), random.choice(["cash prize", "hello you", "see you", ""], rows)
    raw = (
        number
        + 2 * (category == "u")
        + 1.5 * (words == "cash prize")
        + (hours % 24 > 12)
        + random.normal(size=rows) / 3
    )
    classes = TASKS[task]
    labels = np.digitize(raw, np.quantile(raw, np.linspace(0, 1, len(classes) + 1)[1:-1])) if classes else raw
    return pl.DataFrame(
        {
            "n": pl.Series([None if random.random() < 0.1 else value for value in number], dtype=pl.Float64),
            "k": random.integers(0, 5, rows),
            "b": random.random(rows) < 0.5,
            "c": pl.Series(category),
            "d": [datetime(2013, 1, 1, tzinfo=UTC) + timedelta(hours=int(hour)) for hour in hours],
            "t": pl.Series(words),
            "y": [classes[label] for label in labels] if classes else labels,
        },
        schema_overrides=DTYPES,
    )


def same(one: Scores, other: Scores) -> None:
    # A score that is nearly nothing is the sum of ones that are not, which are added in another order.
    size = float(np.abs(other.scores).max(initial=1.0))
    np.testing.assert_allclose(one.scores, other.scores, rtol=1e-12, atol=1e-12 * size)
    if one.probabilities is not None:
        np.testing.assert_allclose(one.probabilities, other.probabilities, rtol=1e-12, atol=1e-12)
        assert one.labels == other.labels


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_graph_and_the_library_agree_and_have_learnt(estimator: str, task: str) -> None:
    """On rows not learnt from the two agree to 1e-12, and beat the baseline clearly where they are not it."""
    schema, judged = schema_for(task), frame(400, task, seed=1)
    fitted = fit(frame(800, task), schema, estimator, PARAMS.get(estimator, {}), 7)
    scores = OnnxModel(fitted.onnx, fitted.signature).predict(columns_of(judged, fitted.signature))
    same(scores, fitted.predict_native(judged))
    if estimator != "baseline" and task == "regression":
        assert np.var(scores.scores - judged["y"].to_numpy()) < 0.6 * np.var(judged["y"].to_numpy())
    elif estimator != "baseline":
        hits = np.mean([label == truth for label, truth in zip(scores.labels, judged["y"], strict=True)])
        assert hits > (0.75 if task == "binary" else 0.6)


@pytest.mark.parametrize("column", FEATURES, ids=lambda column: column.type)
def test_one_column_of_any_type_is_enough(column: Column) -> None:
    """A table of a single feature is learnt from by every estimator, and answered alike in both forms."""
    data = frame(100, "binary")
    schema = msgspec.structs.replace(schema_for("binary"), columns=[column, schema_for("binary").columns[-1]])
    for estimator in ESTIMATORS:
        fitted = fit(data, schema, estimator, {}, 7)
        served = OnnxModel(fitted.onnx, fitted.signature).predict(columns_of(data, fitted.signature))
        same(served, fitted.predict_native(data))


NEIGHBOURS = [0.1, float(np.float32(0.1)), 0.1 + 1e-17, 16_777_216.0, 16_777_217.0, 2.0**53, 2.0**53 + 2]
"""Numbers that float32 takes for one another."""
ODD_NUMBERS = st.sampled_from([0.0, -0.0, 1.0, -7.25, 1e300, -1e300, 1e-300, 5e-324, *NEIGHBOURS])
ODD_TEXTS = st.sampled_from(
    ["", " ", "u", "v", "Cash PRIZE", "日本 語", "é", "a\x00b", "\uffff", "u ", "'\"\\", "x" * 5000]
)
ROW = st.fixed_dictionaries(
    {
        "n": st.none() | ODD_NUMBERS | st.floats(allow_nan=False, allow_infinity=False),
        "k": st.none() | st.integers(-(2**62), 2**62) | st.integers(0, 5),
        "b": st.none() | st.booleans(),
        "c": st.none() | ODD_TEXTS | st.text(string.printable, max_size=3),
        "d": st.none() | st.datetimes().map(lambda moment: moment.replace(tzinfo=UTC)),
        "t": st.none() | ODD_TEXTS | st.text(max_size=20),
    }
)

SEEN = st.builds(lambda row, n: row | {"n": n}, ROW, ODD_NUMBERS | st.none() | st.floats())
"""A frame may hold NaN and infinities as well."""


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(SEEN, min_size=8, max_size=30), asked=st.lists(ROW, min_size=1, max_size=8), data=st.data())
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("estimator", ["linear", "random_forest", "lightgbm"])
def test_they_agree_on_any_rows(
    estimator: str, task: str, rows: list[dict], asked: list[dict], data: st.DataObject
) -> None:
    """Whatever was learnt from and asked: gaps, infinities, unseen and empty values, any text, date, and number.

    And a batch of rows that came as JSON is answered as each row by itself, always with finite numbers.
    """
    classes = TASKS[task]
    label = st.sampled_from(classes) if classes else st.floats(-1e6, 1e6)
    labels = [*classes[:2], *(data.draw(label) for _ in rows)][: len(rows)]
    train = pl.DataFrame(rows, schema=DTYPES).with_columns(y=pl.Series(labels))
    fitted = fit(train, schema_for(task), estimator, PARAMS.get(estimator, {}), 7)
    model = OnnxModel(fitted.onnx, fitted.signature)
    same(model.predict(columns_of(train, fitted.signature)), fitted.predict_native(train))

    judged = pl.DataFrame(asked, schema=DTYPES)
    native = fitted.predict_native(judged)
    as_json = [row | {"d": row["d"].isoformat() if row["d"] else None} for row in asked]
    together = model.predict(check_rows(as_json, fitted.signature)[0])
    assert np.isfinite(together.scores).all()
    tolerance = 1e-12 * max(1.0, np.abs(native.scores).max())
    np.testing.assert_allclose(together.scores, native.scores, rtol=1e-12, atol=tolerance)
    for position, row in enumerate(as_json):
        alone = model.predict(check_rows([row], fitted.signature)[0])
        np.testing.assert_allclose(alone.scores[0], together.scores[position], rtol=1e-13, atol=tolerance)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_equal_trainings_have_equal_digests(estimator: str) -> None:
    """The same rows, parameters and seed give the same graph; one row more gives another."""
    data, schema = frame(200, "binary"), schema_for("binary")
    one, again = (fit(data, schema, estimator, {}, 7) for _ in range(2))
    assert one.model_digest == again.model_digest
    assert one.onnx == again.onnx
    assert fit(data.tail(199), schema, estimator, {}, 7).model_digest != one.model_digest


@pytest.mark.parametrize("estimator", ["linear", "random_forest", "lightgbm"])
@pytest.mark.parametrize("task", TASKS)
def test_attributions_find_what_matters(estimator: str, task: str) -> None:
    """What the target was made of comes before what it was not; every input is named, the largest first."""
    data = frame(800, task)
    attributions = fit(data, schema_for(task), estimator, {}, 7).attributions(data)
    assert set(attributions) == {column.name for column in FEATURES}
    assert list(attributions.values()) == sorted(attributions.values(), reverse=True)
    assert min(attributions[name] for name in "nct") > max(attributions[name] for name in "kb")


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_prepared_fold_scores_as_a_model_fitted_on_it(estimator: str) -> None:
    """A search measures the very model that training would make."""
    train, judged, schema = frame(300, "binary"), frame(100, "binary", seed=1), schema_for("binary")
    params = PARAMS.get(estimator, {})
    fold = PreparedFold(train, judged, schema)
    for _ in range(2):
        same(fold.score(estimator, params, 7), fit(train, schema, estimator, params, 7).predict_native(judged))


@pytest.mark.parametrize("estimator", ["linear", "random_forest", "lightgbm"])
def test_a_category_of_many_values_is_not_learnt_by_heart(estimator: str) -> None:
    """Hundreds of values that say nothing, each in a few rows, hardly spoil what the other column says."""
    random = np.random.default_rng(0)
    number = random.normal(size=4_000)
    data = pl.DataFrame(
        {
            "n": number,
            "c": [f"v{one}" for one in random.integers(0, 800, 4_000)],
            "y": np.where(number + random.normal(size=4_000) > 0.5, "yes", "no"),
        }
    )
    train, judged = data[:2_000], data[2_000:]
    areas = []
    for names in ("n", "nc"):
        columns = [one for one in FEATURES if one.name in names]
        schema = Schema(
            columns=[*columns, schema_for("binary").columns[-1]], task="classification", classes=["no", "yes"]
        )
        areas.append(
            roc_auc_score(judged["y"] == "yes", fit(train, schema, estimator, {}, 7).predict_native(judged).scores)
        )
    assert areas[1] > areas[0] - 0.02


@pytest.mark.parametrize(("middle", "size"), [(1.6e9, 50.0), (1e15, 1e3), (0.0, 1e-30), (-5.0, 1e120)])
@pytest.mark.parametrize("estimator", ["linear", "random_forest", "lightgbm"])
def test_a_regression_does_not_hang_on_the_units_of_its_target(estimator: str, middle: float, size: float) -> None:
    """Moments, amounts, and physical constants are learnt as well as plain numbers, and answered in their own units."""
    random = np.random.default_rng(2)
    number = random.normal(size=3_000)
    standard = number + 0.5 * random.normal(size=3_000)
    data = pl.DataFrame({"n": number, "y": middle + size * standard})
    schema = Schema(columns=[FEATURES[0], schema_for("regression").columns[-1]], task="regression")
    fitted = fit(data[:2_000], schema, estimator, {}, 7)
    scores = OnnxModel(fitted.onnx, fitted.signature).predict(columns_of(data[2_000:], fitted.signature)).scores
    assert np.var((scores - middle) / size - standard[2_000:]) < 0.35 * np.var(standard)
    np.testing.assert_allclose(scores, fitted.predict_native(data[2_000:]).scores, rtol=1e-12)


def test_one_huge_label_leaves_the_rest_to_be_learnt() -> None:
    """A forest answers rows that share no leaf with it as if it were not there."""
    random = np.random.default_rng(2)
    number = random.normal(size=3_000)
    target = number + 0.2 * random.normal(size=3_000)
    target[int(np.argmax(number[:2_000]))] = 1e12
    data = pl.DataFrame({"n": number, "y": target})
    schema = Schema(columns=[FEATURES[0], schema_for("regression").columns[-1]], task="regression")
    scores = fit(data[:2_000], schema, "random_forest", {}, 7).predict_native(data[2_000:]).scores
    assert np.median(np.abs(scores - target[2_000:])) < 0.3


def test_rows_without_a_label_are_not_learnt_from() -> None:
    """They change nothing, not even the known categories."""
    data, schema = frame(200, "binary"), schema_for("binary")
    more = pl.concat([data, data.with_columns(y=pl.lit(None, dtype=pl.String), c=pl.lit("later"))])
    assert fit(more, schema, "linear", {}, 7).model_digest == fit(data, schema, "linear", {}, 7).model_digest


def test_the_signature_says_what_training_saw() -> None:
    """Categories and gaps as the rows show them; what a person closed or completed is binding."""
    data = frame(100, "binary").with_columns(closed=pl.lit("x"), complete=pl.lit(1.0))
    extra = [
        Column(name="closed", type="category", closed=True, categories=["x", "y"]),
        Column(name="complete", type="number", nullable=False),
    ]
    schema = msgspec.structs.replace(schema_for("binary"), columns=[*schema_for("binary").columns, *extra])
    signature = signature_of(data, schema)
    by_name = {one.name: one for one in signature.inputs}
    assert by_name["c"].categories == ["", "u", "v", "w"]
    assert by_name["n"].nulls_seen
    assert not by_name["k"].nulls_seen
    assert (by_name["closed"].closed, by_name["closed"].categories) == (True, ["x", "y"])
    assert by_name["complete"].required
    assert not by_name["n"].required
    assert (signature.classes, signature.threshold) == (["no", "yes"], 0.5)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"y": pl.lit(None, dtype=pl.String)}, "No row has a label"),
        ({"y": pl.lit("yes")}, "nothing to tell apart"),
        ({"y": pl.lit("maybe")}, "none of its classes"),
    ],
)
def test_a_target_that_nothing_can_be_learnt_from_is_refused(change: dict, problem: str) -> None:
    """No label, one class only, or a class that the schema does not know."""
    with pytest.raises(DataError, match=problem):
        fit(frame(20, "binary").with_columns(**change), schema_for("binary"), "linear", {}, 7)


def test_numbers_without_end_are_no_labels() -> None:
    """A regression does not learn from infinity."""
    data = frame(20, "regression").with_columns(y=pl.lit(float("inf")))
    with pytest.raises(DataError, match="not finite"):
        fit(data, schema_for("regression"), "linear", {}, 7)


def test_a_table_without_features_is_refused() -> None:
    """Where every column is left out there is nothing to learn from."""
    schema = Schema(
        columns=[Column(name="y", type="category", role="target")], task="classification", classes=["no", "yes"]
    )
    with pytest.raises(DataError, match="no feature"):
        fit(frame(20, "binary"), schema, "linear", {}, 7)


def test_unknown_names_are_refused() -> None:
    """An estimator or a parameter that does not exist is an error of input."""
    for estimator, params in (("logistic", {}), ("linear", {"depth": 3})):
        with pytest.raises(InputError):
            fit(frame(20, "binary"), schema_for("binary"), estimator, params, 7)


def with_outliers(robust: bool) -> tuple[pl.DataFrame, pl.DataFrame, Schema]:
    """Rows to learn from, of which every fiftieth has a number and a target far away, rows to judge, and a schema."""
    random = np.random.default_rng(4)
    x = random.normal(size=(3_000, 2))
    y = x[:, 0] + 0.5 * x[:, 1] + random.normal(size=3_000) / 5
    far = np.arange(3_000) % 50 == 0
    rows = pl.DataFrame({"x": np.where(far, 1e6, x[:, 0]), "z": x[:, 1], "y": np.where(far, -500.0, y)})
    columns = [
        Column(name="x", type="number", robust=robust),
        Column(name="z", type="number"),
        Column(name="y", type="number", role="target", robust=robust),
    ]
    judged = rows[2_000:].filter(pl.col("y") > -100)
    return rows[:2_000], judged, Schema(columns=columns, task="regression")


@pytest.mark.parametrize("estimator", ["linear", "lightgbm"])
def test_outliers_that_were_kept_are_borne(estimator: str) -> None:
    """A model that knows of them errs much less on ordinary rows, and its graph answers as it does."""
    errors = {}
    for robust in (False, True):
        train, judged, schema = with_outliers(robust)
        fitted = fit(train, schema, estimator, {}, 7)
        scores = fitted.predict_native(judged).scores
        errors[robust] = float(np.median(np.abs(scores - judged["y"].to_numpy())))
        graph = OnnxModel(fitted.onnx, fitted.signature).predict(columns_of(judged, fitted.signature))
        np.testing.assert_allclose(graph.scores, scores, rtol=1e-4, atol=1e-4)
        assert bool([one for one in fitted.preprocessing.notes(len(train)) if "x: measured by" in one]) == (
            robust and estimator == "linear"
        )
    assert errors[True] < 0.7 * errors[False]
    assert errors[True] < 0.3
