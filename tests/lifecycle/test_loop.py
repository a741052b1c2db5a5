"""A turn measures what happened, does what is due, and deploys what follows; cut off, it is completed."""

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from heptad.lifecycle import Plan
from heptad.lifecycle.loop import desired_routes
from heptad.project import open_rehearsal
from tests.lifecycle.conftest import WEEKS, Played
from tests.lifecycle.rides import START, make_rides


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
    project.rehearse(START, START + timedelta(weeks=4))
    ages = [version.body.until - START for version in reversed(project.data.log())]
    assert ages == [timedelta(), timedelta(weeks=2), timedelta(weeks=4)]
