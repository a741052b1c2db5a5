"""The registry: numbers without a gap, one champion, and a history that explains it."""

import itertools
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from heptad.core import graph
from heptad.core.clock import ManualClock, SystemClock
from heptad.core.errors import ConflictError, InputError, NotFoundError, RefusedError
from heptad.core.identity import acting_as
from heptad.core.records import AliasMove, Change, Record
from heptad.core.workspace import Workspace
from heptad.release.records import ModelVersion
from heptad.release.registry import Registry, approvals_of

REASON = "It is better on the newest rows."


def version_of(candidate: str) -> ModelVersion:
    return ModelVersion(
        name="m",
        version=0,
        package="f" * 64,
        candidate=candidate,
        decision="decision-a",
        estimator="linear",
        metric="roc_auc",
        value=0.7,
    )


@pytest.fixture
def registry(workspace: Workspace) -> Registry:
    return Registry(workspace, "m")


@pytest.fixture
def new(registry: Registry) -> Callable[[], Record[ModelVersion]]:
    numbers = itertools.count()
    return lambda: registry.add(version_of(f"candidate-{next(numbers)}"), [])


def test_versions_are_numbered_from_one_without_a_gap(registry: Registry, new: Callable) -> None:
    """Each new version gets the next number, and `latest` is the newest."""
    assert [new().body.version for _ in range(3)] == [1, 2, 3]
    assert registry.find("latest").body.label == "m@3"


def test_a_candidate_becomes_one_version(registry: Registry, new: Callable) -> None:
    """Adding a version of the same candidate again answers the first one, and takes no number."""
    first = new()
    again = registry.add(version_of(first.body.candidate), [])
    assert (again.id, again.body.version) == (first.id, 1)
    assert registry.of_candidate(first.body.candidate).id == first.id
    assert new().body.version == 2


ADD_MANY = """
import sys
from pathlib import Path
from heptad.core.settings import StoreSettings
from heptad.core.workspace import open_workspace
from heptad.release.records import ModelVersion
from heptad.release.registry import Registry

registry = Registry(open_workspace(Path(sys.argv[1]), "test", StoreSettings()), "m")
start = int(sys.argv[2])
for number in range(start, start + 8):
    candidate = f"candidate-{number}"
    registry.add(
        ModelVersion(name="m", version=0, package="f", candidate=candidate, decision="d", estimator="e", metric="r"), []
    )
"""


def test_processes_at_once_number_without_clash(workspace: Workspace, registry: Registry) -> None:
    """Three processes that register at once, some of them the same candidates, leave the numbers 1 to n."""
    workers = [
        subprocess.Popen([sys.executable, "-c", ADD_MANY, str(workspace.root), str(start)]) for start in (0, 4, 12)
    ]
    assert [worker.wait(timeout=60) for worker in workers] == [0, 0, 0]
    assert sorted(one.body.version for one in registry.versions()) == list(range(1, 21))
    assert len({one.body.candidate for one in registry.versions()}) == 20


@pytest.mark.parametrize("ref", [2, "2", "m@2", "challenger", "m@challenger", "latest"])
def test_a_version_is_found_by_each_of_its_names(registry: Registry, new: Callable, ref: str | int) -> None:
    """A number, NAME@NUMBER, an alias, NAME@ALIAS: all mean the same version; so do its id, candidate and record."""
    registry.promote(new(), REASON)
    second = new()
    assert registry.version(ref).id == second.id
    for other in (second.id, second, second.body.candidate):
        assert registry.version(other).id == second.id


@pytest.mark.parametrize("ref", ["9", "other@1", "m@champion", "nobody"])
def test_an_unknown_version_is_answered_with_those_there_are(registry: Registry, new: Callable, ref: str) -> None:
    """The error names what exists."""
    new()
    with pytest.raises(NotFoundError, match="m@1"):
        registry.version(ref)


