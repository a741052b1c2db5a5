"""Estimators are kept without pickle."""

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier, StackingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from heptad.core.errors import InputError
from heptad.experiments import signature_of

skops = pytest.importorskip("skops.io")


def test_an_estimator_comes_back_without_trusting_anything(run, kept):
    """A linear model needs no type but those that skops knows."""
    run.model("line", LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0]))
    run.finish()
    assert skops.loads(kept("line/model.skops")).predict([[2.0]]) == pytest.approx([5.0])


TABLE = pd.DataFrame({"age": np.arange(8.0), "town": ["a", "b"] * 4, "said": ["yes no", "no"] * 4, "size": range(8)})
LABELS = ["x", "y"] * 4


def in_parts():
    """Columns by name and by place, one of text, and one that is passed on."""
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["age"]),
            ("towns", make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder()), [1]),
            ("words", CountVectorizer(), "said"),
            ("rest", "passthrough", slice(3, 4)),
        ]
    )


@pytest.mark.parametrize(
    ("model", "columns", "told"),
    [
        (LogisticRegression(), ["age", "size"], "age number, size number -> text[-1]"),
        (RandomForestClassifier(n_estimators=2), ["age"], "age number -> text[-1]"),
        (make_pipeline(StandardScaler(), LogisticRegression()), ["age"], "age number -> text[-1]"),
        (
            make_pipeline(OneHotEncoder(), LogisticRegression()),
            ["town", "size"],
            "town category, size integer -> text[-1]",
        ),
        (
            GridSearchCV(make_pipeline(in_parts(), LogisticRegression()), {"logisticregression__C": [1]}, cv=2),
            list(TABLE),
            "age number, town ?, said text, size ? -> text[-1]",
        ),
        (StackingClassifier([("one", LogisticRegression())], cv=2), ["age"], "age ? -> text[-1]"),
        (KMeans(2), ["age"], "age number -> integer[-1]"),
        (StandardScaler(), ["age"], "age number -> ?"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_an_estimator_tells_its_columns_and_its_answer(run, signature, model, columns, told):
    """Types where the step that takes a column first tells them, and none that is guessed."""
    run.model("model", model.fit(TABLE[columns], LABELS))
    run.finish()
    assert signature() == told


def test_categories_of_pandas_and_several_targets_are_told(run, signature):
    """A regression of two numbers answers two columns."""
    table = TABLE[["age", "town"]].astype({"town": "category"})
    run.model("boosted", HistGradientBoostingRegressor(max_iter=2).fit(table, np.arange(8.0)))
    run.model("two", RandomForestClassifier(n_estimators=2).fit(TABLE[["age"]], np.eye(2, dtype=int)[[0, 1] * 4]))
    run.finish()
    assert signature("boosted") == "age number, town category -> number[-1]"
    assert signature("two") == "age number -> integer[-1, 2]"


def test_a_signature_that_is_given_wins(run, signature):
    """An estimator has forgotten the types of its table; whoever has it can tell."""
    model = make_pipeline(in_parts(), LogisticRegression()).fit(TABLE, LABELS)
    run.model("model", model, signature_of(TABLE, model.predict(TABLE)))
    run.finish()
    assert signature() == "age number, town text, said text, size integer -> text[-1]"


def made_of_two(rows):
    """A step of a model's own, at the top of a module."""
    return rows * 2


def of_a_script(rows):
    """As a script or a notebook defines one."""
    return rows


of_a_script.__module__ = "__main__"


def within(rows):
    """What a function defines is not found by its name."""

    def inner(more):
        return more

    return inner(rows) if rows is not None else inner


@pytest.mark.parametrize("step", [of_a_script, lambda rows: rows, within(None)], ids=["script", "lambda", "inner"])
def test_a_model_that_nobody_else_could_load_is_refused_at_once(run, attributes, step):
    """With the name of what would be missing, and what to do; nothing of the model is kept."""
    model = make_pipeline(FunctionTransformer(step), LinearRegression()).fit(np.eye(2), [1.0, 3.0])
    with pytest.raises(
        InputError, match=r"needs \S+(script|lambda>|inner), which is kept by name only(.|\n)*\.py file"
    ):
        run.model("model", model)
    run.finish()
    assert not any(name.startswith("artifacts.") for name in attributes())


def test_functions_of_modules_are_kept_by_name(run, kept):
    """Of a project's own modules and of NumPy."""
    steps = make_pipeline(FunctionTransformer(made_of_two), FunctionTransformer(np.log1p), LinearRegression())
    run.model("model", steps.fit(np.eye(2), [1.0, 3.0]))
    run.finish()
    data = kept("model/model.skops")
    assert skops.get_untrusted_types(data=data) == [f"{__name__}.made_of_two"]
