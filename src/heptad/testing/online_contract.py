"""The promises of `OnlineStore` as tests: subclass `OnlineStoreContract` and give it a fixture `open_store`."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from heptad.core.errors import InputError
from heptad.data import MOST_KEY, STAMP, OnlineStore

Open = Callable[[str], OnlineStore]


def value(stamp: int, text: str = "") -> bytes:
    """A value that is as new as its stamp says."""
    return stamp.to_bytes(STAMP, "big") + text.encode()


class OnlineStoreContract:
    """Subclasses define `open_store`: it opens the store in a namespace, again and again the same one."""

    @pytest.fixture
    def open_store(self) -> Open:
        raise NotImplementedError

    @pytest.fixture
    def store(self, open_store: Open) -> OnlineStore:
        return open_store("test")

    def test_values_come_back_in_the_order_asked(self, store: OnlineStore) -> None:
        """Each key has its value, a key that nobody stored has none, and a key may be asked for twice."""
        store.put([(b"a", value(1, "first")), (b"b", value(1, "second"))])
        assert store.get([b"b", b"nobody", b"a", b"b"]) == [
            value(1, "second"),
            None,
            value(1, "first"),
            value(1, "second"),
        ]
        assert store.get([]) == []

    def test_any_bytes_may_be_keys_and_values(self, store: OnlineStore) -> None:
        """Also zeros, bytes that mean something elsewhere, and the longest key."""
        keys = [b"\0", b"\xff", b"\0a\0", b"*", b"[a]", b"a\\", b"k" * MOST_KEY, bytes(range(256))]
        store.put([(key, value(1) + key[::-1]) for key in keys])
        assert store.get(keys) == [value(1) + key[::-1] for key in keys]
        for key in keys:
            assert {found for found, _ in store.scan(key)} == {other for other in keys if other.startswith(key)}

    def test_the_newest_value_stays(self, store: OnlineStore) -> None:
        """A lower stamp is dropped, an equal or higher one replaces, in one put and over several."""
        store.put([(b"k", value(5, "five"))])
        store.put([(b"k", value(4, "four"))])
        assert store.get([b"k"]) == [value(5, "five")]
        store.put([(b"k", value(5, "five again"))])
        assert store.get([b"k"]) == [value(5, "five again")]
        store.put([(b"k", value(9, "nine")), (b"k", value(7, "seven"))])
        assert store.get([b"k"]) == [value(9, "nine")]

    @pytest.mark.parametrize(("lower", "higher"), [(1, 255), (127, 128), (255, 256), (2**63, 2**127), (0, 1)])
    def test_stamps_compare_as_bytes_without_sign(self, store: OnlineStore, lower: int, higher: int) -> None:
        """The first byte that differs decides, and 255 is its greatest value."""
        store.put([(b"k", value(higher))])
        store.put([(b"k", value(lower))])
        assert store.get([b"k"]) == [value(higher)]

    def test_marks_are_set_with_the_rows(self, store: OnlineStore) -> None:
        """A mark is what the last put set it to, empty before; marks and keys of one name have nothing in common."""
        assert store.mark(b"m") == b""
        store.put([(b"m", value(1))], {b"m": b"one", b"n": b"other"})
        store.put([], {b"m": b"two"})
        assert (store.mark(b"m"), store.mark(b"n")) == (b"two", b"other")
        assert store.get([b"m"]) == [value(1)]
        assert store.get([b"n"]) == [None]

    def test_what_was_put_is_there_for_others(self, store: OnlineStore, open_store: Open) -> None:
        """Another who opens the same namespace sees it; another namespace has nothing of it."""
        store.put([(b"k", value(1))], {b"m": b"mark"})
        assert open_store("test").get([b"k"]) == [value(1)]
        assert open_store("test").mark(b"m") == b"mark"
        assert open_store("other").get([b"k"]) == [None]
        assert open_store("other").mark(b"m") == b""
        assert list(open_store("other").scan(b"")) == []

    def test_a_closed_store_opens_again(self, store: OnlineStore) -> None:
        """Closing loses nothing."""
        store.put([(b"k", value(1))])
        store.close()
        assert store.get([b"k"]) == [value(1)]

    def test_scanning_finds_each_key_once(self, store: OnlineStore) -> None:
        """All keys that begin so, with their values, however many there are."""
        rows = {f"view:{number}".encode(): value(number) for number in range(2_500)}
        store.put([*rows.items(), (b"vie", value(1)), (b"vieX", value(1)), (b"w", value(1))])
        found = list(store.scan(b"view:"))
        assert len(found) == len(rows)
        assert dict(found) == rows

    def test_deleting_answers_how_many_were_there(self, store: OnlineStore) -> None:
        """What is deleted is gone, and an older value may then be put."""
        store.put([(b"a", value(9)), (b"b", value(9))])
        assert store.delete([b"a", b"nobody"]) == 1
        assert store.delete([b"a"]) == 0
        assert store.delete([]) == 0
        store.put([(b"a", value(1))])
        assert store.get([b"a", b"b"]) == [value(1), value(9)]

    def test_clearing_removes_what_begins_so(self, store: OnlineStore) -> None:
        """Keys and marks of a prefix go, all others stay."""
        store.put([(f"x{number}".encode(), value(1)) for number in range(2_500)], {b"x": b"1", b"y": b"2"})
        store.put([(b"y", value(1))])
        assert store.clear(b"x") == 2_500
        assert store.clear(b"x") == 0
        assert list(store.scan(b"")) == [(b"y", value(1))]
        assert (store.mark(b"x"), store.mark(b"y")) == (b"", b"2")

    @pytest.mark.parametrize(("key", "stored"), [(b"", value(1)), (b"k" * (MOST_KEY + 1), value(1)), (b"k", b"short")])
    def test_other_sizes_are_refused_and_nothing_is_put(self, store: OnlineStore, key: bytes, stored: bytes) -> None:
        """An empty or too long key, or a value without a stamp, leaves everything as it was."""
        with pytest.raises(InputError, match="cannot be stored"):
            store.put([(b"good", value(1)), (key, stored)], {b"m": b"mark"})
        assert store.get([b"good"]) == [None]
        assert store.mark(b"m") == b""

    def test_a_reader_sees_a_put_whole_or_not_at_all(self, store: OnlineStore) -> None:
        """While somebody writes many keys at once, again and again, all of them are read with one stamp."""
        keys = [b"%d" % number for number in range(50)]
        store.put([(key, value(0)) for key in keys])
        done = threading.Event()

        def write() -> None:
            for stamp in range(1, 60):
                store.put([(key, value(stamp)) for key in keys])
            done.set()

        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(write)
            while not done.is_set():
                assert len(set(store.get(keys))) == 1
            writing.result()
        assert store.get(keys[:1]) == [value(59)]

    def test_many_writers_leave_the_newest(self, store: OnlineStore) -> None:
        """Whoever comes last, the highest stamp stays."""

        def write(first: int) -> None:
            for stamp in range(first, 200, 4):
                store.put([(b"k", value(stamp))], {b"%d" % first: b"%d" % stamp})

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(write, range(4)))
        assert store.get([b"k"]) == [value(199)]
        assert [store.mark(b"%d" % first) for first in range(4)] == [b"196", b"197", b"198", b"199"]

    def test_it_grows_beyond_its_first_size(self, store: OnlineStore) -> None:
        """A hundred megabytes in one put are no trouble, and readers go on."""
        rows = [(b"%d" % number, value(1) + bytes(1_000_000)) for number in range(100)]
        store.put(rows)
        assert store.get([b"99"]) == [rows[-1][1]]
        assert store.clear(b"") == 100
