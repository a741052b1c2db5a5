"""The model without Heptad: what it answers is what the model answers, value by value."""

import json
import math
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.records import canonical_json
from heptad.training import Input, OnnxModel, Signature, check_rows, standalone_source
from heptad.training.onnx_graph import GraphWriter, doubles, strings
from heptad.training.standalone import StandaloneModel

SIGNATURE = Signature(
    inputs=[
        Input(name="x", type="number"),
        Input(name="n", type="integer"),
        Input(name="b", type="boolean"),
        Input(name="t", type="datetime"),
        Input(name="c", type="category", categories=["blue", "red"]),
    ],
    task="regression",
    target="y",
)


def graph_of(signature: Signature, width: int = 1) -> bytes:
    """A weighted sum of all inputs in which a missing value counts, spread over `width` columns."""
    graph = GraphWriter(signature.inputs)
    parts = []
    for place, one in enumerate(signature.inputs):
        number = one.name
        if one.type in {"category", "text"}:
            values = np.array([1.0, 2.0, 4.0])
            number = graph.node(
                "LabelEncoder",
                one.name,
                domain="ai.onnx.ml",
                keys_tensor=strings(["blue", "red", "\uffff"]),
                values_tensor=doubles(values),
                default_tensor=doubles([8.0]),
            )
        known = graph.node("Where", graph.node("IsNaN", number), graph.constant([[-7.5]]), number)
        parts += [graph.node("Mul", known, graph.constant([[0.5 + place + column]])) for column in range(width)]
    wide = graph.concat(parts)
    sums = [graph.node("ReduceSum", graph.pick(wide, range(column, len(parts), width)), graph.constant([1], np.int64))
            for column in range(width)]  # fmt: skip
    return graph.finish(graph.node("Softmax", graph.concat(sums), axis=1) if width > 1 else sums[0], width)


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[StandaloneModel, OnnxModel, Path]]:
    """Writes a signature and a graph for it into a folder, and loads both forms."""

    def save(signature: Signature, **more: Any) -> tuple[StandaloneModel, OnnxModel, Path]:
        folder = tmp_path_factory.mktemp("saved")
        graph = graph_of(signature, max(1, len(signature.classes)))
        (folder / "model.onnx").write_bytes(graph)
        (folder / "signature.json").write_bytes(canonical_json({**json.loads(canonical_json(signature)), **more}))
        return StandaloneModel(folder), OnnxModel(graph, signature), folder

    return save


cells = {
    "x": st.floats(allow_nan=False, allow_infinity=False, width=32),
    "n": st.integers(-(2**53), 2**53),
    "b": st.booleans(),
    "t": st.integers(-(2**31), 2**33).map(lambda at: datetime.fromtimestamp(at, UTC).isoformat()),
    "c": st.sampled_from(["blue", "red", "never seen", "", "None", "nan"]),
}
row_of = st.fixed_dictionaries({name: st.none() | one for name, one in cells.items()})


@given(rows=st.lists(row_of, min_size=1, max_size=5))
def test_a_frame_is_answered_as_the_rows_are(rows: list[dict[str, Any]], saved: Callable[..., Any]) -> None:
    """Missing values, unseen categories and those that look like missing ones included, to the last bit."""
    alone, model, _ = _kept(saved)
    columns, _warnings = check_rows(rows, SIGNATURE)
    expected = model.predict(columns).scores
    frame = pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=object) for name in cells})
    assert alone.predict(frame)["score"].tolist() == expected.tolist()


_loaded: list[Any] = []


def _kept(saved: Callable[..., Any]) -> Any:
    if not _loaded:
        _loaded.append(saved(SIGNATURE))
    return _loaded[0]


