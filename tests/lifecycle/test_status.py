"""The loop at a glance: true of a loop that turned, and of every state before that."""

from heptad.core import graph
from heptad.core.records import AliasMove
from heptad.data import LandingState, StreamState, ViewOnline
from heptad.experiments import Run, Study
from heptad.lifecycle import Trigger
from heptad.lifecycle.plans import Plans
from heptad.lifecycle.status import figure, newest, newest_events, read_status
from heptad.release import Decision
from heptad.training import Metric
from tests.lifecycle.conftest import Played
from tests.lifecycle.versions import make_version


def test_every_step_says_what_it_did_last(played: Played):
    """Seven steps in order, each with its newest record, and the alerts of the newest report."""
    status = read_status(played.project.workspace)
    names = ["data", "experiments", "training", "release", "serving", "monitoring", "lifecycle"]
    assert [step.step for step in status.steps] == names
    assert all(step.record and step.at for step in status.steps)
    champion = played.project.release.champion()
    assert champion is not None
    assert f"champion {champion.body.label}" in status.steps[3].sentence
    assert status.alerts == played.project.monitoring.alerts()
    assert status.now == played.project.workspace.clock.now()


def test_an_empty_workspace_says_how_to_begin(workspace):
    """Nothing anywhere, and one thing to do."""
    status = read_status(workspace)
    assert {step.sentence for step in status.steps} == {"nothing yet"}
    assert status.pending == ["nothing has been run: heptad run"]


def test_failed_runs_are_counted(workspace):
    """The newest run is named, trouble beside it."""
    for name, outcome in (("a", "failed"), ("b", "finished")):
        graph.save(workspace, Run(name=name, experiment="test"), scope="test", attributes={"status": outcome})
    assert read_status(workspace).steps[1].sentence == "newest run: b, finished, 1 failed"


def test_a_version_without_a_defined_metric_can_be_champion(workspace):
    """The sentence says that there is no figure, and that nobody serves it."""
    import msgspec

    version = make_version(workspace, 1)
    body = msgspec.structs.replace(version.body, value=None, version=2)
    graph.save(
        workspace,
        body,
        scope="test",
        aliases=[AliasMove(scope="model:test", name="champion", target="@")],
    )
    assert "no roc_auc at release" in read_status(workspace).steps[3].sentence


def test_a_waiting_challenger_is_pending(played: Played, workspace):
    """Where no plan tries it, a person has to decide."""
    version = make_version(workspace, 7)
    graph.save(
        workspace,
        version.body,
        scope="test",
        key=["again"],
        aliases=[AliasMove(scope="model:test", name="challenger", target="@")],
    )
    assert any("rides@7 waits as challenger" in one for one in read_status(workspace).pending)


def test_a_plan_that_waits_for_people_says_what_for(workspace):
    """A challenger that was better and is not approved yet is pending, with what is missing."""
    champion, challenger = make_version(workspace, 1), make_version(workspace, 2)
    plans, why = Plans(workspace, workspace.name), [Trigger(rule="every 7d", sentence="7 days have passed.")]
    plan = plans.on_trial(plans.begin(why, champion, ["all"], "shadow", workspace.clock.now()), challenger)
    assert "is on trial since" in read_status(workspace).pending[-1]
    graph.set_attributes(workspace, plan.id, {"waits": "rides@2 has 0 of 1 approvals."})
    assert read_status(workspace).pending[-1] == "a challenger is not promoted yet: rides@2 has 0 of 1 approvals."


def test_the_newest_of_a_kind_is_the_one_written_last(workspace):
    """Also where both were written at the same moment of a shared clock; other scopes do not count."""
    bodies = [Study(name=name, metric="rmse", direction="minimize", sampler="tpe", seed=1) for name in ("a", "b")]
    for body, scope in zip(bodies, ("test", "other"), strict=True):
        graph.save(workspace, body, scope=scope)
    found = newest(workspace, Study)
    own = newest(workspace, Study, ["test"])
    assert [one.body.name for one in (found, own) if one] == ["b", "a"]
    assert newest(workspace, Decision) is None


def test_the_newest_events_come_first(workspace):
    """At most as many as asked for, and asking writes none."""
    version = make_version(workspace, 1)
    for number in range(5):
        graph.set_attributes(workspace, version.id, {"note": number})
    assert [event.body["note"] for event in newest_events(workspace, 3)] == [4, 3, 2]
    assert len(newest_events(workspace, 100)) == 5


def test_a_figure_has_its_interval():
    """As people read it."""
    metric = Metric(name="rmse", value=1.23456, low=1.0, high=1.5, rows=10, better="lower")
    assert figure(metric) == "rmse 1.235 (1.000 to 1.500)"


def test_a_stream_that_nobody_lands_and_a_view_that_stays_behind_are_pending(workspace):
    """Only where it is to be landed always; the reason is the view's own."""
    view = ViewOnline(view="spending", problem="its types changed.")
    told = {"where": "kafka://h/t", "rows": 1, "poison": 0, "positions": {}, "table": "t"}
    streams = [
        StreamState(name="orders", always=True, last=LandingState(online=[view]), **told),
        StreamState(name="clicks", always=True, landing=True, **told),
        StreamState(name="visits", **told),
        StreamState(name="weather", always=True, problem="the broker does not answer.", **told),
    ]
    status = read_status(workspace, streams)
    assert status.pending[-3:] == [
        "nothing lands the stream orders: heptad up",
        "nothing lands the stream weather: heptad up; the last time: the broker does not answer.",
        "spending of the stream orders stays behind: its types changed.",
    ]
    assert [one.name for one in status.streams] == ["orders", "clicks", "visits", "weather"]
