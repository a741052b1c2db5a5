"""Messages in quarantine that can be read by now land, each once, wherever the process dies."""

import itertools
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.streams.test_landing import KilledError, batch, row, rows_of

from heptad.core.errors import InputError, NotFoundError
from heptad.data import OnChange
from heptad.data.columns.column_types import Dates
from heptad.data.streams import landed as landed_module
from heptad.data.streams.decoding import JsonDecoder
from heptad.data.streams.landing import Landing
from heptad.data.streams.policies import ChangePolicy
from heptad.data.streams.records import Landed
from heptad.data.streams.releasing import places_of, release
from heptad.data.streams.times import OwnTimes


def opened(folder: Path, added: str = "accept", name: str = "", times: OwnTimes | None = None) -> Landing:
    policy = ChangePolicy(OnChange(added=added, dropped="accept"))  # type: ignore[arg-type]
    return Landing(folder / "t", lambda present: JsonDecoder(present, policy), name, 1_000, times)


def poison_of(made: Landing) -> list[tuple[int, str]]:
    """The position and reason of each message."""
    held = made.poison.scan().sort("stream_position").collect()
    return list(held.select("stream_position", "reason").iter_rows())


def test_messages_that_can_be_read_by_now_land_and_the_others_stay(tmp_path: Path) -> None:
    """With the reason of now; what the broker told of them is kept, and the digest of the rows is another."""
    made = opened(tmp_path, "refuse")
    made.land(batch([row(1)]))
    made.land(batch([row(2, new=5), b"{", row(3, new="x"), b'{"number": "y"}'], first=1))
    digest = made.rows.digest()
    made = opened(tmp_path)
    assert release(made) == Landed(rows=1, poison=3)
    assert rows_of(made).select("stream_partition", "stream_position", "stream_key", "number", "new").rows() == [
        (0, 0, "key", 1, None),
        (0, 1, "key", 2, 5),
    ]
    assert [position for position, _ in poison_of(made)] == [2, 3, 4]
    assert dict(poison_of(made))[3] == "field new: expected an integer, got a text"
    assert made.rows.digest() != digest
    assert b"{" in made.poison.scan().collect()["payload"].to_list()
    again = opened(tmp_path)
    assert release(again) == Landed(poison=3)
    assert made.rows.positions() == again.rows.positions() == {0: 4}
    assert again.land(batch([row(1), row(2, new=5)])) == Landed(repeated=2)
    assert again.land(batch([row(9, new=9)], first=5)) == Landed(rows=1)


def test_single_messages_are_released(tmp_path: Path) -> None:
    """By the positions that the list of the quarantine shows; one that is not there releases none."""
    opened(tmp_path, "refuse").land(batch([row(1)]))
    opened(tmp_path, "refuse").land(batch([row(2, new=5), row(3, new=6)], first=1))
    made = opened(tmp_path)
    with pytest.raises(NotFoundError, match="0:9"):
        release(made, places_of(["0:2", "0:9"]))
    assert release(made, places_of(["0:2"])) == Landed(rows=1, poison=1)
    assert rows_of(made)["number"].to_list() == [1, 3]
    for wrong in ("2", "0:", "a:1", "0:-1", "0:1 "):
        with pytest.raises(InputError, match="no position of a message"):
            places_of([wrong])


def test_a_message_whose_id_has_landed_is_let_go_of(tmp_path: Path) -> None:
    """It was sent again, without what was wrong."""
    opened(tmp_path, "refuse", "number").land(batch([row(1)]))
    opened(tmp_path, "refuse", "number").land(batch([row(2, new=5), row(2)], first=1))
    made = opened(tmp_path, name="number")
    assert release(made) == Landed(repeated=1)
    assert rows_of(made)["stream_position"].to_list() == [0, 2]
    assert poison_of(made) == []


def test_a_batch_that_is_half_done_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its messages come again: one that a release had taken out of the quarantine would land twice."""
    opened(tmp_path, "refuse").land(batch([row(1)]))
    sent = batch([row(2, new=5), row(3)], first=1)
    kill_at(monkeypatch, 3)
    with pytest.raises(KilledError):
        opened(tmp_path, "refuse").land(sent)
    monkeypatch.undo()
    made = opened(tmp_path)
    assert (made.poison.positions(), made.rows.positions()) == ({0: 2}, {0: 0})
    assert release(made) == Landed(poison=1)
    assert made.land(sent) == Landed(rows=1)
    assert release(made) == Landed(rows=1)
    assert sorted(rows_of(made)["stream_position"].to_list()) == [0, 1, 2]


def test_times_are_read_by_what_is_settled(tmp_path: Path) -> None:
    """A message is not released for nothing being settled after the settings changed."""

    def timed(dates: str) -> Landing:
        return opened(tmp_path, times=OwnTimes(tmp_path / "t", "at", Dates(timezone="UTC", format=dates)))

    timed("").land(batch([row(one, at=f"2026-01-01 00:00:{one % 60:02}") for one in range(150)]))
    sent = [row(150, at="2026/01/02"), row(151, at="soon"), row(152, at="03-01-2026")]
    assert timed("").land(batch(sent, first=150)) == Landed(rows=1, poison=2)
    unsettled = timed("%d-%m-%Y")
    assert not unsettled.settles_times()
    assert release(unsettled) == Landed(poison=2)
    assert release(timed("")) == Landed(poison=2)


def kill_at(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """The process dies at this boundary between durable acts, from 1 on."""
    calls = itertools.count(1)

    def dying(_name: str) -> None:
        if next(calls) == number:
            raise KilledError

    monkeypatch.setattr(landed_module, "boundary", dying)


@given(st.lists(st.sampled_from(["row", "new", "broken", "twice"]), max_size=12), st.integers(1, 8), st.booleans())
@settings(max_examples=25, deadline=None)
def test_each_message_is_in_one_table_wherever_the_process_dies(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[str], number: int, named: bool
) -> None:
    """And whether the release is done again, or messages land first."""
    folder, name = tmp_path_factory.mktemp("released"), "number" if named else ""
    payloads = {
        "row": row,
        "new": lambda one: row(one, new=one),
        "broken": lambda _: b"{",
        "twice": lambda _: row(0, new=1),
    }
    sent = [row(0), *(payloads[kind](place) for place, kind in enumerate(kinds, start=1))]
    opened(folder, "refuse", name).land(batch(sent[:1]))
    opened(folder, "refuse", name).land(batch(sent[1:], first=1))
    with pytest.MonkeyPatch.context() as patch:
        kill_at(patch, number)
        with suppress(KilledError):
            release(opened(folder, name=name))
    made = opened(folder, name=name)
    made.land(batch([row(100)], first=len(sent)))
    landed, held = rows_of(made)["stream_position"].to_list(), [position for position, _ in poison_of(made)]
    assert not set(landed) & set(held)
    release(made)
    landed, held = rows_of(made)["stream_position"].to_list(), [position for position, _ in poison_of(made)]
    assert len(landed) == len(set(landed))
    assert held == [place for place, payload in enumerate(sent) if payload == b"{"]
    if not named:
        assert sorted([*landed, *held]) == list(range(len(sent) + 1))
    else:
        numbers = rows_of(made)["number"].to_list()
        assert sorted(numbers) == sorted(
            {0, 100, *(one for one, kind in enumerate(kinds, start=1) if kind in ("row", "new"))}
        )
