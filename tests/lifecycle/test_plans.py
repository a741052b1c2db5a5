"""Plans: one at a time, each act found again when it is repeated."""

from datetime import UTC, datetime

import pytest

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


def test_a_plan_is_linked_to_what_it_was_made_from(workspace: Workspace, plans: Plans) -> None:
    """The champion it started from is an ancestor of the plan."""
    champion = make_version(workspace, 1)
    plan = plans.begin(WHY, champion, ["all"], "shadow", NOW)
    assert [link.role for link in workspace.store.trace([plan.id], "out")] == ["champion"]