def test_promotion_moves_the_aliases_together(registry: Registry, new: Callable) -> None:
    """The new champion stops being challenger, the old one becomes previous, and the event says why."""
    first, second = new(), None
    registry.promote(first, REASON)
    second = new()
    assert "challenger" in second.aliases
    registry.promote("challenger", "  The trial   went well. ")
    assert registry.find("champion").id == second.id
    assert registry.find("champion").attributes["champion_since"] == "2026-01-01T00:00:00+00:00"
    assert registry.find("previous").id == first.id
    assert "champion_since" not in registry.find("previous").attributes
    assert registry.find("challenger") is None
    event = registry.history()[-1]
    assert event.kind == "release.promoted"
    assert dict(event.body) == {
        "name": "m",
        "version": "m@2",
        "reason": "The trial went well.",
        "replaced": "m@1",
        "replaced_id": first.id,
    }


def test_promoting_the_champion_again_changes_nothing(registry: Registry, new: Callable) -> None:
    """A promotion that is repeated, as after a crash, leaves one event."""
    first = new()
    registry.promote(first, REASON)
    events = len(registry.history())
    assert registry.promote(first, REASON).id == first.id
    assert len(registry.history()) == events


def test_rollbacks_walk_back_through_the_champions(registry: Registry, new: Callable) -> None:
    """Each rollback goes one champion further back, past those that were rolled back, and stops at the first."""
    for _ in range(4):
        registry.promote(new(), REASON)
    assert registry.rollback(REASON).body.version == 3
    assert registry.find("previous").body.version == 2
    assert registry.rollback(REASON).body.version == 2
    registry.promote(4, REASON)
    assert registry.rollback(REASON).body.version == 2
    assert registry.rollback(REASON).body.version == 1
    assert registry.find("previous") is None
    with pytest.raises(RefusedError, match="No version was champion before m@1"):
        registry.rollback(REASON)


def test_a_repeated_rollback_of_a_named_version_happens_once(registry: Registry, new: Callable) -> None:
    """`expected` makes a rollback that is tried again after a crash find that it was done."""
    for _ in range(3):
        registry.promote(new(), REASON)
    assert registry.rollback(REASON, expected=3).body.version == 2
    assert registry.rollback(REASON, expected="m@3").body.version == 2
    with pytest.raises(ConflictError, match="m@1 was expected to be champion, but m@2 is"):
        registry.rollback(REASON, expected=1)


def test_nothing_can_be_rolled_back_before_a_promotion(registry: Registry, new: Callable) -> None:
    """Without a champion a rollback is refused."""
    new()
    with pytest.raises(RefusedError, match="no champion"):
        registry.rollback(REASON)


def test_promotion_of_an_expected_champion(registry: Registry, new: Callable) -> None:
    """`expected` stops a promotion that was decided against another champion."""
    first, second, third = new(), new(), new()
    registry.promote(first, REASON, expected=None)
    registry.promote(second, REASON, expected=first)
    with pytest.raises(ConflictError, match="m@1 was expected to be champion, but m@2 is"):
        registry.promote(third, REASON, expected=first)


