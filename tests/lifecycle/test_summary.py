"""The summary: figures of the loop beside the first model, by month and in all."""

import msgspec

from heptad.lifecycle.summary import Answered, score_of
from tests.lifecycle.conftest import Played


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
    answered = Answered(rows=log.select("id", "at", loop="score", value="value"), metric="roc_auc", positive="yes")
    assert score_of(answered.rows, "loop", answered) == played.rehearsed.summary.loop


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
