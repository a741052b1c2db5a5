"""Runs that go on keep what they read; those of dead processes do not, for ever."""

from dataclasses import replace
from datetime import UTC, timedelta

import msgspec

from heptad.core.clock import ManualClock
from heptad.core.records import Scalar
from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.experiments import Experiments, SearchSettings
from heptad.lifecycle.unended import SILENCE, why_going_on
from tests.experiments.journal.test_shipper import experiments_in, victim


def why(workspace: Workspace, run: str, after: timedelta = timedelta(), **attributes: Scalar) -> str:
    """What is said of a run so long after it began."""
    (record,) = workspace.store.get([run])
    record = msgspec.structs.replace(record, attributes={**record.attributes, **attributes})
    return why_going_on(replace(workspace, clock=ManualClock(record.at + after)), record)


def test_a_run_that_is_logged_to_counts_however_long_it_takes(workspace: Workspace) -> None:
    """Its process holds the journal."""
    run = Experiments(workspace, ProjectSettings(), SearchSettings()).start("mine")
    assert why(workspace, run.id, 1_000 * SILENCE) == "has not ended: a process logs to it"
    run.finish()


def test_a_run_whose_process_is_gone_counts_no_more(tmp_path) -> None:
    """Before anybody has shipped what it left."""
    run, _ = victim(tmp_path, 600.0)
    assert why(experiments_in(tmp_path).workspace, run) == ""


def test_a_run_from_elsewhere_counts_until_it_was_silent_for_long(workspace: Workspace) -> None:
    """By when it began, or by its newest metric; it is said until when, and how to let go of it."""
    run = Experiments(workspace, ProjectSettings(), SearchSettings()).start("far", key=["away"]).id
    begun = workspace.clock.now()
    said = why(workspace, run, timedelta(days=1))
    assert f"heard of on {begun:%Y-%m-%d}: it counts until {begun + SILENCE:%Y-%m-%d}" in said
    assert said.endswith(f"or until heptad experiments end {run}")
    late = SILENCE + timedelta(days=1)
    assert why(workspace, run, late) == ""
    logged = (begun + timedelta(days=9)).astimezone(UTC)
    latest = {"latest.loss": f"7 {logged.timestamp() * 1e3:.0f}"}
    assert f"heard of on {logged:%Y-%m-%d}" in why(workspace, run, late, **latest)
