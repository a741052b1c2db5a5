"""Decisions: both models on the same rows, every outcome kept."""

from collections.abc import Sequence
from typing import Any

import msgspec
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from heptad.core import graph
from heptad.core.errors import DataError, SettingsError
from heptad.core.query import Query
from heptad.core.records import Record
from heptad.release.records import Decision


def registered(house: Any, candidate: Any) -> Any:
    release = house.with_gates()
    return release.register(candidate, release.decide(candidate))


def gate(decision: Record[Decision], text: str) -> Any:
    return next(one for one in decision.body.gates if one.gate == text)


def test_a_first_candidate_is_judged_by_what_was_measured_of_it(house: Any) -> None:
    """Without champion and without other rows the evaluation's figures are held against the gates."""
    decision = house.with_gates("roc_auc >= 0.6", "beats champion", "beats baseline").decide(house.good)
    assert decision.body.accepted
    assert decision.body.metrics == house.good.body.evaluation.metrics
    assert decision.body.rows == house.good.body.split.judge_rows
    assert "no champion yet" in gate(decision, "beats champion").sentence


def test_a_refusal_is_kept_with_its_reason_and_its_event(house: Any) -> None:
    """What was not good enough is a record too, linked to its candidate."""
    decision = house.with_gates("roc_auc >= 0.999").decide(house.good)
    assert not decision.body.accepted
    assert decision.body.reason.startswith("Refused, as 1 gate does not hold: roc_auc is 0.")
    assert decision.attributes["accepted"] is False
    (event,) = house.workspace.store.follow(0, ["release.decided"])
    assert (event.subject, event.body["reason"]) == (decision.id, decision.body.reason)
    (link,) = house.workspace.store.trace([decision.id], "out")
    assert (link.role, link.target) == ("candidate", house.good.id)


def test_deciding_again_finds_the_decision(house: Any) -> None:
    """The same question has one answer in the store; another gate is another question."""
    first = house.with_gates("roc_auc >= 0.6").decide(house.good)
    assert house.with_gates("roc_auc >= 0.6").decide(house.good).id == first.id
    assert house.with_gates("roc_auc >= 0.61").decide(house.good).id != first.id
    kept = graph.find(house.workspace, Decision, Query(kind=Decision.kind))
    assert len(kept) == 2


def test_the_champion_is_measured_on_the_candidates_rows(house: Any) -> None:
    """Both figures are those of the candidate's held-out rows, whatever the champion was judged on at its time."""
    champion = registered(house, house.weak)
    decision = house.with_gates("beats champion").decide(house.good, champion)
    rows = house.training.judged_rows(house.good)
    package = house.release.package(champion)
    truth = (rows["late"] == "yes").to_list()
    expected = roc_auc_score(truth, house.training.score(package.model, rows).scores)
    theirs = next(one for one in decision.body.champion_metrics if one.name == "roc_auc")
    assert theirs.value == pytest.approx(expected, abs=1e-12)
    assert theirs.rows == decision.body.rows == len(rows)
    assert decision.body.champion == champion.id
    assert [metric.value for metric in decision.body.metrics] == [
        metric.value for metric in house.good.body.evaluation.metrics
    ]


def test_the_paired_difference_decides(house: Any) -> None:
    """A candidate that is better than the champion passes, and the other way round it does not."""
    for candidate, champion, better in ((house.good, house.weak, True), (house.weak, house.good, False)):
        decision = house.with_gates("beats champion").decide(candidate, registered(house, champion))
        result = gate(decision, "beats champion")
        own, theirs = (
            next(one.value for one in metrics if one.name == "roc_auc")
            for metrics in (decision.body.metrics, decision.body.champion_metrics)
        )
        assert result.passed is decision.body.accepted is better
        assert result.value == pytest.approx(own - theirs)
        assert result.low <= result.value <= result.high


def test_a_lower_metric_is_turned_round(house: Any) -> None:
    """Where less is better, the difference still reads as how much better the candidate is."""
    body = house.good.body
    by_loss = msgspec.structs.replace(body.evaluation, metric="log_loss")
    candidate = msgspec.structs.replace(house.good, body=msgspec.structs.replace(body, evaluation=by_loss))
    decision = house.with_gates("beats champion").decide(candidate, registered(house, house.weak))
    result = gate(decision, "beats champion")
    own, theirs = (
        next(one.value for one in metrics if one.name == "log_loss")
        for metrics in (decision.body.metrics, decision.body.champion_metrics)
    )
    assert result.value == pytest.approx(theirs - own)
    assert result.low <= result.value <= result.high


def test_other_rows_may_be_judged_on(house: Any) -> None:
    """With a frame both are measured on its labelled rows; the decision is about these."""
    champion = registered(house, house.weak)
    frame = house.training.judged_rows(house.good).tail(60)
    unlabelled = frame.head(10).with_columns(late=pl.lit(None, pl.String))
    release = house.with_gates("beats champion")
    decision = release.decide(house.good, champion, frame=pl.concat([frame.tail(50), unlabelled]))
    assert decision.body.rows == 50
    assert {metric.rows for metric in decision.body.metrics + decision.body.champion_metrics} == {50}
    assert release.decide(house.good, champion, frame=frame.tail(50)).id == decision.id
    assert release.decide(house.good, champion, frame=frame.tail(49)).id != decision.id


def test_rows_of_one_class_decide_nothing_in_favour(house: Any) -> None:
    """Where the main metric is not defined on the rows, a gate on it fails and says so."""
    champion = registered(house, house.weak)
    frame = house.training.judged_rows(house.good).filter(pl.col("late") == "no")
    decision = house.with_gates("beats champion").decide(house.good, champion, frame=frame)
    assert not decision.body.accepted
    assert "could not be measured on these rows" in decision.body.reason


def test_rows_without_labels_cannot_be_judged_on(house: Any) -> None:
    """The error comes before anything is written."""
    frame = house.training.judged_rows(house.good).with_columns(late=pl.lit(None, pl.String))
    with pytest.raises(DataError, match="has a label in 'late'"):
        house.release.decide(house.good, frame=frame)
    assert house.workspace.store.follow(0, ["release.decided"]) == []


def test_the_champion_is_not_held_against_itself(house: Any) -> None:
    """Where the candidate is the champion already, the decision that let it in answers."""
    champion = registered(house, house.good)
    decision = house.with_gates("beats champion").decide(house.good, champion)
    assert decision.id == champion.body.decision


@pytest.mark.parametrize("gates", [["rmse <= 3"], ["roc_acu >= 0.6", "beats all"]])
def test_gates_that_do_not_fit_are_told_before_anything_is_measured(house: Any, gates: Sequence[str]) -> None:
    """A metric of another task is unknown, and every mistake is listed."""
    with pytest.raises(SettingsError) as failed:
        house.with_gates(*gates).decide(house.good)
    assert len(failed.value.problems) == len(gates)
    assert house.workspace.store.follow(0, ["release.decided"]) == []
