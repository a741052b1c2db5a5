"""Typed records: saved with all that belongs to them, once, and loaded as what they are."""

import math
from datetime import UTC, datetime
from typing import ClassVar

import msgspec
import pytest

from heptad.core import graph
from heptad.core.clock import ManualClock
from heptad.core.errors import InputError, NotFoundError
from heptad.core.identity import acting_as
from heptad.core.query import Compare, Query
from heptad.core.records import AliasMove, Body, Link
from heptad.core.workspace import Workspace


class Part(msgspec.Struct, frozen=True):
    name: str
    weight: float | None = None


class Thing(Body, frozen=True, kw_only=True):
    kind: ClassVar[str] = "thing"
    prefix: ClassVar[str] = "thing"

    name: str
    made: datetime
    parts: list[Part] = []
    counts: dict[str, int] = {}


class Other(Body, frozen=True, kw_only=True):
    kind: ClassVar[str] = "other"
    prefix: ClassVar[str] = "other"


THING = Thing(
    name="a", made=datetime(2026, 1, 1, tzinfo=UTC), parts=[Part("x", 0.5), Part("y")], counts={"z": 1, "a": 2}
)


def test_a_thing_comes_back_as_what_it_is(workspace: Workspace) -> None:
    """Times, nested parts and the order of mappings included; time and actor are those in force."""
    with acting_as("plan:p1"):
        saved = graph.save(workspace, THING, scope="tests")
    assert saved.body == THING
    assert list(saved.body.counts) == ["z", "a"]
    assert (saved.at, saved.actor, saved.scope) == (workspace.clock.now(), "plan:p1", "tests")
    assert graph.load(workspace, saved.id, Thing) == saved


def test_what_could_not_be_read_back_is_not_written(workspace: Workspace) -> None:
    """Else each listing of its kind would end with it from then on."""
    wrong = msgspec.structs.replace(THING, name=5)
    with pytest.raises(InputError, match=r"A thing cannot be recorded: .*`str`, got `int`"):
        graph.save(workspace, wrong, scope="tests")
    assert list(graph.every(workspace, Thing)) == []


def test_saved_again_with_its_key_it_is_the_same(workspace: Workspace, clock: ManualClock) -> None:
    """Nothing doubles, and the first one stands: links, attributes, aliases and the event were written once."""
    source = graph.save(workspace, Other(), scope="tests")

    def save(name: str) -> graph.Record[Thing]:
        return graph.save(
            workspace,
            Thing(name=name, made=workspace.clock.now()),
            scope="tests",
            key=("week", 1),
            made_from=[("source", source.id)],
            attributes={"status": name},
            aliases=[AliasMove(scope="things", name="newest", target="@")],
            event="tests.thing_made",
            event_body={"name": name},
        )

    first = save("first")
    clock.advance_to(datetime(2027, 1, 1, tzinfo=UTC))
    assert save("second") == first
    assert (first.body.name, first.attributes, first.aliases) == ("first", {"status": "first"}, {"newest": 1})
    assert workspace.store.trace([first.id], "out") == [Link(first.id, "source", source.id)]
    (event,) = workspace.store.follow(0)
    assert (event.kind, event.subject, event.body, event.at) == (
        "tests.thing_made",
        first.id,
        {"name": "first"},
        first.at,
    )


def test_another_kind_is_not_found(workspace: Workspace) -> None:
    """By id and by alias; an alias that does not exist is `None`."""
    move = AliasMove(scope="things", name="best", target="@")
    other = graph.save(workspace, Other(), scope="tests", aliases=[move])
    with pytest.raises(NotFoundError, match="thing") as caught:
        graph.load(workspace, other.id, Thing)
    assert "is a other" in caught.value.remedy
    with pytest.raises(NotFoundError, match="thing"):
        graph.find_alias(workspace, "things", "best", Thing)
    assert graph.find_alias(workspace, "things", "worst", Thing) is None
    assert graph.find_alias(workspace, "things", "best", Other) == graph.load(workspace, other.id, Other)


def test_attributes_change_with_an_event(workspace: Workspace, clock: ManualClock) -> None:
    """The event says what changed, at the time of the workspace's clock; what JSON cannot hold is told in words."""
    thing = graph.save(workspace, THING, scope="tests")
    clock.advance_to(datetime(2026, 6, 1, tzinfo=UTC))
    graph.set_attributes(workspace, thing.id, {"loss": math.nan, "stage": "done", "gone": None})
    (event,) = workspace.store.follow(0)
    assert (event.kind, event.at) == ("core.attributes_changed", clock.now())
    assert event.body == {"loss": "nan", "stage": "done", "gone": None}
    found = graph.load(workspace, thing.id, Thing).attributes
    assert math.isnan(found["loss"])  # type: ignore[arg-type]
    assert found["stage"] == "done"
    (same,) = graph.find(workspace, Thing, Query(kind="thing", where=Compare("stage", "=", "done")))
    assert same.body == THING


def test_all_records_of_a_kind_come_however_many_there_are(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Newest first, over several pages; each once, and of other kinds none."""
    monkeypatch.setattr(graph, "_PAGE", 2)
    made = [graph.save(workspace, THING, scope="tests").id for _ in range(5)]
    other = graph.save(workspace, Other(), scope="tests").id
    assert [one.id for one in graph.every(workspace, Thing)] == made[::-1]
    assert {one.id for one in graph.every_record(workspace)} == {*made, other}
