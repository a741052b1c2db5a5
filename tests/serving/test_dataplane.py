"""From rows to answers and entries."""

import math
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.data.cleaning.singles.conftest import version_of
from tests.serving.conftest import ROW, SIGNATURE

from heptad.core.errors import RequestError
from heptad.data import CleanRule, Fitted
from heptad.release.cleaning import packed_cleaning
from heptad.serving.dataplane import PART_ROWS, Asked, answer, scores_of_classes
from heptad.serving.messages import Part
from heptad.serving.routing import Routing
from heptad.training import Input, Scores, Signature

SECONDS = 1_364_797_800.0
"""2013-04-01T06:30:00Z."""


def ask(shop: Any, rows: list[dict[str, Any]], ids: list[str] | None = None, *, log_inputs: bool = True) -> list[Part]:
    names = ids or [f"id-{number}" for number in range(len(rows))]
    return answer(shop.snapshot(), Asked(rows=rows, ids=names, caller="me", at=5, began=0.0), log_inputs=log_inputs)


def answers_of(parts: list[Part]) -> list[dict[str, Any]]:
    return [one for part in parts for one in msgspec.json.decode(part.replies)]


def logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_a_row_is_answered_with_all_that_a_caller_needs(shop: Any, row: dict[str, Any]) -> None:
    """Label, score, probabilities, threshold, version and warnings."""
    shop.publish(shop.route(1))
    (got,) = answers_of(ask(shop, [row], ["r1"]))
    assert got["score"] == pytest.approx(logistic(0.5))
    assert got["probabilities"] == pytest.approx([1 - logistic(0.5), logistic(0.5)])
    assert (got["id"], got["label"], got["threshold"]) == ("r1", "on time", 0.5)
    assert (got["version"], got["warnings"]) == ("tiny@1", [])


def test_a_regression_is_answered_with_its_number(shop: Any) -> None:
    """No probabilities, no threshold: the label is the number."""
    signature = Signature(inputs=[Input(name="x", type="number")], task="regression", target="price")
    shop.publish(shop.route(1, signature=signature, shift=2.0))
    parts = ask(shop, [{"x": 1.0}])
    assert answers_of(parts) == [{"id": "id-0", "label": 2.5, "score": 2.5, "version": "tiny@1", "warnings": []}]
    assert parts[0].entries.probabilities == []


def test_an_entry_keeps_who_asked_what_when(shop: Any, row: dict[str, Any]) -> None:
    """Caller, time, generation, version, role, and the inputs: numbers as bytes, texts as they came."""
    shop.publish(shop.route(1))
    (part,) = ask(shop, [row, row | {"x": None, "colour": None, "sunny": False, "y": None}])
    entries = part.entries
    assert (entries.caller, entries.at, entries.generation, entries.version, entries.role) == (
        "me",
        5,
        1,
        "tiny@1",
        "live",
    )
    assert msgspec.msgpack.decode(entries.inputs)[:2] == [["x", "number"], ["y", "integer"]]
    x, y, colour, sunny, at = entries.columns
    assert np.array_equal(np.frombuffer(x), [1.0, np.nan], equal_nan=True)  # type: ignore[arg-type]
    assert np.array_equal(np.frombuffer(y), [2.0, np.nan], equal_nan=True)  # type: ignore[arg-type]
    assert colour == ["red", None]
    assert np.frombuffer(sunny).tolist() == [1.0, 0.0]  # type: ignore[arg-type]
    assert np.frombuffer(at).tolist() == [SECONDS, SECONDS]  # type: ignore[arg-type]
    assert entries.latency_ms > 0


def test_inputs_are_left_out_of_the_log_where_the_settings_say_so(shop: Any, row: dict[str, Any]) -> None:
    """The answer is the same; the entry holds no input and no name of one."""
    shop.publish(shop.route(1))
    (part,) = ask(shop, [row], log_inputs=False)
    assert part.entries.columns == []
    assert msgspec.msgpack.decode(part.entries.inputs) == []
    assert part.replies == ask(shop, [row])[0].replies


def test_a_value_that_training_never_saw_is_a_warning(shop: Any, row: dict[str, Any]) -> None:
    """The row is answered, and reply and log both carry the warning of that row only."""
    shop.publish(shop.route(1))
    (part,) = ask(shop, [row, row | {"colour": "green"}])
    said = [one["warnings"] for one in answers_of([part])]
    assert said == [[], ["colour: a value that training never saw"]]
    assert part.entries.warnings == {1: said[1]}


def test_one_bad_row_refuses_the_whole_request(shop: Any, row: dict[str, Any]) -> None:
    """Nothing of a request is answered where one row cannot be read; the column is named."""
    shop.publish(shop.route(1))
    with pytest.raises(RequestError) as caught:
        ask(shop, [row, row | {"x": "many"}])
    assert (caught.value.status, caught.value.field) == (422, "x")


