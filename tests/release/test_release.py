"""The front door of step 4, from a candidate to a champion."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from heptad.core import faults, graph
from heptad.core.errors import InputError, NotFoundError, RefusedError
from heptad.core.query import Query
from heptad.data import to_markdown
from heptad.release.records import Decision, ModelVersion


def released(house: Any) -> Any:
    """Everything that step 4 does with an accepted candidate."""
    release = house.with_gates("roc_auc >= 0.6", "beats champion")
    decision = release.decide(house.good, release.champion())
    version = release.register(house.good, decision)
    return release.promote(version, "The first model of all.")


def test_from_a_candidate_to_a_champion(house: Any) -> None:
    """Decided, packed, numbered, promoted: and the package of the champion answers."""
    champion = released(house)
    assert champion.id == house.release.champion().id
    assert champion.body.label == "m@1"
    assert champion.body.value == house.good.body.evaluation.value("roc_auc").value
    assert house.release.package(champion).manifest.candidate == house.good.id
    kinds = [event.kind for event in house.workspace.store.follow(0) if event.kind.startswith("release.")]
    assert kinds == ["release.decided", "release.version_registered", "release.promoted"]


def test_a_version_is_linked_to_what_it_was_made_from(house: Any) -> None:
    """The graph leads from the version to candidate, decision, run and data."""
    champion = released(house)
    links = house.workspace.store.trace([champion.id], "ancestors")
    assert {link.target for link in links} >= {
        house.good.id,
        champion.body.decision,
        house.good.body.run,
        house.good.body.dataset,
    }


def test_a_refused_candidate_becomes_no_version(house: Any) -> None:
    """The error carries the decision's reason."""
    release = house.with_gates("roc_auc >= 0.999")
    decision = release.decide(house.good)
    with pytest.raises(RefusedError, match="roc_auc is 0"):
        release.register(house.good, decision)
    assert release.list() == []


def test_a_decision_about_another_candidate_lets_nobody_in(house: Any) -> None:
    """Candidate and decision belong together."""
    decision = house.with_gates().decide(house.weak)
    with pytest.raises(InputError, match="not about"):
        house.release.register(house.good, decision)


def test_the_second_version_becomes_challenger_and_then_champion(house: Any) -> None:
    """Beside a champion a new version waits as challenger; a rollback brings the first one back."""
    release = house.with_gates()
    first = release.register(house.weak, release.decide(house.weak))
    assert sorted(first.aliases) == ["latest"]
    release.promote(first, "The first model of all.")
    second = release.register(house.good, release.decide(house.good, release.champion()))
    assert release.version("challenger").id == second.id
    release.promote("m@2", "It beats the first.", expected=1)
    assert [version.body.label for version in release.list()] == ["m@2", "m@1"]
    assert release.rollback("It answers nonsense on Mondays.", expected=2).id == first.id
    assert release.champion().id == first.id
    assert release.refuse(2, "It answers nonsense on Mondays.").attributes["status"] == "refused"


def test_promotion_waits_for_as_many_approvals_as_the_settings_ask(house: Any) -> None:
    """`[release] approvals` binds the front door."""
    release = house.with_gates(approvals=1)
    release.register(house.good, release.decide(house.good))
    with pytest.raises(RefusedError, match="0 of 1 approvals"):
        release.promote(1, "The first model of all.")
    release.approve(1, "I have read the card.")
    assert release.promote(1, "The first model of all.").id == release.champion().id


def test_everything_about_a_version_is_shown(house: Any) -> None:
    """Records, approvals, history and the card with the version's number."""
    released(house)
    details = house.release.show("champion")
    assert (details.candidate.id, details.dataset.id) == (house.good.id, house.good.body.dataset)
    assert details.decision.body.accepted
    assert [event.kind for event in details.history] == ["release.version_registered", "release.promoted"]
    assert details.card.title == "Model card of m@1"
    assert "heptad reproduce m@1" in to_markdown(details.card)


def test_a_version_that_is_not_there_is_told(house: Any) -> None:
    """Before the first version, each reference is unknown."""
    for ref in (1, "champion", "m@1"):
        with pytest.raises(NotFoundError, match="no model version"):
            house.release.version(ref)
    assert house.release.champion() is None


class Killed(BaseException):
    """Stands for SIGKILL: no handler of `Exception` sees it."""


def dies_at(number: int, act: Callable[[], Any]) -> bool:
    """Do something and die at the given boundary between two durable acts; whether it came to that."""
    passed = itertools.count(1)

    def count(_name: str) -> None:
        if next(passed) == number:
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faults, "_ACTIVE", True)
        patch.setattr(faults, "_pass", count)
        try:
            act()
        except Killed:
            return True
    return False


def test_a_release_that_is_killed_anywhere_is_completed_by_the_next(houses: Any) -> None:
    """Whatever boundary it died at, doing it again ends with one decision, one version, one promotion."""
    for number in itertools.count(1):
        house = houses(f"killed-at-{number}")
        was_killed = dies_at(number, lambda house=house: released(house))
        champion = released(house)
        assert len(graph.find(house.workspace, Decision, Query(kind=Decision.kind))) == 1
        (version,) = graph.find(house.workspace, ModelVersion, Query(kind=ModelVersion.kind))
        assert (version.id, version.body.version) == (champion.id, 1)
        assert house.release.package(version).signature == house.good.body.signature
        kinds = [event.kind for event in house.workspace.store.follow(0) if event.kind.startswith("release.")]
        assert kinds == ["release.decided", "release.version_registered", "release.promoted"]
        if not was_killed:
            break
    assert number > 8, "deciding, key, package, version and promotion are durable acts with boundaries"
