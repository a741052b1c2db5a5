"""The promises of `Store` as tests: subclass the classes and give each a fixture `store`, empty for each test.

The promises about searches are in `heptad.testing.store_search_contract`.
"""

import math
import pickle
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from heptad.core.errors import ConflictError, InputError, NotFoundError
from heptad.core.events import Subscriber, verify
from heptad.core.query import Query
from heptad.core.records import (
    AliasMove,
    AliasRef,
    Attribute,
    Change,
    Id,
    Link,
    NewEvent,
    RawRecord,
    Record,
    Scalar,
)
from heptad.core.store import AT_END, Direction, Segment, Store

NOON = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
BODY: dict[str, Any] = {"z": [1, 2.5, None, True, "é"], "a": {"deep": {"empty": {}}}, "big": 2**62}
VALUES: dict[str, Scalar] = {
    "text": "été, 早い",
    "empty": "",
    "long": "x" * 10_000,
    "number": 0.1,
    "tiny": 5e-324,
    "infinite": math.inf,
    "whole": 2**60 + 1,
    "negative": -3,
    "minus nothing": -0.0,
    "yes": True,
    "no": False,
    "quoted": "NaN",
}


NESTED: dict[str, Any] = {}
NESTED["itself"] = NESTED


def record(identity: Id, attributes: Mapping[str, Scalar] | None = None, **fields: Any) -> RawRecord:
    """A record as a test needs it: `record("r1", {"score": 1.0}, scope="other")`."""
    plain: RawRecord = Record(
        id=identity, kind="run", scope="tests", at=NOON, actor="user:test", body={}, attributes=attributes or {}
    )
    return msgspec.structs.replace(plain, **fields)


class StoreContract:
    """What every part of the contract needs: a fixture `store`, empty for each test."""

    @pytest.fixture
    def store(self) -> Store:
        raise NotImplementedError


