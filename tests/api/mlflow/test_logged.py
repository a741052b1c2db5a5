"""Metrics, parameters and tags as they are logged."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from heptad.core.events import verify
from tests.api.conftest import Calls


def metric(key: str, value: Any, step: int = 0, at: int = 1) -> dict[str, Any]:
    return {"key": key, "value": value, "timestamp": at, "step": step}


def history(calls: Calls, run: str, key: str) -> list[tuple[int, Any]]:
    points = calls.get("metrics/get-history", f"run_id={run}&metric_key={key}")["metrics"]
    return [(one["step"], one["value"]) for one in points]


def latest(calls: Calls, run: str) -> dict[str, Any]:
    metrics = calls.get("runs/get", f"run_id={run}")["run"]["data"]["metrics"]
    return {one["key"]: (one["step"], one["timestamp"], one["value"]) for one in metrics}


def test_the_latest_value_is_that_of_the_highest_step(calls: Calls) -> None:
    """Then of the latest time, then the greatest: whatever the order in which they came."""
    run = calls.run()
    for step, at, value in ((2, 5, 0.2), (1, 9, 0.1), (2, 4, 0.9), (2, 5, 0.1), (2, 5, 0.3)):
        calls.post("runs/log-metric", run_id=run, **metric("a", value, step, at))
    assert latest(calls, run) == {"a": (2, 5, 0.3)}
    batch = [metric("a", 1, 7, 1), metric("a", 2, 3, 9), metric("b", "NaN"), metric("c", "Infinity")]
    calls.post("runs/log-batch", run_id=run, metrics=batch)
    found = latest(calls, run)
    assert found["a"] == (7, 1, 1.0)
    assert found["b"][2] == "NaN"
    assert found["c"][2] == 1.7976931348623157e308


def test_a_call_that_is_sent_again_counts_once(calls: Calls) -> None:
    """As a client does that has seen no answer; a point that differs in time is another one."""
    run = calls.run()
    batch = {"metrics": [metric("a", 1, 0), metric("a", 2, 1)], "params": [{"key": "p", "value": "1"}]}
    for _ in range(3):
        calls.post("runs/log-batch", run_id=run, **batch)
    calls.post("runs/log-metric", run_id=run, **metric("a", 2, 1, at=2))
    assert history(calls, run, "a") == [(0, 1.0), (1, 2.0), (1, 2.0)]


def test_equal_points_of_a_call_count_once(calls: Calls) -> None:
    """Those of equal step, time and value, NaN and infinity too; which stand where the first of them stood."""
    run = calls.run()
    batch = [metric("a", 2, 1), metric("a", 1), metric("a", 2, 1), metric("a", 2, 1, at=2), metric("b", 1)]
    batch += [metric("n", value) for value in ("NaN", 0, "NaN", "Infinity", 1.7976931348623157e308)]
    calls.post("runs/log-batch", run_id=run, metrics=batch)
    assert sorted(history(calls, run, "a")) == [(0, 1.0), (1, 2.0), (1, 2.0)]
    assert history(calls, run, "b") == [(0, 1.0)]
    assert len(history(calls, run, "n")) == 3


def test_parameters_and_tags_beside_points_that_were_logged_before_are_kept(calls: Calls) -> None:
    """Equal points do not make it the same call."""
    run = calls.run()
    calls.post("runs/log-batch", run_id=run, metrics=[metric("a", 1)])
    calls.post("runs/log-batch", run_id=run, metrics=[metric("a", 1)], params=[{"key": "p", "value": "1"}])
    calls.post("runs/log-batch", run_id=run, metrics=[metric("a", 1)], tags=[{"key": "t", "value": "1"}])
    data = calls.get("runs/get", f"run_id={run}")["run"]["data"]
    assert data["params"] == [{"key": "p", "value": "1"}]
    assert {"key": "t", "value": "1"} in data["tags"]


def test_an_empty_name_leaves_a_run_its_name(calls: Calls) -> None:
    """As a tag alone, in a batch, and where the run begins."""
    run = calls.run(run_name="first", tags=[{"key": "mlflow.runName", "value": ""}])
    calls.post("runs/set-tag", run_id=run, key="mlflow.runName", value="")
    calls.post("runs/log-batch", run_id=run, tags=[{"key": "mlflow.runName", "value": ""}])
    found = calls.get("runs/get", f"run_id={run}")["run"]
    assert found["info"]["run_name"] == "first"
    assert found["data"]["tags"] == [{"key": "mlflow.runName", "value": "first"}]


def test_a_parameter_never_changes(calls: Calls) -> None:
    """The same value again is fine; another refuses the whole batch."""
    run = calls.run()
    calls.post("runs/log-parameter", run_id=run, key="depth", value="3")
    calls.post("runs/log-parameter", run_id=run, key="depth", value="3")
    wrong = calls.refused(
        "runs/log-batch",
        run_id=run,
        metrics=[metric("a", 1)],
        params=[{"key": "new", "value": "1"}, {"key": "depth", "value": "4"}],
        tags=[{"key": "t", "value": "1"}],
    )
    assert wrong[0] == "INVALID_PARAMETER_VALUE"
    assert "already logged with value='3'" in wrong[1]
    data = calls.get("runs/get", f"run_id={run}")["run"]["data"]
    assert data["params"] == [{"key": "depth", "value": "3"}]
    assert data["metrics"] == []
    assert [tag["key"] for tag in data["tags"]] == ["mlflow.runName"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"metrics": [metric("a", 1)] * 1001},
        {"params": [{"key": f"p{n}", "value": "1"} for n in range(101)]},
        {"tags": [{"key": f"t{n}", "value": "1"} for n in range(101)]},
        {"metrics": [metric("a", 1)] * 950, "tags": [{"key": f"t{n}", "value": "1"} for n in range(51)]},
        {"params": [{"key": "p", "value": "1"}, {"key": "p", "value": "2"}]},
        {"metrics": [metric("x" * 251, 1)]},
        {"metrics": [metric("a", None)]},
        {"metrics": [{"key": "a", "value": 1}]},
        {"metrics": [metric("a", True)]},
        {"metrics": [metric("a", 1), metric("../a", 1)]},
    ],
)
def test_a_batch_over_the_limits_is_refused_whole(calls: Calls, wrong: dict[str, Any]) -> None:
    """Nothing of it is there."""
    run = calls.run()
    before = calls.get("runs/get", f"run_id={run}")
    assert calls.refused("runs/log-batch", run_id=run, **wrong)[0] == "INVALID_PARAMETER_VALUE"
    assert calls.get("runs/get", f"run_id={run}") == before


def test_a_long_value_is_cut_and_ends_no_training(calls: Calls) -> None:
    """Of parameters and tags, however they are logged; what was cut may be logged again, as any parameter may."""
    run = calls.run(tags=[{"key": "t0", "value": "x" * 8001}])
    for _ in range(2):
        calls.post("runs/log-parameter", run_id=run, key="p1", value="x" * 6001)
        calls.post("runs/set-tag", run_id=run, key="t1", value="x" * 8001)
        params = [{"key": "p2", "value": "é" * 7000}, {"key": "p3", "value": "x" * 6000}]
        calls.post("runs/log-batch", run_id=run, params=params, tags=[{"key": "t2", "value": "x" * 9000}])
    data = calls.get("runs/get", f"run_id={run}")["run"]["data"]
    assert {one["key"]: len(one["value"]) for one in data["params"]} == {"p1": 6000, "p2": 6000, "p3": 6000}
    lengths = {one["key"]: len(one["value"]) for one in data["tags"] if one["key"] != "mlflow.runName"}
    assert lengths == {"t0": 8000, "t1": 8000, "t2": 8000}


def test_many_clients_log_to_one_run_at_once(calls: Calls) -> None:
    """No point is lost, and the latest value is that of the highest step; of two values of a parameter one is kept."""
    run = calls.run()

    def log(client: int) -> None:
        for step in range(25):
            calls.post("runs/log-metric", run_id=run, **metric("a", client, 100 * client + step))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(log, range(4)))
    assert sorted(history(calls, run, "a")) == [(100 * c + s, float(c)) for c in range(4) for s in range(25)]
    assert latest(calls, run)["a"] == (324, 1, 3.0)


def test_clients_whose_clocks_differ_lose_nothing(calls: Calls) -> None:
    """A day ahead, a day behind: points are in the order of their times, the latest value is that of the highest step.

    A run that ended before it began is one, is found by its times as they were told, and breaks no chain of events.
    """
    now, day = 1_795_496_503_000, 86_400_000
    run = calls.run("0", start_time=now + day)
    for step, at in ((0, now), (1, now + day), (2, now - day), (3, now)):
        calls.post("runs/log-metric", run_id=run, **metric("a", step, step, at))
    assert [step for step, _ in history(calls, run, "a")] == [2, 0, 3, 1]
    assert latest(calls, run) == {"a": (3, now, 3.0)}
    calls.post("runs/update", run_id=run, status="FINISHED", end_time=now - day)
    info = calls.get("runs/get", f"run_id={run}")["run"]["info"]
    assert (info["start_time"], info["end_time"]) == (now + day, now - day)
    assert len(calls.found("0", filter=f"attributes.end_time < {now} AND attributes.start_time > {now}")) == 1
    assert verify(calls.workspace.store)
