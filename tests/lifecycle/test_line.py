"""The line to a server: counts what was not answered, measures what was."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.lifecycle.line import Batch, Line, quantile
from tests.lifecycle.conftest import Played
from tests.lifecycle.rides import START


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 1))
def test_a_quantile_is_one_of_the_values_and_covers_its_share(values: list[float], share: float) -> None:
    """At least the share of values do not exceed the quantile."""
    found = quantile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)


def test_a_killed_server_is_asked_again_and_nothing_fails(played: Played) -> None:
    """A server that dies between two requests comes back, and the same ids get the same answers."""
    import os
    import signal

    project = played.project
    day = project.workspace.clock.now() - timedelta(days=1)
    rows = project.data.history(day, day + timedelta(hours=5))
    schema = project.data.version("latest").body.schema
    inputs = rows.select(column.name for column in schema.features())
    batch = Batch(at=day, ids=rows["ride"].to_list(), rows=inputs.to_dicts())
    before = project.serving.predictions().collect().height
    with Line(project.serving, project.workspace.clock.path) as line:
        line.ask(batch)
        for pid in line._server.pids:
            os.kill(pid, signal.SIGKILL)
        line.ask(batch)
        assert line.failed == 0
        assert line.observed()["peak_rss_mb"] > 10
    assert project.serving.predictions().collect().height == before


def test_a_refused_request_is_counted(played: Played) -> None:
    """A request that the server refuses is a failed one, and the line goes on."""
    project = played.project
    with Line(project.serving, project.workspace.clock.path) as line:
        line.ask(Batch(at=START, ids=["x"], rows=[{"no such column": 1}]))
        assert line.failed == 1
    with pytest.raises(KeyError):
        line.observed()["latency_p50_ms"]
