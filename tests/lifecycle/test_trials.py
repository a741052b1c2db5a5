"""Trials: held on live rows, ended with a verdict that carries the numbers."""

from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from heptad.core import graph
from heptad.core.query import Query
from heptad.lifecycle import Verdict
from heptad.lifecycle.trials import Trials
from tests.lifecycle.conftest import WEEKS, Played
from tests.lifecycle.rides import START


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
    assert trials_of(played).hold(plan, champion, challenger, plan.at) is None


def test_a_trial_looked_at_late_is_judged_by_its_own_time(played: Played) -> None:
    """Whether a worker looks at the end of a trial or weeks afterwards, the verdict rests on the same rows."""
    project, trials = played.project, trials_of(played)
    plan = next(one for one in project.lifecycle.plans() if one.attributes.get("outcome"))
    versions = [project.release.version(str(one)) for one in (plan.body.champion, plan.attributes["challenger"])]
    known = trials.verdict(plan)
    assert known is not None
    assert trials.trial(plan, *versions).started == datetime.fromisoformat(str(plan.attributes["tried_since"]))
    later = trials.hold(plan, *versions, START + timedelta(weeks=WEEKS))
    assert later == known
    judged: list[int] = []

    def counted(*_: object, known_at: datetime, **__: object) -> None:
        judged.append((known_at - plan.at).days)
        raise LookupError

    trials._monitoring = SimpleNamespace(trial_rows=counted, settings=project.monitoring.settings)  # type: ignore[assignment]  # a double
    with pytest.raises(LookupError):
        trials.hold(plan, *versions, START + timedelta(weeks=WEEKS))
    assert judged == [7]


def test_a_plan_without_a_verdict_has_none(played: Played) -> None:
    """A trial that still runs has no verdict to be found."""
    assert trials_of(played).verdict(played.project.lifecycle.plans()[0]) is None


def trials_of(played: Played) -> Trials:
    project = played.project
    return Trials(project.workspace, project.config.project, project.config.retrain, project.monitoring)