def test_what_the_schema_closes_is_refused_and_not_warned_about(shop: Any) -> None:
    """A null in a required column, and a category outside of a closed set."""
    closed = Input(name="colour", type="category", categories=["blue", "red"], closed=True)
    signature = Signature(
        inputs=[Input(name="x", type="number", required=True), closed], task="regression", target="price"
    )
    shop.publish(shop.route(1, signature=signature))
    for row, field in ({"x": None, "colour": "red"}, "x"), ({"x": 1.0, "colour": "green"}, "colour"):
        with pytest.raises(RequestError) as caught:
            ask(shop, [row])
        assert (caught.value.status, caught.value.field) == (422, field)


def test_a_score_that_is_no_number_is_refused(shop: Any) -> None:
    """A row so far out that the model overflows is refused by its place, and not answered with null."""
    signature = Signature(inputs=[Input(name="x", type="number")], task="regression", target="price")
    shop.publish(shop.route(1, signature=signature, shift=1.5e308))
    with pytest.raises(RequestError, match="Row 1 lies beyond") as caught:
        ask(shop, [{"x": 0.0}, {"x": 1.5e308}])
    assert (caught.value.status, caught.value.field) == (422, "rows[1]")


def test_rows_under_one_id_are_told_apart(shop: Any, row: dict[str, Any]) -> None:
    """Equal rows have equal digests whatever the order of their columns, others have others."""
    shop.publish(shop.route(1))
    turned = dict(reversed(row.items()))
    (part,) = ask(shop, [row, turned, row | {"x": 1.5}, row | {"colour": "blue"}])
    assert part.digests[0] == part.digests[1]
    assert len(set(part.digests)) == 3


def test_a_big_request_is_several_parts_in_order(shop: Any, row: dict[str, Any]) -> None:
    """Parts are small enough to be stored quickly, and together they are the request."""
    shop.publish(shop.route(1))
    rows = [row | {"x": float(number)} for number in range(PART_ROWS + 7)]
    parts = ask(shop, rows)
    assert [len(part.positions) for part in parts] == [PART_ROWS, 7]
    assert [one for part in parts for one in part.positions] == list(range(PART_ROWS + 7))
    assert [one["score"] for one in answers_of(parts)] == pytest.approx([logistic(row["x"] / 2) for row in rows])


def test_a_canary_answers_its_ids_and_no_others(shop: Any, row: dict[str, Any]) -> None:
    """Each id is answered by the version that its hash says; together the parts hold every row once."""
    routes = [shop.route(1, share=0.7), shop.route(2, "canary", 0.3, shift=1.0)]
    shop.publish(*routes)
    parts = ask(shop, [row] * 200)
    assert {part.entries.version: part.entries.role for part in parts} == {"tiny@1": "live", "tiny@2": "canary"}
    routing = Routing(routes)
    for part in parts:
        assert {routing.answers(one).label for one in part.entries.ids} == {part.entries.version}
    assert sorted(position for part in parts for position in part.positions) == list(range(200))


def test_shadows_watch_and_answer_nothing(shop: Any, row: dict[str, Any]) -> None:
    """A shadow's score of the same class is logged, and the reply does not know of it."""
    shop.publish(shop.route(1))
    alone = ask(shop, [row])[0].replies
    shop.publish(shop.route(1), shop.route(2, "shadow", shift=1.0))
    (part,) = ask(shop, [row])
    assert part.entries.shadows == {"tiny@2": pytest.approx([logistic(1.5)])}
    assert part.replies == alone


def test_a_canary_that_shadows_the_rest_is_its_own_shadow(shop: Any, row: dict[str, Any]) -> None:
    """Where the answering version also shadows, its score is simply its own."""
    canary = shop.route(2, "canary", 0.5, shift=1.0)
    shop.publish(shop.route(1, share=0.5), canary, msgspec.structs.replace(canary, role="shadow"))
    for part in ask(shop, [row] * 20):
        assert part.entries.shadows["tiny@2"] == pytest.approx([logistic(1.5)] * len(part.positions))


def test_a_shadow_may_take_other_columns(shop: Any, row: dict[str, Any], signature: Signature) -> None:
    """Callers that send the new column are read by both; those that do not are answered, unshadowed."""
    wider = msgspec.structs.replace(signature, inputs=[*signature.inputs, Input(name="gust", type="number")])
    shop.publish(shop.route(1), shop.route(2, "shadow", signature=wider, shift=1.0))
    (part,) = ask(shop, [row | {"gust": 4.0}])
    assert part.entries.shadows == {"tiny@2": pytest.approx([logistic(1.5)])}
    (part,) = ask(shop, [row])
    assert part.entries.shadows == {}
    with pytest.raises(RequestError) as caught:
        ask(shop, [row | {"wind": 4.0}])
    assert caught.value.field == "wind"


def test_the_score_of_a_shadow_is_of_the_class_that_was_answered() -> None:
    """With several classes the probability of the answered class counts, also where the order differs."""
    scores = Scores(
        labels=["a", "c"], scores=np.array([0.6, 0.7]), probabilities=np.array([[0.6, 0.3, 0.1], [0, 0.3, 0.7]])
    )
    assert scores_of_classes(scores, ["a", "b", "c"], ["b", "c"]) == [0.3, 0.7]
    assert scores_of_classes(scores, ["a", "b", "c"], ["b", "d"]) == [0.3, None]
    assert scores_of_classes(scores, [], []) == [0.6, 0.7]


