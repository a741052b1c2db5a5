"""Sounds: how long they are, whether their file says so and can be decoded, and what they sound like."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from heptad.core.errors import WorkspaceError
from heptad.data.manifests.fingerprints import LEAST_RATE, SECONDS, Samples, fingerprint

_MOST_RATE, _MOST_CHANNELS = 384_000, 64
"""What claims more is not decoded, since a few bytes can claim any number."""
_BLOCK = 65_536
_NOT_READ = {1, 4}
"""Codes of libsndfile for formats and encodings that it does not know, which are not broken for that."""


class Sound(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a sound."""

    seconds: float | None = None
    instants: bytes = b""
    """Its fingerprint; empty where it is too short to be told from others, or of a kind that is not decoded."""
    problem: str | None = None


def listen_to(path: Path) -> Sound:
    """How long the sound in a file is, by its head, and what its beginning sounds like.

    A file without a length, cut short of it, or whose beginning cannot be decoded, is broken.
    """
    try:
        import soundfile  # noqa: PLC0415 - an extra, which only sounds need
        from tinytag import TinyTag, TinyTagException  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise WorkspaceError(
            f"{path.name} is a sound, which needs the package {error.name!r}.", remedy="pip install 'heptad[audio]'"
        ) from error
    try:
        seconds = TinyTag.get(path, tags=False).duration
    except (TinyTagException, OSError, ValueError, IndexError, KeyError, TypeError, OverflowError) as error:
        return Sound(problem=" ".join(f"{error or type(error).__name__}".split())[:200])
    if not seconds:
        return Sound(problem="nothing in it says how long it is")
    cut = _cut(path)
    try:
        heard = _beginning(soundfile, path)
    except soundfile.LibsndfileError as error:
        broken = None if error.code in _NOT_READ else f"it cannot be decoded: {error.error_string}"[:200]
        return Sound(seconds=float(seconds), problem=cut or broken)
    return Sound(seconds=float(seconds), instants=fingerprint(*heard).tobytes() if heard else b"", problem=cut)


def _beginning(library: Any, path: Path) -> tuple[Samples, int] | None:
    """The first `SECONDS` as one channel, and its rate; `None` where the rate is none of a sound."""
    with library.SoundFile(path) as file:
        rate: int = file.samplerate
        if not LEAST_RATE <= rate <= _MOST_RATE or file.channels > _MOST_CHANNELS:
            return None
        most = int(SECONDS * rate)
        blocks = [block.mean(axis=1) for block in file.blocks(_BLOCK, frames=most, dtype="float32", always_2d=True)]
    return np.concatenate([np.empty(0), *blocks]), rate


def _cut(path: Path) -> str | None:
    """Of a WAVE file, whether it holds as many bytes as its head says."""
    with path.open("rb") as file:
        head = file.read(8)
    promised = int.from_bytes(head[4:8], "little") + 8
    size = path.stat().st_size
    # A recorder that was cut off leaves the largest number, or none.
    if head[:4] == b"RIFF" and 8 < promised < 0xFFFFFFFF and size < promised:
        return f"it is cut short: {size:,} of {promised:,} bytes"
    return None