class StoreRecordsContract(StoreContract):
    """Records, links and attributes: what is written comes back, whole or not at all."""

    def test_a_record_comes_back_as_it_was_written(self, store: Store) -> None:
        """Id, kind, scope, time to the microsecond, actor and body are the same, the body's order too."""
        store.write(Change(records=[record("r1", body=BODY)]))
        (found,) = store.get(["r1"])
        assert found == record("r1", body=BODY)
        assert list(found.body) == list(BODY)

    def test_records_come_in_the_order_asked_and_all_must_exist(self, store: Store) -> None:
        """`get` keeps the order, repeats what is asked twice, and names what is missing."""
        store.write(Change(records=[record("r1"), record("r2")]))
        assert [one.id for one in store.get(["r2", "r1", "r2"])] == ["r2", "r1", "r2"]
        assert store.get([]) == []
        with pytest.raises(NotFoundError, match="r3"):
            store.get(["r1", "r3"])

    @pytest.mark.parametrize(
        "wrong",
        [
            {"records": [record("r2"), record("r1")]},
            {"records": [record("r2"), record("r2")]},
            {"records": [record("r2")], "links": [Link("r2", "data", "nowhere")]},
            {"records": [record("r2")], "attributes": [Attribute("nowhere", "key", 1)]},
            {"records": [record("r2")], "aliases": [AliasMove(scope="s", name="a", target="nowhere")]},
            {"records": [record("r2", body={"score": math.nan})]},
            {"records": [record("r2", body={"score": object()})]},
            {"records": [record("r2", body={"scores": {math.inf}})]},
            {"records": [record("r2", body=NESTED)]},
            {"records": [record("r2", at=datetime(2026, 1, 1))]},  # noqa: DTZ001 - without a zone on purpose
            {"records": [record("r2", {"key": "half a pair \ud800"})]},
            {"records": [record("r2", {"key": "a NUL \x00"})]},
            {"records": [record("r2", {"k" * 600: 1})]},
            {"records": [record("")]},
        ],
    )
    def test_a_wrong_change_leaves_nothing_behind(self, store: Store, wrong: dict[str, Any]) -> None:
        """A record that exists, a link to nowhere, a value that cannot be kept: an `InputError`, and nothing else."""
        store.write(Change(records=[record("r1")]))
        with pytest.raises(InputError):
            store.write(Change(events=[NewEvent(kind="t.happened", subject="r1")], **wrong))
        assert [one.id for one in store.find(Query(kind="run")).items] == ["r1"]
        assert store.follow(0) == []

    def test_attributes_below_a_beginning_of_their_keys_are_fetched(self, store: Store) -> None:
        """Beside those that are named, once each; the case and every sign of the beginning count."""
        values: dict[str, Scalar] = {"f.a": 1, "f.a/b": 2, "f.a/\u6587": 3, "f.a/\U0010fffe": 4, "f.a0": 5, "F.a/b": 6}
        store.write(Change(records=[record("r1", values), record("r2")]))
        inside = {"f.a/b": 2, "f.a/\u6587": 3, "f.a/\U0010fffe": 4}
        assert store.get(["r2", "r1"], (), "f.a/")[1].attributes == inside
        assert store.get(["r1"], ["f.a", "f.a/b"], "f.a/")[0].attributes == {"f.a": 1, **inside}
        assert store.get(["r1"], (), "f.a/_")[0].attributes == {}
        assert store.get(["r1"], None, "f.a/")[0].attributes == values

    def test_only_the_attributes_that_are_named_are_fetched(self, store: Store) -> None:
        """Some, none, or all of them; one that is not there is left out."""
        store.write(Change(records=[record("r1", {"a": 1, "b": 2})]))
        for named, found in ((["b", "c"], {"b": 2}), ([], {}), (None, {"a": 1, "b": 2})):
            assert store.get(["r1"], named)[0].attributes == found

    def test_a_keyed_change_is_applied_once(self, store: Store) -> None:
        """The second time it changes nothing, whatever it holds, and answers the first position."""
        happened = NewEvent(kind="t.happened", subject="r1")
        first = store.write(Change(records=[record("r1")], events=[happened], key="once"))
        store.write(Change(events=[happened]))
        assert store.write(Change(records=[record("r1")], events=[happened], key="once")) == first == 1
        assert len(store.follow(0)) == 2

    def test_values_keep_their_types(self, store: Store) -> None:
        """Text of any length, numbers of both kinds, booleans and NaN come back as what they were."""
        store.write(Change(records=[record("r1", VALUES)], attributes=[Attribute("r1", "undefined", math.nan)]))
        found = dict(store.get(["r1"])[0].attributes)
        assert math.isnan(found.pop("undefined"))  # type: ignore[arg-type] # it must be a float here
        assert found == VALUES
        assert {key: type(value) for key, value in found.items()} == {k: type(v) for k, v in VALUES.items()}

    def test_the_latest_value_wins_and_none_removes(self, store: Store) -> None:
        """Attributes change in place, also their type; `None` leaves no trace."""
        store.write(Change(records=[record("r1", {"a": 1, "b": 2})], attributes=[Attribute("r1", "a", "changed")]))
        assert store.get(["r1"])[0].attributes == {"a": "changed", "b": 2}
        store.write(Change(attributes=[Attribute("r1", "a", 1.5), Attribute("r1", "b", None), Attribute("r1", "c", 1)]))
        assert store.get(["r1"])[0].attributes == {"a": 1.5, "c": 1}

    def test_many_records_at_once(self, store: Store) -> None:
        """Thousands of records, attributes and links fit in one change."""
        count = 3000
        store.write(
            Change(
                records=[record(f"r{n}", {"n": n}) for n in range(count)],
                links=[Link(f"r{n}", "parent", f"r{n - 1}") for n in range(1, count)],
            )
        )
        assert [one.attributes["n"] for one in store.get([f"r{n}" for n in range(count)])] == list(range(count))
        assert len(store.trace([f"r{count - 1}"], "ancestors")) == count - 1

    def test_a_pickled_store_opens_the_same_place(self, store: Store) -> None:
        """What another process is handed sees what was written, and writes to the same place."""
        store.write(Change(records=[record("r1")]))
        other: Store = pickle.loads(pickle.dumps(store))  # noqa: S301 - made here, one line above
        other.write(Change(records=[record("r2")]))
        assert {one.id for one in store.find(Query(kind="run")).items} == {"r1", "r2"}

    @pytest.mark.parametrize(
        ("start", "direction", "roles", "expected"),
        [
            ("d", "ancestors", (), ["d-data-b", "d-data-c", "b-data-a", "c-code-a"]),
            ("d", "out", (), ["d-data-b", "d-data-c"]),
            ("a", "in", (), ["c-code-a", "b-data-a"]),
            ("a", "descendants", (), ["c-code-a", "b-data-a", "e-copy-c", "d-data-c", "d-data-b"]),
            ("d", "ancestors", ("data",), ["d-data-b", "d-data-c", "b-data-a"]),
            ("a", "descendants", ("data", "copy"), ["b-data-a", "d-data-b"]),
            ("e", "descendants", (), []),
        ],
    )
    def test_lineage_is_followed_nearest_first(
        self, store: Store, start: Id, direction: Direction, roles: Sequence[str], expected: list[str]
    ) -> None:
        """Each link is met once, however many ways lead to it; roles limit which links are followed."""
        links = [
            Link("d", "data", "b"),
            Link("d", "data", "c"),
            Link("b", "data", "a"),
            Link("c", "code", "a"),
            Link("e", "copy", "c"),
        ]
        store.write(Change(records=[record(one) for one in "abcde"], links=[*links, *links]))
        found = [f"{one.source}-{one.role}-{one.target}" for one in store.trace([start], direction, roles)]
        assert found == expected

    def test_lineage_ends_where_it_began(self, store: Store) -> None:
        """Circles are walked once, and an unknown start is an error."""
        store.write(
            Change(records=[record("a"), record("b")], links=[Link("a", "replaces", "b"), Link("b", "replaces", "a")])
        )
        assert store.trace(["a"], "ancestors") == [Link("a", "replaces", "b"), Link("b", "replaces", "a")]
        with pytest.raises(NotFoundError, match="nowhere"):
            store.trace(["nowhere"], "out")