def test_the_types_of_pandas_are_taken(saved: Callable[..., Any]) -> None:
    """Floats for whole numbers with gaps, nullable and categorical columns, moments with and without a zone."""
    alone, model, _ = _kept(saved)
    moments = pd.to_datetime(["2026-01-01T12:00:00.123456", None])
    frame = pd.DataFrame(
        {
            "x": np.array([1, 2], dtype=np.int64),
            "n": [3.0, math.nan],
            "b": pd.array([True, None], dtype="boolean"),
            "t": moments.tz_localize("Asia/Tokyo"),
            "c": pd.Categorical(["red", None]),
        },
        index=["a", "b"],
    )
    moment = datetime(2026, 1, 1, 3, 0, 0, 123456, UTC).isoformat()
    rows = [{"x": 1, "n": 3, "b": True, "t": moment, "c": "red"}, {"x": 2, "n": None, "b": None, "t": None, "c": None}]
    expected = model.predict(check_rows(rows, SIGNATURE)[0]).scores
    answers = alone.predict(frame)
    assert (answers["score"].tolist(), list(answers.index)) == (expected.tolist(), ["a", "b"])
    assert answers["label"].tolist() == expected.tolist()
    assert alone.predict(frame[["x", "n", "b", "t"]])["score"].iloc[1] == expected[1]  # left out: missing
    assert len(alone.predict(frame.iloc[:0])) == 0


@pytest.mark.parametrize(
    ("column", "value"),
    [("x", "3"), ("x", True), ("n", 1.5), ("b", 2), ("t", "yesterday"), ("t", 5), ("c", 1.5), ("x", 10**400)],
)
def test_a_value_of_the_wrong_type_is_refused(column: str, value: object, saved: Callable[..., Any]) -> None:
    """With the column and the value."""
    alone, _, _ = _kept(saved)
    row = {"x": 1.0, "n": 1, "b": True, "t": None, "c": "red", column: value}
    with pytest.raises(ValueError, match=f"'{column}' cannot be "):
        alone.predict(pd.DataFrame({name: pd.Series([one], dtype=object) for name, one in row.items()}))


def test_classes_are_decided_as_the_model_decides(saved: Callable[..., Any]) -> None:
    """By the threshold of two classes, by the largest of three; what the schema closes is refused."""
    inputs = [Input(name="x", type="number", required=True),
              Input(name="c", type="category", categories=["blue", "red"], closed=True)]  # fmt: skip
    frame = pd.DataFrame({"x": [-3.0, 0.5, 9.0], "c": ["blue", "red", None]})
    for classes, threshold in ((["no", "yes"], 0.9), (["no", "yes"], None), (["a", "b", "c"], None)):
        signature = Signature(inputs=inputs, task="classification", target="y", classes=classes, threshold=threshold)
        alone, model, _ = saved(signature)
        columns = {"x": frame["x"].tolist(), "c": ["blue", "red", None]}
        expected, answers = model.predict(columns), alone.predict(frame)
        assert answers["label"].tolist() == expected.labels
        assert answers["score"].tolist() == expected.scores.tolist()
        assert answers[[f"probability.{one}" for one in classes]].to_numpy().tolist() == expected.probabilities.tolist()
        for changed in ({"x": [None] * 3}, {"c": ["green"] * 3}):
            with pytest.raises(ValueError, match="the schema of the model refuses it"):
                alone.predict(frame.assign(**changed))


def test_a_model_whose_rows_are_cleaned_says_so(saved: Callable[..., Any]) -> None:
    """Nobody cleans them where Heptad is not."""
    with pytest.warns(UserWarning, match="clean rows yourself"):
        saved(SIGNATURE, cleaned=True)


def test_the_module_stands_alone(saved: Callable[..., Any], tmp_path: Path) -> None:
    """Loaded from its source in a fresh process it works, and loads nothing of ours."""
    _, _, folder = _kept(saved)
    (tmp_path / "alone.py").write_bytes(standalone_source())
    code = (
        "import sys, pandas, alone; model = alone._load_pyfunc(sys.argv[1]);"
        "print(len(model.predict(pandas.DataFrame({'x': [1.5, None]}))));"
        "print([name for name in sys.modules if name.partition('.')[0] == 'heptad'])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True, cwd=tmp_path, timeout=60
    )
    assert ended.stdout.splitlines() == ["2", "[]"]
