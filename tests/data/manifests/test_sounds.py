"""A sound says how long it is, or is broken."""

from pathlib import Path

import pytest
from tests.data.manifests.conftest import sound

from heptad.data.manifests.sounds import listen_to


def test_a_sound_is_as_long_as_its_head_says(tmp_path: Path) -> None:
    """To a sample."""
    path = tmp_path / "a.wav"
    path.write_bytes(sound(2.25))
    assert listen_to(path).seconds == pytest.approx(2.25)
    assert listen_to(path).problem is None


@pytest.mark.parametrize("content", [b"RIFF", b"ID3\4\0", b"\xff\xfb" * 3, b"OggS", b"fLaC\0\0\0\x22", b"x" * 4096])
def test_broken_sounds_have_a_problem(tmp_path: Path, content: bytes) -> None:
    """Whatever their bytes lead the reader to."""
    for name in ("a.wav", "a.mp3", "a.ogg", "a.flac", "a.m4a"):
        path = tmp_path / name
        path.write_bytes(content)
        assert listen_to(path).problem