class StoreAliasesContract(StoreContract):
    """Aliases with versions, leases, and many writers at once."""

    def test_an_alias_points_at_a_record(self, store: Store) -> None:
        """It is found by scope and name, shows at the record, and can be moved and removed."""
        store.write(
            Change(records=[record("m1"), record("m2")], aliases=[AliasMove(scope="m", name="best", target="m1")])
        )
        assert store.get([AliasRef("m", "best")])[0].aliases == {"best": 1}
        store.write(Change(aliases=[AliasMove(scope="m", name="best", target="m2", expected=1)]))
        assert store.get([AliasRef("m", "best"), "m1"]) == [record("m2", aliases={"best": 2}), record("m1")]
        store.write(Change(aliases=[AliasMove(scope="m", name="best", target=None)]))
        with pytest.raises(NotFoundError, match="best"):
            store.get([AliasRef("m", "best")])

    @pytest.mark.parametrize("expected", [0, 1, 3])
    def test_an_alias_that_moved_meanwhile_is_a_conflict(self, store: Store, expected: int) -> None:
        """With the wrong version nothing is written, and the error says what the alias is now."""
        move = AliasMove(scope="m", name="best", target="m1")
        store.write(Change(records=[record("m1"), record("m2")], aliases=[move]))
        store.write(Change(aliases=[msgspec.structs.replace(move, target="m2")]))
        wrong = msgspec.structs.replace(move, expected=expected)
        with pytest.raises(ConflictError) as caught:
            store.write(Change(records=[record("m3")], aliases=[wrong]))
        assert (caught.value.current, caught.value.version) == ("m2", 2)
        with pytest.raises(NotFoundError):
            store.get(["m3"])

    def test_version_zero_asks_that_there_is_none(self, store: Store) -> None:
        """It also holds after a removal, though versions go on counting."""
        first = AliasMove(scope="m", name="best", target="m1", expected=0)
        store.write(Change(records=[record("m1")], aliases=[first]))
        store.write(Change(aliases=[AliasMove(scope="m", name="best", target=None, expected=1)]))
        store.write(Change(aliases=[first]))
        assert store.get(["m1"])[0].aliases == {"best": 3}

    def test_a_lease_is_held_by_one(self, store: Store) -> None:
        """Its holder renews and releases it; nobody else gets it before that."""
        mine = AliasMove(scope="jobs", name="nightly", target="me", lease=timedelta(minutes=1))
        theirs = msgspec.structs.replace(mine, target="them")
        store.write(Change(aliases=[mine]))
        store.write(Change(aliases=[mine]))
        with pytest.raises(ConflictError) as caught:
            store.write(Change(aliases=[theirs]))
        assert caught.value.current == "me"
        store.write(Change(aliases=[msgspec.structs.replace(mine, lease=timedelta())]))
        store.write(Change(aliases=[theirs]))

    def test_a_lease_expires(self, store: Store) -> None:
        """After its time somebody else may take it, and then its first holder has lost it."""
        mine = AliasMove(scope="jobs", name="nightly", target="me", lease=timedelta(milliseconds=40))
        theirs = msgspec.structs.replace(mine, target="them", lease=timedelta(minutes=1))
        store.write(Change(aliases=[mine]))
        time.sleep(0.06)
        store.write(Change(aliases=[theirs]))
        with pytest.raises(ConflictError):
            store.write(Change(aliases=[mine]))

    def test_a_lease_is_taken_away_by_its_version(self, store: Store) -> None:
        """Whoever knows that the holder is dead names the version it held; of two who do, one succeeds."""
        held = AliasMove(scope="jobs", name="nightly", target="dead", lease=timedelta(minutes=1))
        store.write(Change(aliases=[held]))
        store.write(Change(aliases=[msgspec.structs.replace(held, target="heir", expected=1)]))
        with pytest.raises(ConflictError, match="version 2"):
            store.write(Change(aliases=[msgspec.structs.replace(held, target="late", expected=1)]))

    def test_threads_write_at_once(self, store: Store) -> None:
        """Nothing is lost, every position is given once, and the chain holds."""

        def work(thread: int) -> list[int]:
            return [
                store.write(
                    Change(
                        records=[record(f"t{thread}-{n}")],
                        events=[NewEvent(kind="t.happened", subject=f"t{thread}-{n}")],
                    )
                )
                for n in range(10)
            ]

        with ThreadPoolExecutor(8) as threads:
            positions = sorted(one for part in threads.map(work, range(8)) for one in part)
        assert positions == list(range(1, 81))
        assert len(store.find(Query(kind="run"), limit=1000).items) == verify(store) == 80

    def test_of_many_who_move_an_alias_one_succeeds(self, store: Store) -> None:
        """The others get a conflict: two champions at once cannot be."""
        store.write(Change(records=[record(f"m{n}") for n in range(8)]))

        def move(number: int) -> bool:
            wanted = AliasMove(scope="m", name="best", target=f"m{number}", expected=0)
            try:
                store.write(Change(aliases=[wanted]))
            except ConflictError:
                return False
            return True

        with ThreadPoolExecutor(8) as threads:
            assert sum(threads.map(move, range(8))) == 1


