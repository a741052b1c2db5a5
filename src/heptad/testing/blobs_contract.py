"""The promises of `BlobStore` as tests: subclass `BlobStoreContract` and give it a fixture `blobs`."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from blake3 import blake3

from heptad.core.artifacts import BlobStore
from heptad.core.errors import InputError, IntegrityError, NotFoundError

ABSENT = "0" * 64
LARGE = bytes(range(256)) * 40_000
"""Ten megabytes: several chunks of any implementation."""

Damage = Callable[[str], None]


class Dripping(BytesIO):
    """A stream that answers less than it is asked for, and perhaps breaks."""

    def __init__(self, data: bytes, *, breaks: bool = False) -> None:
        super().__init__(data)
        self._breaks = breaks

    def read(self, size: int | None = -1, /) -> bytes:
        if self._breaks and self.tell():
            raise ConnectionResetError("gone")
        most = 1 + len(self.getbuffer()) // 7
        return super().read(most if size is None or size < 0 else min(size, most))


class BlobStoreContract:
    """Subclasses define two fixtures: `blobs`, an empty store, and `damage`, which alters an artifact in place."""

    @pytest.fixture
    def blobs(self) -> BlobStore:
        raise NotImplementedError

    @pytest.fixture
    def damage(self) -> Damage:
        raise NotImplementedError

    @pytest.mark.parametrize("data", [b"", b"x", LARGE], ids=["empty", "small", "large"])
    def test_bytes_come_back_under_their_blake3_digest(self, blobs: BlobStore, data: bytes) -> None:
        """The digest is that of the bytes, and gives back the same bytes, whole or as a stream."""
        digest = blobs.put(data)
        assert digest == blake3(data).hexdigest()
        assert blobs.get(digest) == data
        with blobs.open(digest) as stream:
            assert stream.read() == data
        assert blobs.size(digest) == len(data)

    @pytest.mark.parametrize("data", [b"", b"x", LARGE], ids=["empty", "small", "large"])
    def test_bytes_a_file_and_a_stream_are_stored_alike(self, blobs: BlobStore, tmp_path: Path, data: bytes) -> None:
        """It does not matter how the bytes come; the file that is given stays where it is."""
        path = tmp_path / "given"
        path.write_bytes(data)
        assert blobs.put(path) == blobs.put(data) == blobs.put(BytesIO(data))
        assert path.read_bytes() == data
        assert len(list(blobs.digests())) == 1

    @pytest.mark.parametrize("data", [b"x" * 1000, LARGE], ids=["small", "large"])
    def test_a_stream_may_give_its_bytes_in_any_portions(self, blobs: BlobStore, data: bytes) -> None:
        """A pipe or a socket answers fewer bytes than were asked for; all of them are stored."""
        assert blobs.get(blobs.put(Dripping(data))) == data

    def test_an_error_of_a_stream_is_its_own(self, blobs: BlobStore) -> None:
        """Where the bytes cannot be had, the error says so, and not that they cannot be stored."""
        with pytest.raises(ConnectionResetError, match="gone"):
            blobs.put(Dripping(LARGE, breaks=True))
        assert list(blobs.digests()) == []

    def test_many_files_are_stored_in_the_order_given(self, blobs: BlobStore, tmp_path: Path) -> None:
        """`put_many` answers one digest for each file, also where files are equal, large, or stored already."""
        contents = [b"a", b"b", b"a", LARGE, b"", b"stored", LARGE, *(str(n).encode() for n in range(40))]
        blobs.put(b"stored")
        files = []
        for number, data in enumerate(contents):
            files.append(tmp_path / f"file-{number}")
            files[-1].write_bytes(data)
        digests = blobs.put_many(files)
        assert digests == [blake3(data).hexdigest() for data in contents]
        assert [blobs.get(digest) for digest in digests] == contents
        assert set(blobs.digests()) == set(digests)
        assert blobs.put_many([]) == []

    def test_one_missing_file_stores_none_of_many(self, blobs: BlobStore, tmp_path: Path) -> None:
        """Where one of many files cannot be read, no artifact appears, and the error names the file."""
        (tmp_path / "here").write_bytes(b"here")
        with pytest.raises(NotFoundError, match="gone"):
            blobs.put_many([tmp_path / "here", tmp_path / "gone"])
        assert list(blobs.digests()) == []

    def test_a_folder_is_no_file(self, blobs: BlobStore, tmp_path: Path) -> None:
        """What cannot be read as a file is a mistake of the caller."""
        with pytest.raises(InputError, match="cannot be read"):
            blobs.put(tmp_path)

    @pytest.mark.parametrize("call", ["get", "open", "size"])
    def test_an_unknown_digest_is_not_found(self, blobs: BlobStore, call: str) -> None:
        """A digest that nobody stored raises `NotFoundError`."""
        with pytest.raises(NotFoundError, match=ABSENT):
            getattr(blobs, call)(ABSENT)

    @pytest.mark.parametrize("digest", ["", "abc", "../" * 21 + "a", "A" * 64, "g" * 64, ABSENT + "0"])
    def test_what_is_no_digest_is_refused(self, blobs: BlobStore, digest: str) -> None:
        """Only 64 hexadecimal digits name an artifact, so that no name leads outside."""
        for call in (blobs.get, blobs.open, blobs.size, lambda one: blobs.delete([one])):
            with pytest.raises(InputError, match="digest"):
                call(digest)

    @pytest.mark.parametrize("data", [b"some bytes", LARGE], ids=["small", "large"])
    def test_damage_is_found_when_read(self, blobs: BlobStore, damage: Damage, data: bytes) -> None:
        """Altered bytes raise `IntegrityError` with the digest and what to do; a stream raises at its end."""
        digest = blobs.put(data)
        damage(digest)
        with pytest.raises(IntegrityError, match=digest) as caught:
            blobs.get(digest)
        assert caught.value.remedy
        with blobs.open(digest) as stream, pytest.raises(IntegrityError, match=digest):
            list(iter(lambda: stream.read(1000), b""))
        with blobs.open(digest) as stream, pytest.raises(IntegrityError, match=digest):
            # Also where the reader knows how many bytes there are and never asks for more.
            stream.read(blobs.size(digest))

    @pytest.mark.parametrize("data", [b"some bytes", LARGE], ids=["small", "large"])
    def test_a_stream_may_begin_later(self, blobs: BlobStore, damage: Damage, data: bytes) -> None:
        """What stands before is not read, so that nothing is verified; behind the end there is nothing."""
        digest = blobs.put(data)
        for start in (0, 1, len(data) - 3, len(data), len(data) + 5):
            with blobs.open(digest, start) as stream:
                assert stream.read() == data[start:]
        damage(digest)
        with blobs.open(digest, len(data) - 3) as stream:
            assert len(stream.read()) == 3

    @pytest.mark.parametrize("data", [b"some bytes", LARGE], ids=["small", "large"])
    def test_storing_again_repairs_damage(self, blobs: BlobStore, damage: Damage, data: bytes) -> None:
        """Bytes put again replace a copy that is not what it was."""
        digest = blobs.put(data)
        damage(digest)
        assert blobs.put(data) == digest
        assert blobs.get(digest) == data

    def test_deleting_answers_the_bytes_freed(self, blobs: BlobStore) -> None:
        """Artifacts are gone after `delete`; ones that were gone before count nothing."""
        first, second, kept = blobs.put(b"123"), blobs.put(b"4567"), blobs.put(b"kept")
        assert blobs.delete([first, second, ABSENT]) == 7
        assert blobs.delete([first]) == 0
        assert list(blobs.digests()) == [kept]
        with pytest.raises(NotFoundError):
            blobs.get(first)
        assert blobs.put(b"123") == first

    def test_young_artifacts_are_spared(self, blobs: BlobStore) -> None:
        """With `older_than`, what was put recently is neither listed nor deleted."""
        digest = blobs.put(b"young")
        assert list(blobs.digests(timedelta(hours=1))) == []
        assert blobs.delete([digest], timedelta(hours=1)) == 0
        assert blobs.get(digest) == b"young"

    def test_writers_and_readers_do_not_disturb_each_other(self, blobs: BlobStore) -> None:
        """Eight threads that store and read the same artifacts see whole ones only."""
        start = threading.Barrier(8)

        def work(_: int) -> list[str]:
            start.wait()
            digests = [blobs.put(str(number % 10).encode() * 1000) for number in range(20)]
            assert [blobs.get(digest)[:1] for digest in digests] == [b"%d" % (number % 10) for number in range(20)]
            return digests

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(work, range(8)))
        assert answers == [answers[0]] * 8
        assert len(list(blobs.digests())) == 10
