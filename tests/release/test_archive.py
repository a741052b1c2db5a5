"""The container of a package: one way to write it, and nothing else can be read."""

import io
import struct
import zipfile
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import IntegrityError
from heptad.release.archive import LIMITS, read_archive, write_archive

MEMBERS = {name: f"this is {name}".encode() * (number + 1) for number, name in enumerate(LIMITS)} | {
    "manifest.sig": bytes(96)
}
WHOLE = write_archive(MEMBERS)


def zipped(members: Mapping[str, bytes] | list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    """What another zip program would write."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items() if isinstance(members, Mapping) else members:
            archive.writestr(name, data)
    return buffer.getvalue()


@given(st.fixed_dictionaries({name: st.binary(max_size=90) for name in LIMITS}))
def test_what_was_written_is_read_and_only_one_file_says_it(members: dict[str, bytes]) -> None:
    """Members come back as they were, whatever they are, and equal members give equal bytes."""
    data = write_archive(members)
    assert read_archive(data) == members
    assert write_archive(dict(reversed(members.items()))) == data


def test_any_zip_program_opens_it() -> None:
    """The standard library's reader finds the same members, with no fault in any."""
    with zipfile.ZipFile(io.BytesIO(WHOLE)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == MEMBERS
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_one_altered_byte_anywhere_is_found(position: int, change: int) -> None:
    """There is no byte in the file that could be another."""
    altered = bytearray(WHOLE)
    altered[position] ^= change
    with pytest.raises(IntegrityError):
        read_archive(bytes(altered))


@given(st.integers(0, len(WHOLE) - 1))
def test_a_truncated_file_is_found(length: int) -> None:
    """However much is missing."""
    with pytest.raises(IntegrityError):
        read_archive(WHOLE[:length])


@given(st.binary(max_size=200))
def test_other_bytes_are_no_package(data: bytes) -> None:
    """Whatever they are, they are refused with the error for it."""
    with pytest.raises(IntegrityError):
        read_archive(data)
    with pytest.raises(IntegrityError):
        read_archive(b"PK\3\4" + data)


@pytest.mark.parametrize(
    "name", ["../model.onnx", "/etc/passwd", "sub/model.onnx", "..\\model.onnx", "run.py", "Model.onnx"]
)
def test_a_name_that_no_package_has_is_refused(name: str) -> None:
    """Names that lead outside, absolute names and unknown names are told before any byte is used."""
    with pytest.raises(IntegrityError, match="holds a member named"):
        read_archive(zipped([(name, b"x"), *MEMBERS.items()]))


def test_a_name_twice_is_refused() -> None:
    """Two readers of a file with one name twice could see different models."""
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = zipped([*MEMBERS.items(), ("model.onnx", b"another")])
    with pytest.raises(IntegrityError, match=r"holds 'model\.onnx' twice"):
        read_archive(data)


def test_a_compressed_member_is_refused() -> None:
    """So that no small file becomes a large one."""
    with pytest.raises(IntegrityError, match="is compressed"):
        read_archive(zipped(MEMBERS, zipfile.ZIP_DEFLATED))


def test_a_huge_member_is_refused_by_what_it_claims() -> None:
    """The size in the header is judged before anything is read."""
    claims = bytearray(WHOLE)
    struct.pack_into("<2I", claims, 18, 0xFFFFFFF0, 0xFFFFFFF0)
    with pytest.raises(IntegrityError, match=r"'manifest\.json' in the package claims 4,294,967,280 bytes"):
        read_archive(bytes(claims))


def test_a_missing_member_is_named() -> None:
    """A package without its card is none."""
    with pytest.raises(IntegrityError, match=r"lacks card\.md"):
        read_archive(zipped({name: data for name, data in MEMBERS.items() if name != "card.md"}))


@pytest.mark.parametrize("data", [WHOLE + b"tail", b"head" + WHOLE, WHOLE + WHOLE])
def test_bytes_around_the_archive_are_refused(data: bytes) -> None:
    """A zip program would skip them; a package has none."""
    with pytest.raises(IntegrityError):
        read_archive(data)


def test_another_writers_zip_of_the_same_members_is_refused() -> None:
    """Even with all members right there is one file that is the package, so its digest names it."""
    with pytest.raises(IntegrityError, match="belong to none of its members"):
        read_archive(zipped(MEMBERS))


def test_a_changed_member_is_named() -> None:
    """The checksum tells a flipped byte from a forged one; the signed digest finds the forged one."""
    data = WHOLE.replace(b"this is card.md", b"THIS is card.md", 1)
    with pytest.raises(IntegrityError, match=r"'card\.md' in the package is not what was written"):
        read_archive(data)
