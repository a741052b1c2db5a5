"""Trials: held on live rows, ended with a verdict that carries the numbers."""

from heptad.core import graph
from heptad.core.query import Query
from heptad.lifecycle import Verdict
from tests.lifecycle.conftest import Played


def verdicts(played: Played) -> list[Verdict]:
    found = graph.find(played.project.workspace, Verdict, Query(kind=Verdict.kind))
    return [one.body for one in found]


def test_each_trial_ends_with_one_verdict(played: Played) -> None:
    """Plans that reached a trial and ended have a verdict each, and it says why."""
    ended = [
        plan
        for plan in played.project.lifecycle.plans()
        if plan.attributes.get("challenger") and plan.attributes["stage"] == "ended"
    ]
    assert {verdict.plan for verdict in verdicts(played)} == {plan.id for plan in ended}
    assert all(verdict.reason for verdict in verdicts(played))


def test_a_promoted_challenger_was_better_on_live_rows(played: Played) -> None:
    """Promotion follows the difference on the rows of the trial, refusal its absence."""
    for verdict in verdicts(played):
        assert verdict.difference is not None
        assert verdict.promoted == (verdict.difference > 0 and not verdict.stopped)
        assert verdict.rows > 50


def test_no_trial_is_judged_before_it_began(played: Played) -> None:
    """At the moment of the plan there is no live row yet, so the trial goes on."""
    project = played.project
    plan = next(one for one in project.lifecycle.plans() if one.attributes.get("challenger"))
    champion = project.release.version(plan.body.champion)
    challenger = project.release.version(str(plan.attributes["challenger"]))
    from heptad.lifecycle.trials import Trials

    trials = Trials(project.workspace, project.config.project, project.config.retrain, project.monitoring)
    assert trials.hold(plan, champion, challenger, plan.at) is None
