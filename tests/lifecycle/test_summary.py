"""The summary: figures of the loop beside the first model, by month and in all."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from heptad.project import open_rehearsal
from tests.lifecycle.conftest import Played
from tests.lifecycle.rides import START, make_rides


def test_months_add_up_to_the_whole(played: Played) -> None:
    """Predictions, labels, alerts, promotions and refusals of the months are those of all."""
    summary = played.rehearsed.summary
    for name in ("predictions", "labels", "alerts", "promoted", "refused"):
        assert sum(getattr(month, name) for month in summary.months) == getattr(summary, name), name
    assert sum(month.plans for month in summary.months) == summary.retrained


def test_the_result_has_the_documented_keys(played: Played) -> None:
    """The keys of `summary.json` are those that the documentation names, and all of it is JSON."""
    result = played.rehearsed.summary.result()
    documented = "auc_frozen auc_loop predictions labels alerts retrained promoted refused failed_requests"
    assert set(documented.split()) <= set(result)
    assert msgspec.json.decode(msgspec.json.encode(result)) == result


def test_the_loop_s_score_is_that_of_the_answers_in_the_log(played: Played) -> None:
    """Scored by hand from the log and the labels, the figure is the same."""
    project = played.project
    log = project.serving.predictions().join(project.serving.labels(), on="id").collect()
    assert played.rehearsed.summary.loop == pytest.approx(roc_auc_score(log["value"] == "yes", log["score"]))


def test_more_than_two_classes_are_scored_by_what_was_answered(tmp_path: Path) -> None:
    """With three classes the loop's figure is that of the labels it gave, and a report without calibration is made."""
    folder = make_rides(tmp_path / "rides", days=70, a_day=36, cancelled=0.15)
    path = folder / "heptad.toml"
    settings = path.read_text(encoding="utf-8").replace('gates = ["roc_auc >= 0.5"]', "gates = []")
    path.write_text(settings.replace("trials = 2", 'trials = 2\nmetric = "f1_macro"'), encoding="utf-8")
    project = open_rehearsal(folder, "", START)
    played = project.rehearse(START, START + timedelta(weeks=1))
    log = project.serving.predictions().join(project.serving.labels(), on="id").collect()
    assert set(log["value"]) == {"yes", "no", "cancelled"}
    answered = f1_score(log["value"].to_list(), log["label"].to_list(), average="macro")
    assert played.summary.loop == played.summary.frozen == pytest.approx(answered)
    assert "Calibration over" not in played.report


def test_the_table_ends_with_all(played: Played) -> None:
    """People read a row a month, then one of the whole."""
    rows = played.rehearsed.summary.table()
    assert rows[-1]["month"] == "all"
    assert len(rows) == len(played.rehearsed.summary.months) + 1


def test_what_was_observed_is_kept_apart(played: Played) -> None:
    """Seconds, memory and latency are observations; the result has none of them."""
    observed = played.rehearsed.observed
    assert observed["peak_rss_mb"] > 0
    assert observed["latency_p50_ms"] > 0
    assert set(observed["by_step"]) >= {"data", "training", "serving", "monitoring"}
    assert not set(observed) & set(played.rehearsed.summary.result())
