"""A turn measures what happened, does what is due, and deploys what follows; cut off, it is completed."""

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from heptad.core.clock import FileClock
from heptad.core.errors import HeptadError
from heptad.core.identity import acting_as
from heptad.core.records import Record
from heptad.lifecycle import Plan, Trigger
from heptad.lifecycle.loop import desired_routes
from heptad.lifecycle.plans import Plans
from heptad.project import Project, open_project, open_rehearsal
from heptad.serving import Strategy
from tests.lifecycle.conftest import WEEKS, Played
from tests.lifecycle.rides import START, make_rides, play


def test_every_week_is_reported_once(played: Played) -> None:
    """There is one report a window, in order, and the windows meet."""
    reports = sorted(played.project.monitoring.list(), key=lambda one: one.body.start)
    assert len(reports) == WEEKS
    assert all(one.body.end == two.body.start for one, two in pairwise(reports))


def test_the_loop_recovers_when_the_world_turns_round(played: Played) -> None:
    """A challenger that learnt the new world is promoted, another is refused, and the loop beats the frozen model."""
    summary = played.rehearsed.summary
    assert summary.promoted >= 1
    assert summary.refused >= 1
    last = summary.months[-1]
    assert last.loop is not None
    assert last.frozen is not None
    assert last.loop > 0.7 > last.frozen


def test_what_is_promoted_is_the_package_that_was_judged(played: Played) -> None:
    """The champion's package is the one that its own trial ran as a shadow."""
    project = played.project
    champion = project.release.champion()
    assert champion is not None
    plan = next(one for one in project.lifecycle.plans() if one.attributes.get("challenger") == champion.id)
    assert plan.attributes["outcome"] == "promoted"
    log = project.serving.predictions(plan.at).collect()
    shadowed = {shadow["version"] for shadows in log["shadows"].to_list() for shadow in shadows or []}
    assert champion.body.label in shadowed


def test_everything_a_plan_did_is_done_in_its_name(played: Played) -> None:
    """Candidates and decisions of a plan carry the plan as their actor."""
    plans = {f"plan:{plan.id}" for plan in played.project.lifecycle.plans()}
    decisions = [
        one for one in played.project.workspace.store.follow(0, ["release.decided"], 1000) if one.actor in plans
    ]
    assert len(decisions) == len(plans)


def test_the_champion_is_what_answers(played: Played) -> None:
    """The routes in force are those that the champion and the open plan ask for."""
    project = played.project
    champion, current = project.release.champion(), project.serving.current()
    assert champion is not None
    assert current is not None
    assert current.body.routes[0].version == champion.id


def test_a_canary_shares_the_traffic_with_the_champion(played: Played) -> None:
    """With the strategy canary the champion keeps what the canary does not get."""
    project = played.project
    champion = project.release.champion()
    plan = project.lifecycle.plans()[0]
    assert champion is not None
    canary = Plan(endpoint="rides", triggers=[], windows=["all"], champion=champion.id, strategy="canary")
    asked = type(plan)(
        id=plan.id,
        kind=plan.kind,
        scope=plan.scope,
        at=plan.at,
        actor=plan.actor,
        body=canary,
        attributes={"stage": "trial"},
    )
    routes = desired_routes(project.serving, champion, asked, champion)
    assert [route.role for route in routes] == ["live", "canary"]
    assert sum(route.share for route in routes) == 1.0


def test_new_data_is_collected_as_often_as_the_settings_say(played: Played, tmp_path: Path) -> None:
    """With `[data] every`, a turn makes a version once the newest is that old, and not before."""
    folder = make_rides(tmp_path / "rides")
    path = folder / "heptad.toml"
    text = path.read_text(encoding="utf-8").replace('key = ["ride"]', 'key = ["ride"]\nevery = "14d"')
    path.write_text(text.replace('when = ["every 7d"]', 'when = ["every 900d"]'), encoding="utf-8")
    project = open_rehearsal(folder, "", START)
    play(project, timedelta(weeks=4))
    ages = [version.body.until - START for version in reversed(project.data.log())]
    assert ages == [timedelta(), timedelta(weeks=2), timedelta(weeks=4)]


def test_new_data_is_collected_before_a_model_is_released(tmp_path: Path) -> None:
    """Who has no champion yet wants the data as much; without `[data] every` nothing is done."""
    folder = make_rides(tmp_path / "rides")
    open_rehearsal(folder, "", START).lifecycle.turn()
    assert open_rehearsal(folder, "", START).data.log() == []
    path = folder / "heptad.toml"
    path.write_text(
        path.read_text(encoding="utf-8").replace('key = ["ride"]', 'key = ["ride"]\nevery = "14d"'), encoding="utf-8"
    )
    project = open_rehearsal(folder, "", START)
    project.lifecycle.turn()
    assert len(project.data.log()) == 1


def routes_of(project: Project) -> list[tuple[str, str]]:
    current = project.serving.current()
    assert current is not None
    return [(route.label, route.role) for route in current.body.routes]


def plans_of(project: Project) -> Plans:
    return Plans(project.workspace, project.serving.endpoint)


def without_plan(project: Project) -> Project:
    """The copy, its last trial ended."""
    plan = plans_of(project).current()
    assert plan is not None
    plans_of(project).end(plan, "refused", "Not of interest here.")
    project.lifecycle.turn()
    return project


