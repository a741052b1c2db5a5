"""Sounds: how long they are, and whether their file says so."""

from pathlib import Path

import msgspec

from heptad.core.errors import WorkspaceError


class Sound(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a sound."""

    seconds: float | None = None
    problem: str | None = None


def listen_to(path: Path) -> Sound:
    """How long the sound in a file is, read off its head; a file without a length, or cut short of it, is broken."""
    try:
        from tinytag import TinyTag, TinyTagException  # noqa: PLC0415 - an extra, which only sounds need
    except ModuleNotFoundError as error:
        raise WorkspaceError(
            f"{path.name} is a sound, which needs the package 'tinytag'.", remedy="pip install 'heptad[audio]'"
        ) from error
    try:
        seconds = TinyTag.get(path, tags=False).duration
    except (TinyTagException, OSError, ValueError, IndexError, KeyError, TypeError, OverflowError) as error:
        return Sound(problem=" ".join(f"{error or type(error).__name__}".split())[:200])
    if not seconds:
        return Sound(problem="nothing in it says how long it is")
    return Sound(seconds=float(seconds), problem=_cut(path))


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