def test_a_race_lost_is_told_in_plain_words(
    workspace: Workspace, registry: Registry, new: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where somebody promotes between look and move, nothing is moved and the error says who is champion now."""
    first, second = new(), new()
    honest = Registry.find

    def find_then_lose(self: Registry, alias: str) -> Record[ModelVersion] | None:
        seen = honest(self, alias)
        monkeypatch.setattr(Registry, "find", honest)
        move = AliasMove(scope="model:m", name="champion", target=first.id)
        workspace.store.write(Change(aliases=[move]))
        return seen

    monkeypatch.setattr(Registry, "find", find_then_lose)
    with pytest.raises(ConflictError, match="m@1 is champion now, so m@2 was not"):
        registry.promote(second, REASON)
    assert registry.find("champion").id == first.id
    assert [event.kind for event in registry.history()] == ["release.version_registered"] * 2


def test_approvals_are_counted_by_actor(registry: Registry, new: Callable) -> None:
    """A promotion waits until enough different people have approved; one person counts once, a plan not at all."""
    version = new()
    for actor in ("user:ann", "user:ann"):
        with acting_as(actor):
            registry.approve(version, f"Read by {actor}.")
    with pytest.raises(RefusedError, match="1 of 2 approvals by user:ann") as refused:
        registry.promote(version, REASON, approvals=2)
    assert "heptad release approve m@1" in refused.value.remedy
    with acting_as("plan:plan-1"), pytest.raises(RefusedError, match="cannot approve"):
        registry.approve(version, REASON)
    with acting_as("user:bob"):
        approved = registry.approve(version, "Read by bob too.")
    assert approvals_of(approved) == {"user:ann": "Read by user:ann.", "user:bob": "Read by bob too."}
    assert "champion" in registry.promote(version, REASON, approvals=2).aliases
    assert [event.kind for event in registry.history()].count("release.approved") == 2


def test_a_refused_version_never_becomes_champion(registry: Registry, new: Callable) -> None:
    """A refusal takes the challenger's alias, is told once, and binds."""
    registry.promote(new(), REASON)
    second = new()
    refused = registry.refuse("challenger", "It lost its trial.")
    registry.refuse(second, "It lost its trial.")
    assert (refused.id, refused.attributes["status"]) == (second.id, "refused")
    assert registry.find("challenger") is None
    assert [event.kind for event in registry.history()].count("release.refused") == 1
    with pytest.raises(RefusedError, match="m@2 was refused"):
        registry.promote(second, REASON)


def test_the_champion_cannot_be_refused(registry: Registry, new: Callable) -> None:
    """What answers must first be replaced."""
    registry.promote(new(), REASON)
    with pytest.raises(RefusedError, match="is the champion"):
        registry.refuse(1, REASON)


@pytest.mark.parametrize("act", ["promote", "approve", "refuse"])
@pytest.mark.parametrize("reason", ["", "  ", "ok"])
def test_a_reason_is_a_sentence(registry: Registry, new: Callable, act: str, reason: str) -> None:
    """An act without a reason is not done."""
    new()
    with pytest.raises(InputError, match="no reason"):
        getattr(registry, act)(1, reason)
    assert [event.kind for event in registry.history()] == ["release.version_registered"]


def test_times_are_those_of_the_workspace(workspace: Workspace, clock: ManualClock, registry: Registry) -> None:
    """Records and events carry the workspace's time, as rehearsals need."""
    version = registry.add(version_of("candidate-1"), [])
    registry.promote(version, REASON)
    assert {version.at, *(event.at for event in registry.history())} == {clock.now()}


def test_models_do_not_see_each_other(workspace: Workspace, registry: Registry, new: Callable) -> None:
    """Two models of one workspace are numbered and crowned apart."""
    other = Registry(replace(workspace, clock=SystemClock()), "other")
    registry.promote(new(), REASON)
    theirs = other.add(version_of("candidate-0"), [])
    assert theirs.body.version == 1
    assert other.find("champion") is None
    assert [event.body["name"] for event in other.history()] == ["other"]
    assert graph.find_alias(workspace, "model:m", "champion", ModelVersion).body.version == 1


@pytest.mark.parametrize("first", ["refuse", "promote"])
def test_a_version_is_not_promoted_and_refused_at_once(
    registry: Registry, workspace: Workspace, new: Callable, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """Of two who decide differently at the same moment, one is told so; a refused version is never champion."""
    registry.promote(new(), REASON)
    version, other = new(), Registry(workspace, "m")
    acts = {
        "refuse": lambda one: one.refuse(version, "It failed its trial."),
        "promote": lambda one: one.promote(version, REASON),
    }
    (second,) = acts.keys() - {first}
    write = registry._write

    def late(*arguments: Any) -> None:
        monkeypatch.undo()
        acts[second](other)
        write(*arguments)

    monkeypatch.setattr(registry, "_write", late)
    with pytest.raises(ConflictError):
        acts[first](registry)
    found = registry.version(version)
    assert ("champion" in found.aliases) is (second == "promote")
    assert (found.attributes["status"] == "refused") is (second == "refuse")


def test_a_number_beyond_all_numbers_is_no_version(registry: Registry, new: Callable) -> None:
    """However many digits somebody gives, the answer is which versions there are."""
    new()
    with pytest.raises(NotFoundError, match="m@1"):
        registry.version("9" * 40)