def on_trial(project: Project, number: int, strategy: Strategy) -> Record[Plan]:
    """A plan with a version of before as its challenger."""
    champion, plans = project.release.champion(), plans_of(without_plan(project))
    assert champion is not None
    why = [Trigger(rule="test", sentence="It is a test.")]
    plan = plans.begin(why, champion, ["all"], strategy, project.workspace.clock.now() + timedelta(seconds=1))
    return plans.on_trial(plan, project.release.version(number))


def later(project: Project, by: timedelta) -> None:
    clock = project.workspace.clock
    assert isinstance(clock, FileClock)
    clock.advance_to(clock.now() + by)


def with_settings(project: Project, old: str, new: str) -> Project:
    path = project.root / "heptad.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    return open_project(project.root)


def test_what_was_promoted_before_a_turn_was_cut_off_is_deployed_by_the_next(copied: Project) -> None:
    """Killed between promotion and deployment, the champion answers after the next turn, also where nothing is due."""
    without_plan(copied).release.promote(1, "Killed right after this.")
    assert routes_of(copied) != [("rides@1", "live")]
    copied.lifecycle.turn()
    assert routes_of(copied) == [("rides@1", "live")]


def test_a_challenger_that_was_promoted_before_a_turn_was_cut_off_ends_its_plan(copied: Project) -> None:
    """Killed between promotion and the end of the plan, the plan is promoted, whoever looks next."""
    plan = copied.lifecycle.plans()[0]
    copied.release.promote(str(plan.attributes["challenger"]), "Killed right after this.")
    copied.lifecycle.turn()
    assert copied.lifecycle.plans()[0].attributes["outcome"] == "promoted"


def test_a_plan_ends_when_another_version_became_champion(copied: Project) -> None:
    """The challenger was tried beside a champion that has gone: it is refused with that reason, and nothing hangs."""
    copied.release.promote(1, "Somebody used another door.")
    copied.lifecycle.turn()
    plan = copied.lifecycle.plans()[0]
    assert plan.attributes["outcome"] == "refused"
    assert "rides@1 became champion meanwhile" in str(plan.attributes["reason"])
    assert routes_of(copied) == [("rides@1", "live")]


def test_a_challenger_that_a_person_refuses_leaves_its_trial(copied: Project) -> None:
    """Refused by hand, it is no longer beside the champion after the next turn."""
    plan = copied.lifecycle.plans()[0]
    copied.release.refuse(str(plan.attributes["challenger"]), "It is unfair to zone a.")
    copied.lifecycle.turn()
    assert copied.lifecycle.plans()[0].attributes["outcome"] == "refused"
    assert [role for _, role in routes_of(copied)] == ["live"]


def test_a_challenger_waits_for_approvals_and_says_so_once(copied: Project) -> None:
    """Until somebody approves it stays on trial; the plan carries what it waits for, and every turn asks again."""
    project = with_settings(copied, 'gates = ["roc_auc >= 0.5"]', 'gates = ["roc_auc >= 0.5"]\napprovals = 1')
    plan = on_trial(project, 1, "all")
    told: list[str] = []
    for _ in range(2):
        project.lifecycle.turn(lambda happening: told.append(happening.sentence))
    assert sum(sentence.startswith("waiting: rides@1 has 0 of 1 approvals") for sentence in told) == 1
    assert "approvals" in str(project.lifecycle.plans()[0].attributes["waits"])
    with acting_as("user:reviewer"):
        project.release.approve(1, "I looked at its slices.")
    project.lifecycle.turn()
    ended = project.lifecycle.plans()[0]
    assert (ended.id, ended.attributes["outcome"]) == (plan.id, "promoted")
    assert routes_of(project) == [("rides@1", "live")]


def test_a_plan_that_cannot_be_retrained_fails_with_the_reason(
    copied: Project, caplog: pytest.LogCaptureFixture
) -> None:
    """A source that has gone ends the plan instead of failing every turn; the champion goes on answering."""
    (without_plan(copied).root / "rides.csv").unlink()
    before = routes_of(copied)
    later(copied, timedelta(days=8))
    copied.lifecycle.turn()
    plan = copied.lifecycle.plans()[0]
    assert plan.attributes["outcome"] == "failed"
    assert "rides.csv" in str(plan.attributes["reason"])
    assert plan.id in caplog.text
    assert routes_of(copied) == before


def test_a_broken_source_keeps_no_trial_from_being_judged(copied: Project) -> None:
    """Where the regular collection fails, the turn fails, after everything else was done."""
    project = with_settings(copied, 'key = ["ride"]', 'key = ["ride"]\nevery = "1d"')
    plan = project.lifecycle.plans()[0]
    (project.root / "rides.csv").unlink()
    later(project, timedelta(days=8))
    with pytest.raises(HeptadError, match=r"rides\.csv"):
        project.lifecycle.turn()
    assert next(one for one in project.lifecycle.plans() if one.id == plan.id).attributes["stage"] == "ended"


def test_data_that_did_not_change_gives_no_challenger(tmp_path: Path) -> None:
    """Without times, training again on the same rows gives the champion itself: refused, and the next plan is free."""
    folder = make_rides(tmp_path / "rides", days=20)
    path = folder / "heptad.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('time = "at"\n', "").replace('label_time = "landed"\n', ""), encoding="utf-8")
    project = open_rehearsal(folder, "", START)
    project.run()
    project.lifecycle.deploy()
    for _ in range(2):
        later(project, timedelta(days=8))
        project.lifecycle.turn()
    reasons = [str(plan.attributes["reason"]) for plan in project.lifecycle.plans()]
    assert reasons == ["The same data gave the same model, rides@1."] * 2
    assert routes_of(project) == [("rides@1", "live")]
