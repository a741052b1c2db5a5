"""The local log: one entry an id, the same answer always, whoever writes."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heptad.core.errors import RequestError, UnavailableError, WorkspaceError
from heptad.serving import journal as journal_module
from heptad.serving.journal import REPEATED, Journal, create_journal, only
from heptad.serving.messages import Part

MakePart = Callable[..., Part]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    create_journal(tmp_path / "journal.db")
    return Journal(tmp_path / "journal.db")


def ids_in(journal: Journal) -> list[str]:
    return [one for _, entries in journal.after(0, 1000) for one in entries.ids]


def test_what_is_stored_is_answered_and_kept(journal: Journal, part_of: MakePart) -> None:
    """New ids get their own answers, and their entries are there in order."""
    first, second = part_of("a", "b"), part_of("c")
    assert journal.add([first, second]) == [first.replies, second.replies]
    assert [entries for _, entries in journal.after(0, 10)] == [first.entries, second.entries]


def test_a_repeated_id_gets_its_first_answer_byte_for_byte(journal: Journal, part_of: MakePart) -> None:
    """The second time, whatever the model says by now, the stored answer is given, and no entry is added."""
    first = part_of("a", "b")
    journal.add([first])
    again = msgspec.structs.replace(part_of("b", "a"), replies=b'[{"id":"b"},{"id":"a"}]')
    (replies,) = journal.add([again])
    assert msgspec.json.decode(replies) == msgspec.json.decode(first.replies)[::-1]
    assert ids_in(journal) == ["a", "b"]


def test_an_id_that_comes_with_another_row_says_so(journal: Journal, part_of: MakePart) -> None:
    """A caller who gives one id to two rows gets the first answer with a warning, not a wrong one in silence."""
    journal.add([part_of("a", x=1.0)])
    (replies,) = journal.add([part_of("a", x=9.0)])
    (answer,) = msgspec.json.decode(replies)
    assert answer["warnings"] == [REPEATED]


def test_a_request_with_old_and_new_ids_keeps_the_new_ones(journal: Journal, part_of: MakePart) -> None:
    """Only what is new is kept, in every column of its entry."""
    journal.add([part_of("b")])
    part = part_of("a", "b", "c")
    journal.add([part])
    (_, kept) = journal.after(1, 10)[0]
    assert kept == only(part.entries, [0, 2])
    assert kept.ids == ["a", "c"]
    assert {len(column) for column in kept.columns} == {2, 16}


def test_one_group_may_hold_the_same_id_twice(journal: Journal, part_of: MakePart) -> None:
    """Two requests that are stored together share an id: the first wins for both."""
    first, second = journal.add([part_of("a", x=1.0), part_of("a", x=1.0)])
    assert first == second
    assert ids_in(journal) == ["a"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests=st.lists(st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1), min_size=1, max_size=8))
def test_every_id_has_one_entry_and_one_answer(
    requests: list[list[str]], tmp_path_factory: pytest.TempPathFactory, part_of: MakePart
) -> None:
    """Whatever is repeated in whatever order, entries are unique and replies of an id equal."""
    path = tmp_path_factory.mktemp("journal") / "journal.db"
    create_journal(path)
    journal = Journal(path)
    said: dict[str, object] = {}
    for number, ids in enumerate(requests):
        (replies,) = journal.add([part_of(*ids, at=number)])
        for identity, answer in zip(ids, msgspec.json.decode(replies), strict=True):
            assert answer["id"] == identity
            assert said.setdefault(identity, answer) == answer
    assert sorted(ids_in(journal)) == sorted(said)
    assert all(journal.find(one)[0][1].ids == [one] for one in said)
    journal.close()


def test_trimmed_entries_still_answer(journal: Journal, part_of: MakePart) -> None:
    """After trimming, entries are gone, and their ids get the same answers as before."""
    first = part_of("a")
    journal.add([first])
    journal.add([part_of("b")])
    journal.trim(1)
    assert ids_in(journal) == ["b"]
    assert journal.find("a") == []
    assert journal.add([part_of("a")]) == [first.replies]
    journal.trim(1)
    journal.trim(2)
    assert ids_in(journal) == []


WRITE = """
import sys; from pathlib import Path; import msgspec
from heptad.serving.journal import Journal
from heptad.serving.messages import Part
parts = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=list[Part])
journal = Journal(Path(sys.argv[1]))
sys.stdout.buffer.write(msgspec.msgpack.encode([journal.add([part])[0] for part in parts]))
"""


def pack(parts: list[Part]) -> bytes:
    return msgspec.msgpack.encode(parts, enc_hook=list)


def test_processes_that_write_at_once_neither_lose_nor_double(journal: Journal, part_of: MakePart) -> None:
    """Three processes answer overlapping ids: each id has one entry, and all gave the same answer to it."""
    parts = [[part_of(f"id-{(worker * 20 + turn) % 60}", at=worker) for turn in range(40)] for worker in range(3)]
    command = [sys.executable, "-c", WRITE, str(journal.path)]
    writers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in parts]
    with ThreadPoolExecutor(3) as threads:
        said = list(threads.map(lambda one, some: one.communicate(pack(some))[0], writers, parts))
    answers: dict[str, set[bytes]] = {}
    for some, replies in zip(parts, said, strict=True):
        for part, reply in zip(some, msgspec.msgpack.decode(replies, type=list[bytes]), strict=True):
            answers.setdefault(part.entries.ids[0], set()).add(reply)
    assert all(len(one) == 1 for one in answers.values())
    assert sorted(ids_in(journal)) == sorted(answers)
    assert len(answers) == 60


def test_a_journal_that_cannot_be_written_may_be_tried_again(
    journal: Journal, part_of: MakePart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another process holds it for too long, the error is retryable and nothing is stored."""
    journal._connection.execute("PRAGMA busy_timeout = 10")
    other = sqlite3.connect(journal.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(UnavailableError, match="locked"):
        journal.add([part_of("a")])
    other.execute("ROLLBACK")
    journal.add([part_of("a")])
    assert ids_in(journal) == ["a"]


def test_a_full_disk_is_said_and_leaves_nothing_half(journal: Journal, part_of: MakePart) -> None:
    """What does not fit is not stored, not even in part, and may be tried again."""
    pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    big = part_of(*(f"id-{number}" for number in range(500)))
    with pytest.raises(UnavailableError, match="full"):
        journal.add([part_of("a"), big])
    assert ids_in(journal) == []
    journal._connection.execute("PRAGMA max_page_count = 100000")
    assert journal.add([big]) == [big.replies]


def test_a_journal_is_made_once_and_keeps_its_name(tmp_path: Path) -> None:
    """Making it again changes nothing; the name tells it from any other journal."""
    path = tmp_path / "journal.db"
    create_journal(path)
    name = Journal(path).name
    create_journal(path)
    assert Journal(path).name == name
    create_journal(tmp_path / "other.db")
    assert Journal(tmp_path / "other.db").name != name


def test_a_journal_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    """A newer format is not touched."""
    path = tmp_path / "journal.db"
    create_journal(path)
    sqlite3.connect(path).execute("PRAGMA user_version = 99")
    with pytest.raises(WorkspaceError, match="format 99"):
        create_journal(path)


def test_a_damaged_journal_is_named(tmp_path: Path) -> None:
    """A file that is no database is said to be damaged, with what to do."""
    path = tmp_path / "journal.db"
    path.write_bytes(b"not a database at all" * 1000)
    with pytest.raises(WorkspaceError, match="damaged"):
        create_journal(path)


def test_an_id_whose_answer_was_forgotten_is_refused(journal: Journal, part_of: MakePart) -> None:
    """It is not answered anew, which would give one id two answers; the error names it, and nothing is stored."""
    journal.add([part_of("a", at=1)])
    journal.add([part_of("b", at=2)])
    journal.trim(2)
    journal.forget(2)
    with pytest.raises(RequestError, match="'a' was answered long ago") as caught:
        journal.add([part_of("c"), part_of("a")])
    assert (caught.value.status, caught.value.field) == (409, "ids")
    assert "heptad why a" in caught.value.remedy
    assert ids_in(journal) == []
    assert journal.add([part_of("b")]) == [part_of("b").replies]


def test_what_is_not_in_the_log_yet_is_not_forgotten(journal: Journal, part_of: MakePart) -> None:
    """However old an answer is, it stays until its entry was moved; so do all that came after it."""
    for number in range(4):
        journal.add([part_of(f"id-{number}", at=number)])
    journal.trim(2)
    journal.forget(100)
    assert ids_in(journal) == ["id-2", "id-3"]
    assert journal.add([part_of("id-3")]) == [part_of("id-3").replies]
    with pytest.raises(RequestError):
        journal.add([part_of("id-1")])


def test_numbers_are_not_given_again(journal: Journal, part_of: MakePart) -> None:
    """A collector has noted how far it came: an entry with an earlier number would never be moved."""
    for number in range(3):
        journal.add([part_of(f"id-{number}", at=number)])
    ((last, _),) = journal.after(2, 10)
    journal.trim(last)
    journal.forget(100)
    journal.add([part_of("new")])
    assert [seq for seq, _ in journal.after(0, 10)] == [last + 1]


def test_a_journal_does_not_grow_with_what_is_forgotten(journal: Journal, part_of: MakePart) -> None:
    """Under steady traffic that is collected and forgotten, the room of old answers is used again."""
    sizes = []
    for turn in range(6):
        for number in range(30):
            journal.add([part_of(*(f"{turn}-{number}-{row}" for row in range(5)), at=turn)])
        journal.trim(journal.newest(1)[0][0])
        journal.forget(turn)
        sizes.append(sum(len(row[0]) for row in journal._connection.execute("SELECT replies FROM journal")))
    (free,) = journal._connection.execute("PRAGMA freelist_count").fetchone()
    assert len(set(sizes[1:])) == 1
    assert free > 0


def test_a_repeated_batch_is_looked_up_at_once(
    journal: Journal, part_of: MakePart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that is sent again is not taken apart for each of its rows, which others would have to wait for."""
    part = part_of(*(f"id-{number}" for number in range(200)))
    journal.add([part])
    taken: list[bytes] = []
    split = journal_module.split_answers
    monkeypatch.setattr(journal_module, "split_answers", lambda replies: taken.append(replies) or split(replies))
    assert journal.add([part]) == [part.replies]
    assert len(taken) == 2


def test_the_newest_entries_are_found_without_the_others(journal: Journal, part_of: MakePart) -> None:
    """The last requests, in their order, without those that were moved."""
    for number in range(6):
        journal.add([part_of(f"id-{number}")])
    journal.trim(3)
    assert [entries.ids for _, entries in journal.newest(2)] == [["id-4"], ["id-5"]]
    assert [entries.ids for _, entries in journal.newest(9)] == [["id-3"], ["id-4"], ["id-5"]]
