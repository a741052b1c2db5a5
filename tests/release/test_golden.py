"""Golden rows: made up, answered, and answered alike for ever after."""

import copy
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from heptad.core.errors import IntegrityError, RefusedError
from heptad.release.golden import Golden, answer, golden_rows, replay
from heptad.training import Input, OnnxModel, Signature, check_rows

TOLERANCE = 1e-6


@pytest.fixture(scope="module")
def model(tiny: SimpleNamespace) -> OnnxModel:
    return OnnxModel(tiny.graph(), tiny.signature)


@pytest.fixture
def golden(tiny: SimpleNamespace, model: OnnxModel) -> Golden:
    return answer(model, golden_rows(tiny.background, tiny.signature))


def test_rows_hold_the_ordinary_and_the_edges(tiny: SimpleNamespace, golden: Golden) -> None:
    """Rows of the background come first, then all missing, values far out, and a category nobody has seen."""
    assert golden.rows[:2] == tiny.background[:2]
    assert golden.rows[-3:] == [
        {"x": None, "colour": None},
        {"x": -1e9, "colour": "never seen before"},
        {"x": 1e9, "colour": ""},
    ]
    assert golden.scores[-3:] == [0.5, 0.0, 1.0]
    assert golden.labels[-3:] == ["yes", "no", "yes"]


def test_rows_are_few_and_the_same_each_time(tiny: SimpleNamespace) -> None:
    """However large the background is, about twenty rows spread over it are kept."""
    many = [{"x": float(row), "colour": "red"} for row in range(100)]
    rows = golden_rows(many, tiny.signature)
    assert rows == golden_rows(many, tiny.signature)
    assert [row["x"] for row in rows[:20]] == [float(row) for row in range(0, 100, 5)]
    assert len(rows) == 23


def test_what_the_signature_demands_is_kept_at_the_edges(tiny: SimpleNamespace) -> None:
    """A required value is not left out and a closed set not left, as the model's own door would refuse the row."""
    strict = msgspec.structs.replace(
        tiny.signature,
        inputs=[
            Input(name="x", type="number", required=True),
            Input(name="colour", type="category", closed=True, categories=["red"]),
        ],
    )
    rows = golden_rows([{"x": 0.5, "colour": "red"}], strict)
    assert rows[1:] == [{"x": 0.5, "colour": None}, {"x": -1e9, "colour": "red"}, {"x": 1e9, "colour": "red"}]
    answer(OnnxModel(tiny.graph(), strict), rows)


@pytest.mark.parametrize("kind", ["number", "integer", "boolean", "category", "text", "datetime"])
def test_every_type_of_column_has_edges_that_are_allowed(kind: Any) -> None:
    """The model's door takes the rows at the edges of any type."""
    signature = Signature(inputs=[Input(name="a", type=kind)], task="regression", target="y")
    columns, _ = check_rows(golden_rows([], signature), signature)
    assert len(columns["a"]) == 3


def test_the_same_model_passes(model: OnnxModel, golden: Golden) -> None:
    """Replaying what was recorded finds nothing, also after the answers went through JSON."""
    replay(model, msgspec.json.decode(msgspec.json.encode(golden), type=Golden), TOLERANCE)


@pytest.mark.parametrize("slope", [2.001, -2.0])
def test_another_model_is_found(tiny: SimpleNamespace, golden: Golden, slope: float) -> None:
    """A model that answers a little differently is refused, and the error says how differently."""
    with pytest.raises(IntegrityError, match=r"Golden row 0 was answered 0\.\d+, and 0\.\d+ is recorded"):
        replay(OnnxModel(tiny.graph(slope), tiny.signature), golden, TOLERANCE)


def test_rounding_is_no_difference(tiny: SimpleNamespace, golden: Golden) -> None:
    """A change in the ninth digit, as another processor makes, is allowed."""
    replay(OnnxModel(tiny.graph(2.0 + 1e-9), tiny.signature), golden, TOLERANCE)


def test_a_replaced_label_is_found(model: OnnxModel, golden: Golden) -> None:
    """Also where the scores are right, except on the very border between two labels."""
    labels = copy.copy(golden.labels)
    labels[0] = "yes"
    with pytest.raises(IntegrityError, match="Golden row 0 was answered 'no', and 'yes' is recorded"):
        replay(model, msgspec.structs.replace(golden, labels=labels), TOLERANCE)
    labels = copy.copy(golden.labels)
    labels[-3] = "no"  # its score is the threshold itself
    replay(model, msgspec.structs.replace(golden, labels=labels), TOLERANCE)


def test_missing_answers_are_found(model: OnnxModel, golden: Golden) -> None:
    """As many answers as rows."""
    with pytest.raises(IntegrityError, match="answers came where"):
        replay(model, msgspec.structs.replace(golden, scores=golden.scores[1:]), TOLERANCE)


def test_a_model_that_answers_no_number_is_not_packed(tiny: SimpleNamespace) -> None:
    """NaN on a row that clients may send is a defect to find before the release."""
    model = OnnxModel(tiny.graph(float("nan")), tiny.signature)
    with pytest.raises(RefusedError, match="answers nan to the row"):
        answer(model, golden_rows(tiny.background, tiny.signature))
