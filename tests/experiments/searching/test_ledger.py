"""Trials are claimed by one, written once, and read back as they were told."""

from collections.abc import Sequence
from typing import Any

import pytest

from heptad.core import graph
from heptad.core.errors import InputError, UnavailableError
from heptad.core.records import Change, Record
from heptad.experiments import Experiments, Study, Told
from heptad.experiments.searching import ledger as ledgers
from heptad.experiments.searching.ledger import ENDED, Ended, Ledger

BODY = Study(name="s", metric="loss", direction="minimize", sampler="tpe", seed=1, pruner="median")


@pytest.fixture
def study(experiments: Experiments) -> Record[Study]:
    return graph.save(experiments.workspace, BODY, scope="test", key=(1,))


def ledger_of(experiments: Experiments, study: Record[Study]) -> Ledger:
    found = Ledger(experiments.workspace, study, "", lambda number, _: f"trial {number}")
    found.load()
    return found


def ended(ledger: Ledger, number: int, value: float | None = 1.0, **more: object) -> Ended:
    told = Told(number, {"x": 0.5}, value, reports={0: 3.0, 1: 2.0}, seconds=2.0, **more)  # type: ignore[arg-type]
    figures = {} if value is None else {"loss": value}
    return Ended(run=ledger.id_of(number), told=told, figures=figures, reason="" if value else "why")


def test_what_was_told_is_read_back(experiments: Experiments, study: Record[Study]) -> None:
    """Values, violations, reports, seconds and cost, of trials that finished, failed or were ended early."""
    ledger = ledger_of(experiments, study)
    outcomes = [
        ended(ledger, 0, violations={"ms": 1.5}, cost=3.0, at_once=4),
        ended(ledger, 1, None),
        ended(ledger, 2, None, pruned=True),
    ]
    for number, one in enumerate(outcomes):
        assert ledger.write(None, (number, {"x": 0.5}))
        assert ledger.write(one, None)
    assert ledger_of(experiments, study).load() == [one.told for one in outcomes]


def test_a_trial_is_claimed_by_one(experiments: Experiments, study: Record[Study]) -> None:
    """Whoever comes second gets another, and hears what became of it."""
    first, second = ledger_of(experiments, study), ledger_of(experiments, study)
    assert first.write(None, (0, {"x": 0.5}))
    assert not second.write(None, (0, {"x": 0.7}))
    assert second.write(None, (1, {"x": 0.7}))
    assert first.write(ended(first, 0), (2, {"x": 0.1}))
    assert [one.number for one in second.news(look=True)] == [0]
    assert second.news(look=True) == []


def test_a_trial_that_has_ended_is_never_begun_again(experiments: Experiments, study: Record[Study]) -> None:
    """Also by somebody who has not heard of its end."""
    first, second = ledger_of(experiments, study), ledger_of(experiments, study)
    assert first.write(None, (0, {"x": 0.5}))
    assert first.write(ended(first, 0), None)
    assert not second.write(None, (0, {"x": 0.5}))


def test_a_trial_that_was_given_back_is_begun_with_the_parameters_it_had(
    experiments: Experiments, study: Record[Study]
) -> None:
    """The second claim is told them."""
    first, second = ledger_of(experiments, study), ledger_of(experiments, study)
    assert first.write(None, (0, {"x": 0.5}))
    first.release([0])
    assert not second.write(None, (0, {"x": 0.9}))
    assert second.begun(0) == {"x": 0.5}
    assert second.write(None, (0, {"x": 0.5}))
    assert not first.write(ended(first, 0), None)
    assert second.write(ended(second, 0), None)


def test_where_nobody_else_writes_nothing_is_looked_at(experiments: Experiments, study: Record[Study]) -> None:
    """Own events are known; those of others are noticed at the next write."""
    ledger = ledger_of(experiments, study)
    for number in range(3):
        assert ledger.write(ended(ledger, number - 1) if number else None, (number, {"x": 0.5}))
    assert ledger.news() == []
    experiments.start("another").finish()
    assert ledger.write(ended(ledger, 2), None)
    assert ledger.news() == []


class Shaky:
    """A store that answers only at the third attempt; in the second it does what it is asked, and is cut off then."""

    def __init__(self, store: Any, acts: Sequence[str]) -> None:
        self._store, self._acts, self._calls = store, acts, 0

    def __getattr__(self, name: str) -> Any:
        act = getattr(self._store, name)
        if name not in self._acts:
            return act

        def called(*arguments: Any) -> Any:
            self._calls += 1
            if self._calls % 3 == 0:
                return act(*arguments)
            if self._calls % 3 == 2:
                act(*arguments)
            raise UnavailableError("It is away.")

        return called


def test_a_store_that_is_away_is_waited_for_and_nothing_is_written_twice(
    experiments: Experiments, study: Record[Study], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where the answer to a write was lost; whoever waits says so."""
    monkeypatch.setattr(ledgers, "_FIRST_PAUSE", 0.01)
    first, second = ledger_of(experiments, study), ledger_of(experiments, study)
    monkeypatch.setattr(first, "_store", Shaky(experiments.workspace.store, ["write", "get", "follow", "read"]))
    assert second.write(None, (1, {"x": 0.5}))
    assert first.write(None, (0, {"x": 0.5}))
    assert first.write(ended(first, 0), (2, {"x": 0.5}))
    assert second.write(ended(second, 1), None)
    assert [one.number for one in first.news(look=True)] == [1]
    assert not first.write(ended(first, 2), (1, {"x": 0.5}))
    assert first.write(ended(first, 2), None)
    assert [one.number for one in ledger_of(experiments, study).load()] == [0, 1, 2]
    assert len(experiments.workspace.store.follow(0, [ENDED])) == 3
    assert "the search waits for the store: It is away." in caplog.text


def test_a_store_that_stays_away_ends_the_wait(
    experiments: Experiments, study: Record[Study], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leases are neither renewed nor given back then, and run out."""
    ledger = ledger_of(experiments, study)
    assert ledger.write(None, (0, {"x": 0.5}))

    def away(_: Change) -> int:
        raise UnavailableError("It is away.")

    monkeypatch.setattr(ledgers, "_PATIENCE", 0.0)
    monkeypatch.setattr(experiments.workspace.store, "write", away)
    with pytest.raises(UnavailableError):
        ledger.write(ended(ledger, 0), None)
    ledger.renew([0])
    ledger.release([0])


def test_what_the_store_refuses_is_not_taken_for_a_trial_that_was_begun_before(
    experiments: Experiments, study: Record[Study]
) -> None:
    """The refusal is raised as it is."""
    with pytest.raises(InputError, match="U\\+0000"):
        ledger_of(experiments, study).write(None, (0, {"x": "a\x00"}))