def test_a_row_is_the_same_row_whichever_version_answers_it(
    shop: Any, row: dict[str, Any], signature: Signature
) -> None:
    """A repetition that another version answers, or whose columns stand in another order, is told from no other row."""
    wider = msgspec.structs.replace(signature, inputs=[Input(name="gust", type="number"), *signature.inputs])
    sent = row | {"gust": 4.0}
    shop.publish(shop.route(1), shop.route(2, "shadow", signature=wider))
    (first,) = ask(shop, [sent])
    shop.publish(shop.route(2, signature=wider), shop.route(1, "shadow"))
    (again,) = ask(shop, [dict(reversed(sent.items()))])
    (other,) = ask(shop, [sent | {"x": 5.0}])
    assert first.digests == again.digests != other.digests


def test_a_shadow_that_fails_harms_nobody(shop: Any, row: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    """The answer is given all the same, without a score of the shadow; the log says once what failed."""
    shop.publish(shop.route(1), shop.route(2, "shadow", shift=1.0))
    snapshot = shop.snapshot()

    def fail(_columns: object) -> Scores:
        raise ArithmeticError

    snapshot.versions["model-2"].model.predict = fail
    for number in range(3):
        asked = Asked(rows=[row], ids=[f"id-{number}"], caller="me", at=5, began=0.0)
        (part,) = answer(snapshot, asked, log_inputs=True)
        assert part.entries.shadows == {}
        assert part.entries.scores == [pytest.approx(logistic(0.5))]
    assert caplog.text.count("the shadow tiny@2 fails: ArithmeticError") == 1


RULES = {
    "x": CleanRule(units={"m": 1, "cm": 0.01}, unit="m", unread="refuse"),
    "colour": CleanRule(strip=True, told_by=["shop"]),
}
VOTES = Fitted(votes={"colour": {"corner": "blue"}})


def cleaning_of(columns: dict[str, CleanRule], **more: Any) -> Any:
    types = {one.name: one.type for one in SIGNATURE.inputs} | {"shop": "category"}
    version = version_of(types, columns, fitted=VOTES, **more)
    return packed_cleaning(version, [one.name for one in SIGNATURE.inputs], ROW)


def test_a_row_is_cleaned_before_the_model_takes_it(shop: Any, row: dict[str, Any]) -> None:
    """As the table was: reply and log say which rule did something, the log has what the model read."""
    shop.cleaning = cleaning_of(RULES)
    shop.publish(shop.route(1))
    sent = row | {"x": "150 cm", "colour": None, "shop": "corner"}
    (part,) = ask(shop, [sent, row | {"x": 1.5, "colour": "blue"}])
    first, second = answers_of([part])
    assert first["score"] == second["score"]
    assert first["warnings"] == ["x: repaired by the rule units", "colour: repaired by the rule told_by"]
    assert second["warnings"] == []
    assert part.entries.warnings == {0: first["warnings"]}
    assert np.frombuffer(part.entries.columns[0]).tolist() == [1.5, 1.5]  # type: ignore[arg-type]
    assert part.entries.columns[2] == ["blue", "blue"]
    assert part.digests[0] != part.digests[1]


def test_a_row_that_a_rule_refuses_is_refused(shop: Any, row: dict[str, Any]) -> None:
    """By the column, with the status for values."""
    shop.cleaning = cleaning_of(RULES)
    shop.publish(shop.route(1))
    with pytest.raises(RequestError, match="the rule 'units'") as caught:
        ask(shop, [row | {"x": "1 m"}, row | {"x": "far"}])
    assert (caught.value.status, caught.value.field) == (422, "x")


def test_rows_of_a_version_are_not_cleaned_twice(shop: Any, row: dict[str, Any]) -> None:
    """A rehearsal plays what a version holds."""
    shop.cleaning = cleaning_of({"colour": CleanRule(replace={"red": "blue", "blue": "red"})})
    shop.publish(shop.route(1))
    asked = Asked(rows=[row], ids=["a"], caller="me", at=5, began=0.0)
    (part,) = answer(shop.snapshot(), asked, log_inputs=True, cleaned=True)
    assert part.entries.columns[2] == ["red"]
    assert ask(shop, [row])[0].entries.columns[2] == ["blue"]


def test_each_version_cleans_by_its_own_rules(shop: Any, row: dict[str, Any]) -> None:
    """A shadow reads the row as it came."""
    live = shop.route(1)
    shop.cleaning = cleaning_of({"x": CleanRule(max=1, outside="cap")})
    shop.publish(live, shop.route(2, role="shadow"))
    (part,) = ask(shop, [row | {"x": 5.0}])
    (kept,) = ask(shop, [row | {"x": 1.0}])
    assert part.entries.shadows == kept.entries.shadows
    assert part.entries.scores != kept.entries.scores
