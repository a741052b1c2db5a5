"""Plans: one at a time, each act found again when it is repeated."""

from datetime import UTC, datetime, timedelta

import pytest

from heptad.core.errors import ConflictError
from heptad.core.workspace import Workspace
from heptad.lifecycle import Trigger
from heptad.lifecycle.plans import Plans
from tests.lifecycle.versions import make_version

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WHY = [Trigger(rule="every 7d", sentence="7 days have passed.")]


@pytest.fixture
def plans(workspace: Workspace) -> Plans:
    return Plans(workspace, "rides")


def test_a_plan_begun_twice_for_one_moment_is_one_plan(workspace: Workspace, plans: Plans) -> None:
    """After a kill, beginning again finds the plan."""
    champion = make_version(workspace, 1)
    first = plans.begin(WHY, champion, ["all"], "shadow", NOW)
    again = plans.begin(WHY, champion, ["all"], "shadow", NOW)
    assert first.id == again.id
    assert len(plans.recent()) == 1


def test_a_plan_goes_from_stage_to_stage_and_ends(workspace: Workspace, plans: Plans) -> None:
    """The current plan is the one that has not ended; its outcome and reason are attributes."""
    champion, challenger = make_version(workspace, 1), make_version(workspace, 2)
    plan = plans.begin(WHY, champion, ["all"], "shadow", NOW)
    assert plan.attributes["stage"] == "retraining"
    plan = plans.on_trial(plan, challenger)
    assert plans.current() == plan
    assert plan.attributes["challenger"] == challenger.id
    ended = plans.end(plan, "refused", "It was not better.")
    assert plans.current() is None
    assert ended.attributes["outcome"] == "refused"
    kinds = [event.kind for event in workspace.store.follow(0)]
    assert kinds[-3:] == ["lifecycle.plan_started", "lifecycle.trial_started", "lifecycle.plan_finished"]


def test_a_plan_that_somebody_ended_cannot_go_on(workspace: Workspace, plans: Plans) -> None:
    """A rollback by hand ends the plan that a worker is just retraining: the worker's next act changes nothing."""
    champion, challenger = make_version(workspace, 1), make_version(workspace, 2)
    plan = plans.begin(WHY, champion, ["all"], "shadow", NOW)
    ended = plans.end(plan, "refused", "It was rolled back by hand.")
    for act in (lambda: plans.on_trial(plan, challenger), lambda: plans.end(plan, "promoted", "It was better.")):
        with pytest.raises(ConflictError):
            act()
    with pytest.raises(ConflictError, match="has ended"):
        plans.on_trial(ended, challenger)
    assert plans.recent() == [ended]


def test_there_is_one_plan_at_a_time(workspace: Workspace, plans: Plans) -> None:
    """Two workers that find something due at different moments begin one plan; after it there may be another."""
    champion = make_version(workspace, 1)
    first = plans.begin(WHY, champion, ["all"], "shadow", NOW)
    with pytest.raises(ConflictError):
        plans.begin(WHY, champion, ["all"], "shadow", NOW + timedelta(seconds=1))
    plans.end(first, "refused", "It was not better.")
    second = plans.begin(WHY, champion, ["all"], "shadow", NOW - timedelta(days=1))
    assert [plan.id for plan in plans.recent()] == [second.id, first.id], "the newest, though the clock went back"


def test_a_plan_is_linked_to_what_it_was_made_from(workspace: Workspace, plans: Plans) -> None:
    """The champion it started from is an ancestor of the plan."""
    champion = make_version(workspace, 1)
    plan = plans.begin(WHY, champion, ["all"], "shadow", NOW)
    assert [link.role for link in workspace.store.trace([plan.id], "out")] == ["champion"]
