"""What a training set must not hold is found and counted."""

from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
from tests.data.features.conftest import at

from heptad.data import Column, DatasetVersion, FeatureSettings, Finding, Schema, training_set_of
from heptad.data.features.joins import Values
from heptad.data.features.leakage import TrainingSet, backfilled, leakage_report
from heptad.data.versions.splits import hash_holdout

ROWS = 400
_RNG = np.random.default_rng(3)
CLEAN = pl.DataFrame(
    {
        "id": range(ROWS),
        "t": [at(float(hour)) for hour in range(ROWS)],
        "label_time": [at(float(hour)) + timedelta(minutes=30) for hour in range(ROWS)],
        "opened": [at(float(hour)) - timedelta(days=30) for hour in range(ROWS)],
        "amount": _RNG.normal(size=ROWS),
        "y": _RNG.random(ROWS) < 0.3,
    }
)


def report(rows: pl.DataFrame = CLEAN, **more: Any) -> dict[tuple[str, str], Finding]:
    given: dict[str, Any] = {
        "target": "y",
        "task": "classification",
        "features": ["amount", "opened"],
        "key": ["id"],
        "time": "t",
        "label_time": "label_time",
        "judged": pl.col("t") >= at(300),
    } | more
    found = leakage_report(TrainingSet(rows=rows.lazy(), **given), now=at(1_000))
    return {(one.expectation, one.column): one for one in found}


def failed(rows: pl.DataFrame = CLEAN, **more: Any) -> dict[tuple[str, str], int]:
    return {what: one.failing_rows for what, one in report(rows, **more).items() if not one.passed}


def test_a_clean_set_passes_and_says_what_was_looked_at() -> None:
    """Every check is a finding, passed or not."""
    assert failed() == {}
    assert {what for what, _ in report()} == {
        "knows_target",
        "row_after_now",
        "feature_after_row",
        "label_before_row",
        "key_on_both_sides",
        "equal_on_both_sides",
        "learnt_after_judged",
        "label_after_judged",
    }


def test_a_feature_that_knows_the_target_is_suspected() -> None:
    """By itself, or as a part of a sum."""
    rows = CLEAN.with_columns(refund=pl.when("y").then(1.0).otherwise(0.0))
    found = report(rows, features=["amount", "refund"])
    assert [column for (what, column) in found if what == "knows_target"] == ["refund"]
    assert "tells the target" in found["knows_target", "refund"].sentence
    rows = CLEAN.with_columns(total=pl.col("amount") * 2 + pl.col("id"))
    found = report(rows, target="total", task="regression", features=["amount", "id"])
    assert {column for (what, column) in found if what == "knows_target"} == {"amount", "id"}


def test_times_from_the_future_are_counted() -> None:
    """Rows after now, features after their row, labels before it."""
    rows = CLEAN.with_columns(
        t=pl.when(pl.col("id") == 399).then(pl.lit(at(2_000))).otherwise("t"),
        opened=pl.when(pl.col("id") < 7).then(pl.col("t") + timedelta(seconds=1)).otherwise("opened"),
        label_time=pl.when(pl.col("id") < 3).then(pl.col("t") - timedelta(days=1)).otherwise("label_time"),
    )
    found = failed(rows)
    assert found["row_after_now", "t"] == 1
    assert found["feature_after_row", "opened"] == 7
    assert found["label_before_row", "label_time"] == 4


def test_rows_on_both_sides_of_a_split_are_counted() -> None:
    """By key, and by everything that a model sees, nulls included."""
    doubled = pl.concat([CLEAN, CLEAN.head(5).with_columns(t=pl.lit(at(350)), label_time=pl.lit(at(351)))])
    found = failed(doubled.with_columns(amount=pl.when(pl.col("id") > 2).then("amount")))
    assert found["key_on_both_sides", ""] == 5
    assert found["equal_on_both_sides", ""] == 5
    assert "learnt_after_judged" not in found


def test_a_split_that_learns_from_the_future_is_told() -> None:
    """Rows after the first that is judged, and labels that were not known by then."""
    found = failed(judged=pl.col("id") % 4 == 1)
    assert found["learnt_after_judged", "t"] == 299
    assert found["label_after_judged", "label_time"] == 299
    found = failed(CLEAN.with_columns(label_time=pl.col("t") + timedelta(hours=10)))
    assert found == {("label_after_judged", "label_time"): 9}


def test_without_time_key_and_split_there_is_less_to_look_at() -> None:
    """What cannot be asked is not answered."""
    found = report(time="", key=[], label_time="", judged=None)
    assert {what for what, _ in found} == {"knows_target"}
    nothing_judged = report(judged=pl.lit(value=False))
    assert ("learnt_after_judged", "t") not in nothing_judged


def version_of(*roles: tuple[str, str]) -> DatasetVersion:
    columns = [Column(name=name, type="number", role=role) for name, role in roles]  # type: ignore[arg-type]
    return DatasetVersion(
        name="test", version=1, table="test", delta_version=0, rows=ROWS, labelled=ROWS, digest="", until=at(0),
        profile="", schema=Schema(columns=columns, task="classification", classes=["no", "yes"]),
    )  # fmt: skip


def test_a_version_of_the_table_is_split_as_it_is_judged() -> None:
    """By time where it has one, else by the hash of its key; roles say what is a feature."""
    roles = [("id", "key"), ("amount", "feature"), ("opened", "ignored"), ("y", "target")]
    timed = training_set_of(
        version_of(*roles, ("t", "time"), ("label_time", "label_time")), CLEAN.lazy(), share=0.25, seed=7
    )
    assert (timed.features, timed.key, timed.time, timed.label_time) == (["amount"], ["id"], "t", "label_time")
    assert timed.judged is not None
    assert CLEAN.filter(timed.judged)["id"].to_list() == list(range(300, 400))
    late = CLEAN.with_columns(label_time=pl.col("t") + timedelta(hours=10))
    version = version_of(*roles, ("t", "time"), ("label_time", "label_time"))
    delayed = training_set_of(version, late.lazy(), share=0.25, seed=7)
    assert delayed.learnt is not None
    assert late.filter(delayed.learnt)["id"].to_list() == list(range(291))
    assert all(one.passed for one in leakage_report(delayed, at(1_000)))
    hashed = training_set_of(version_of(*roles), CLEAN.lazy(), share=0.25, seed=7)
    assert hashed.judged is not None
    judged = CLEAN.lazy().filter(hashed.judged).collect(engine="streaming")["id"].to_list()
    assert judged == CLEAN.filter(hash_holdout(CLEAN["id"], 0.25, 7))["id"].to_list()
    assert {one.expectation for one in leakage_report(hashed, at(0))} == {
        "knows_target",
        "key_on_both_sides",
        "equal_on_both_sides",
    }


def test_what_a_back_fill_would_have_told_is_counted() -> None:
    """Rows whose values of a view would be others, were it joined by event time."""
    values = pl.DataFrame({"id": [1, 1, 2], "t": [at(0), at(5), at(0)], "k": [at(0), at(300), at(0)], "v": [1, 2, 3]})
    view = Values(
        name="late",
        settings=FeatureSettings(source="s", on=["id"], columns=["v"], known="k"),
        rows=values.lazy(),
        time="t",
    )
    rows = pl.DataFrame({"id": [1, 1, 1, 2], "t": [at(1), at(6), at(400), at(9)], "v": [0, 0, 0, 0]})
    training = TrainingSet(rows=rows.lazy(), target="v", task="regression", features=[], time="t")
    found = backfilled(training, view, None)
    assert (found.passed, found.failing_rows) == (True, 1)
    assert "1 row would have been told values of late" in found.sentence