def points(first: int, count: int, *, run: Id = "r1", key: str = "loss") -> Segment:
    """Points that say their own index: step 10 n, value n / 2, time n."""
    places = range(first, first + count)
    return Segment(
        record=run,
        key=key,
        first=first,
        steps=[10 * n for n in places],
        values=[n / 2 for n in places],
        times=[float(n) for n in places],
    )


class StoreEventsContract(StoreContract):
    """Metric series, events and their subscribers."""

    @pytest.fixture
    def run(self, store: Store) -> Store:
        store.write(Change(records=[record("r1"), record("r2")]))
        return store

    def test_points_come_back_by_index(self, run: Store) -> None:
        """Segments are joined, and series of other keys and records stay apart."""
        run.append([points(0, 5), points(5, 1), points(0, 3, key="accuracy"), points(0, 2, run="r2")])
        run.append([points(6, 94)])
        assert run.read("r1", "loss") == points(0, 100)
        assert run.read("r1", "loss", 3, 7) == points(3, 4)
        assert run.read("r1", "loss", 98, 200) == points(98, 2)
        assert run.read("r1", "accuracy") == points(0, 3, key="accuracy")
        assert run.read("r1", "absent").steps == []

    def test_points_sent_again_are_ignored(self, run: Store) -> None:
        """Also where they come in other portions; points before which some are missing are refused."""
        run.append([points(0, 5)])
        run.append([points(0, 5), points(3, 4)])
        assert run.read("r1", "loss") == points(0, 7)
        with pytest.raises(InputError, match="gap"):
            run.append([points(8, 1)])
        with pytest.raises(NotFoundError):
            run.append([points(0, 1, run="nowhere")])
        with pytest.raises(InputError, match="2 steps"):
            run.append([msgspec.structs.replace(points(7, 2), values=[0.0])])

    def test_points_at_the_end_go_behind_whatever_is_there(self, run: Store) -> None:
        """Several who append to one series at once lose nothing, double nothing, and keep their own order."""
        run.append([points(0, 3)])

        def append(number: int) -> None:
            for turn in range(20):
                run.append([msgspec.structs.replace(points(turn, 3), first=AT_END, values=[float(number)] * 3)])

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(append, range(4)))
        found = run.read("r1", "loss")
        assert len(found.steps) == 3 + 4 * 20 * 3
        for number in range(4):
            steps = [step for step, value in zip(found.steps[3:], found.values[3:], strict=True) if value == number]
            assert steps == [10 * (turn + place) for turn in range(20) for place in range(3)]

    def test_points_and_attributes_are_written_together(self, run: Store) -> None:
        """A change with points, attributes and a key: all of it or nothing, and once."""
        at_end = msgspec.structs.replace(points(0, 2), first=AT_END)
        change = Change(segments=[at_end], attributes=[Attribute("r1", "latest", 0.5)], key="batch", durable=False)
        run.write(change)
        run.write(change)
        with pytest.raises(NotFoundError):
            run.write(Change(segments=[at_end, points(0, 1, run="nowhere")]))
        assert len(run.read("r1", "loss").steps) == 2
        assert run.get(["r1"])[0].attributes == {"latest": 0.5}

    def test_a_change_whose_expectations_do_not_hold_changes_nothing(self, run: Store) -> None:
        """What was read before must still be so: another value, a missing one or one too many is a conflict."""
        run.write(Change(attributes=[Attribute("r1", "text", "x" * 500), Attribute("r1", "number", 1.5)]))
        as_it_is = [Attribute("r1", "text", "x" * 500), Attribute("r1", "number", 1.5), Attribute("r1", "none", None)]
        run.write(Change(attributes=[Attribute("r1", "other", 1)], expected=as_it_is))
        for key, value in (("text", "x" * 499), ("number", None), ("none", 0), ("other", 1.0)):
            with pytest.raises(ConflictError, match=key):
                run.write(
                    Change(
                        attributes=[Attribute("r1", "other", 2)],
                        segments=[points(0, 1)],
                        expected=[*as_it_is[:1], Attribute("r1", key, value)],
                    )
                )
        assert run.get(["r1"], ["other"])[0].attributes == {"other": 1}
        assert run.read("r1", "loss").steps == []

    def test_of_many_who_decide_on_one_attribute_none_is_overtaken(self, run: Store) -> None:
        """Each reads, adds one, and writes where nothing changed in between: no addition is lost."""

        def add(_: int) -> None:
            while True:
                now = run.get(["r1"], ["count"])[0].attributes.get("count")
                more = int(now or 0) + 1
                try:
                    run.write(
                        Change(attributes=[Attribute("r1", "count", more)], expected=[Attribute("r1", "count", now)])
                    )
                except ConflictError:
                    continue
                return

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(add, range(40)))
        assert run.get(["r1"])[0].attributes["count"] == 40

    def test_a_long_series_is_thinned_evenly(self, run: Store) -> None:
        """The first and the last point are always among those that are kept."""
        run.append([points(0, 1001)])
        assert run.read("r1", "loss", points=5).steps == [0, 2500, 5000, 7500, 10_000]
        assert run.read("r1", "loss", points=1).steps == [10_000]
        assert len(run.read("r1", "loss", points=2000).steps) == 1001

    def test_values_that_are_no_numbers_stay_what_they_are(self, run: Store) -> None:
        """A loss that diverged is NaN or infinite, and is told as such."""
        run.append([msgspec.structs.replace(points(0, 3), values=[math.nan, math.inf, -math.inf])])
        values = run.read("r1", "loss").values
        assert math.isnan(values[0])
        assert list(values[1:]) == [math.inf, -math.inf]

    def test_events_are_read_in_order(self, run: Store) -> None:
        """They carry what was said, by whom and when; positions count from 1; kinds can be chosen."""
        said = {"reason": "drift", "score": 0.25}
        position = run.write(
            Change(
                events=[NewEvent(kind="a.one", subject="r1", body=said), NewEvent(kind="b.two", subject="r2")],
                at=NOON,
                actor="plan:7",
            )
        )
        assert position == 2
        first, second = run.follow(0)
        assert (first.position, first.kind, first.subject, first.body) == (1, "a.one", "r1", said)
        assert (second.position, second.at, second.actor) == (2, NOON, "plan:7")
        assert run.follow(0, ["b.two"]) == [second]
        assert run.follow(1) == [second]
        assert run.follow(0, limit=1) == [first]
        assert run.write(Change()) == run.write(Change(attributes=[Attribute("r1", "a", 1)])) == 2

    def test_an_event_without_a_clock_has_the_time_of_the_machine(self, run: Store) -> None:
        """And the actor in force."""
        before = datetime.now(UTC)
        run.write(Change(events=[NewEvent(kind="a.one", subject="r1")]))
        (event,) = run.follow(0)
        assert before <= event.at <= datetime.now(UTC)
        assert event.actor

    def test_a_clock_that_goes_backwards_changes_no_order(self, run: Store) -> None:
        """Order is the order of writing, whatever the times say."""
        for hours in (2, 1, 3):
            at = NOON + timedelta(hours=hours)
            change = Change(records=[record(f"h{hours}", kind="hour", at=at)], at=at)
            run.write(msgspec.structs.replace(change, events=[NewEvent(kind="t.hour", subject=f"h{hours}")]))
        assert [event.subject for event in run.follow(0)] == ["h2", "h1", "h3"]
        assert [one.id for one in run.find(Query(kind="hour")).items] == ["h3", "h1", "h2"]
        assert verify(run) == 3

    def test_a_subscriber_goes_on_where_it_was(self, run: Store) -> None:
        """An event comes again until a change moved the cursor past it, and then never again."""
        for number in range(3):
            run.write(Change(events=[NewEvent(kind="t.happened", subject="r1", body={"n": number})]))
        reader = Subscriber(run, "reader")
        first = reader.pending()[0]
        assert reader.pending()[0] == first
        run.write(Change(attributes=[Attribute("r1", "seen", 0)], cursors=reader.cursor_after(first)))
        assert [event.body["n"] for event in Subscriber(run, "reader").pending()] == [1, 2]
        assert len(Subscriber(run, "another").pending()) == 3
