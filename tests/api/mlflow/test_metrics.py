"""The history of metrics."""

import pytest

from tests.api.conftest import Calls


@pytest.fixture
def run(calls: Calls) -> str:
    """A run with 3,000 points of one metric, logged out of order."""
    found = calls.run()
    for start in (2000, 0, 1000):
        points = [{"key": "m", "value": n, "timestamp": 10 + n, "step": n} for n in range(start, start + 1000)]
        calls.post("runs/log-batch", run_id=found, metrics=points)
    return found


def test_pages_hold_every_point_once_in_the_order_of_time(calls: Calls, run: str) -> None:
    """Whatever the order in which they were logged."""
    steps: list[int] = []
    token = ""
    while True:
        query = f"run_uuid={run}&metric_key=m&max_results=1100&page_token={token}"
        page = calls.get("metrics/get-history", query)
        steps += [point["step"] for point in page["metrics"]]
        token = page.get("next_page_token", "")
        if not token:
            break
    assert steps == list(range(3000))
    assert calls.get("metrics/get-history", f"run_id={run}&metric_key=none") == {"metrics": []}


def test_charts_get_some_points_of_several_runs(calls: Calls, run: str) -> None:
    """Evenly chosen steps, the first and the last among them; or those of a range."""
    other = calls.run()
    calls.post("runs/log-metric", run_id=other, key="m", value="NaN", timestamp=1, step=-5)
    path = "metrics/get-history-bulk-interval"
    found = calls.get(path, f"run_ids={run}&run_ids={other}&metric_key=m&max_results=4")["metrics"]
    assert [(one["run_id"], one["step"]) for one in found] == [
        (run, 0),
        (run, 999),
        (run, 1999),
        (run, 2999),
        (other, -5),
    ]
    assert found[-1]["value"] == "NaN"
    inside = calls.get(path, f"run_ids={run}&metric_key=m&start_step=10&end_step=12")["metrics"]
    assert [one["step"] for one in inside] == [10, 11, 12]
    bulk = calls.get("metrics/get-history-bulk", f"run_id={run}&run_id={other}&metric_key=m&max_results=3")["metrics"]
    assert len(bulk) == 3


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("metrics/get-history", "metric_key=m&page_token=%21"),
        ("metrics/get-history", "metric_key="),
        ("metrics/get-history", "metric_key=m&max_results=0"),
        ("metrics/get-history", "metric_key=m&max_results=many"),
        ("metrics/get-history-bulk-interval", "metric_key=m&start_step=1"),
        ("metrics/get-history-bulk-interval", "metric_key=m&start_step=2&end_step=1"),
        ("metrics/get-history-bulk-interval", "metric_key=m&max_results=2501"),
    ],
)
def test_wrong_questions_are_refused(calls: Calls, run: str, path: str, query: str) -> None:
    """400 each."""
    from heptad.api.mlflow.errors import ProtocolError

    with pytest.raises(ProtocolError) as caught:
        calls.get(path, f"run_id={run}&run_ids={run}&{query}")
    assert caught.value.status == 400
