"""Records of a file: whole ones, a torn tail, and damage that is named."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heptad.core.errors import IntegrityError
from heptad.experiments.event_files.framing import framed, records_of


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(st.binary(max_size=40), max_size=6), st.data())
def test_a_file_that_is_cut_off_anywhere_has_its_whole_records(tmp_path: Path, records: list[bytes], data):
    """What was written whole is read; the rest is as if it had not been begun."""
    whole = b"".join(map(framed, records))
    cut = data.draw(st.integers(0, len(whole)))
    path = tmp_path / "file"
    path.write_bytes(whole[:cut])
    ends = [len(b"".join(map(framed, records[:count]))) for count in range(len(records) + 1)]
    assert list(records_of(path)) == records[: sum(end <= cut for end in ends) - 1]


@pytest.mark.parametrize(
    ("place", "what"), [(16 + 3 + 2, "length"), (16 + 3 + 13, "content"), (16 + 3 + 17, "content")]
)
def test_damage_is_named_with_its_place(tmp_path: Path, place: int, what: str):
    """The file, the byte, and which sum does not hold; what stands before it is read."""
    whole = bytearray(framed(b"one") + framed(b"two!") + framed(b"three"))
    whole[place] ^= 1
    path = tmp_path / "file"
    path.write_bytes(whole)
    reader = records_of(path)
    assert next(reader) == b"one"
    with pytest.raises(IntegrityError, match=rf"file is damaged: .* {what} of the record at byte 19 "):
        next(reader)


def test_zeros_at_the_end_are_no_damage(tmp_path: Path):
    """A file that was growing at a power cut may end in blocks of zeros."""
    path = tmp_path / "file"
    path.write_bytes(framed(b"one") + bytes(4096))
    assert list(records_of(path)) == [b"one"]
