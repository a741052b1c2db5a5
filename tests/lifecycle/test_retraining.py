"""Retraining: which windows differ, and which candidate is best."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from heptad.lifecycle.retraining import Retraining, best, distinct_windows
from heptad.project import open_rehearsal
from tests.lifecycle.conftest import Played
from tests.lifecycle.rides import START, make_rides, play

FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def test_windows_that_hold_the_same_rows_are_trained_once() -> None:
    """A window that reaches back to the first row is the same as all."""
    assert distinct_windows(["all", "90d"], FIRST, FIRST + timedelta(days=60)) == ["all"]
    assert distinct_windows(["90d", "all"], FIRST, FIRST + timedelta(days=60)) == ["all"]
    assert distinct_windows(["all", "90d", "28d"], FIRST, FIRST + timedelta(days=60)) == ["all", "28d"]
    assert distinct_windows(["all", "90d"], FIRST, FIRST + timedelta(days=100)) == ["all", "90d"]


def test_challengers_of_a_plan_are_trained_on_each_window(played: Played) -> None:
    """A plan's candidates name their windows, and none has seen the rows that judge it."""
    project = played.project
    plan = project.lifecycle.plans()[0]
    mine = [one for one in project.training.candidates() if one.actor == f"plan:{plan.id}"]
    assert {one.body.window for one in mine} == {"all", "14d"}
    for one in mine:
        assert one.body.split.train_until is not None
        assert one.body.split.train_until <= plan.at - timedelta(days=14)
        assert one.body.split.known_at == plan.at


def test_the_best_candidate_has_the_best_main_metric(played: Played) -> None:
    """Among candidates the one with the highest ROC AUC is chosen, whatever their order."""
    candidates = played.project.training.candidates()
    chosen = best(candidates)
    values = [one.body.evaluation.value("roc_auc") for one in candidates]
    top = max(value.value for value in values if value is not None)
    found = chosen.body.evaluation.value("roc_auc")
    assert found is not None
    assert found.value == top
    assert best(list(reversed(candidates))).body.evaluation.value("roc_auc") == found


def test_no_candidate_learnt_from_a_label_that_was_not_known_yet(played: Played) -> None:
    """Every version of the data holds only labels that had landed when it was made."""
    project = played.project
    for version in project.data.log():
        rows = project.data.scan(version, labelled=True).collect()
        assert rows["landed"].max() <= version.body.until
        assert rows["at"].max() < version.body.until


def test_kept_rows_end_now_unless_labels_are_late(played: Played) -> None:
    """Labels that take hours leave the cut where it is; once they are days old, the newest labelled row is its end."""
    project = played.project
    retraining = Retraining(project.workspace, project.config.retrain, project.data, project.training, project.release)
    dataset = project.data.version("latest")
    newest, kept = project.data.scan(dataset, labelled=True).collect()["at"].max(), timedelta(days=14)
    assert isinstance(newest, datetime)
    for now, end in ((newest + timedelta(days=1), newest + timedelta(days=1)), (newest + timedelta(days=9), newest)):
        found = retraining._labelled_until(dataset, now, kept)
        assert timedelta() <= found - end <= timedelta(microseconds=1)
        assert found > newest


def test_labels_that_come_late_are_retrained_on_when_they_are_there(tmp_path: Path) -> None:
    """With labels nine days late a challenger is judged on the newest rows that have one, which nobody learnt."""
    folder = make_rides(tmp_path / "rides", days=70, landing=timedelta(days=9))
    project = open_rehearsal(folder, "", START)
    play(project, timedelta(weeks=1))
    (plan,) = project.lifecycle.plans()
    now = START + timedelta(weeks=1)
    for candidate in (one for one in project.training.candidates() if one.actor == f"plan:{plan.id}"):
        split = candidate.body.split
        assert split.train_until is not None
        assert split.judge_until is not None
        assert abs(now - split.judge_until - timedelta(days=16)) < timedelta(hours=1)
        assert split.judge_until - split.train_until == timedelta(days=7)
    (decision,) = (
        one for one in project.workspace.store.follow(0, ["release.decided"]) if one.actor == f"plan:{plan.id}"
    )
    assert project.workspace.store.get([decision.subject])[0].body["rows"] > 300
