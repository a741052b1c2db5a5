"""Files that share their blocks with the packs they come from, on file systems that copy a block when it is written to.

A second name for a file of the cache (a hard link) would be quicker still, and whoever edits the one would damage the
other; so where blocks cannot be shared, bytes are copied.
"""

import errno
import fcntl
import os
import struct
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from heptad.core.files import make_folder, writing

BLOCK = 4096
"""Bytes that file systems share as one. A piece can be shared that lies in its pack as it lies in its file, modulo
this; see `padding`."""
WORTH = 64 << 10
"""Files with fewer bytes are not laid out so: what lies between them would be worth more than what is shared."""
_CLONE, _CLONE_RANGE = 0x40049409, 0x4020940D
"""`FICLONE` and `FICLONERANGE`; see `man 2 ioctl_ficlonerange`."""
_REASONS = {
    errno.EXDEV: "it is on another file system than the workspace",
    errno.EOPNOTSUPP: "the file system shares no blocks between files; btrfs and XFS do",
    errno.ENOTTY: "the file system shares no blocks between files; btrfs and XFS do",
    errno.EINVAL: "the file system shares no blocks of 4 KiB",
    errno.EPERM: "the file system does not allow it",
}


def padding(filled: int, offset: int) -> int:
    """Bytes to leave out in a pack with `filled` bytes before a piece that begins at `offset` of its file.

    >>> padding(10_000, 0), padding(4096, 4096), padding(0, 5000)
    (2288, 0, 904)
    """
    return (offset - filled) % BLOCK


def shares_blocks(folder: Path) -> bool:
    """Whether files in a folder, which is made where it is not there, can share their blocks."""
    with writing(folder):
        make_folder(folder)
        with TemporaryFile(dir=folder) as one, TemporaryFile(dir=folder) as other:
            one.write(bytes(BLOCK))
            one.flush()
            try:
                fcntl.ioctl(other.fileno(), _CLONE, one.fileno())
            except OSError:
                return False
    return True


class Cloner:
    """Shares pieces of packs with files, and remembers why it could not: then nothing else is tried."""

    def __init__(self) -> None:
        self.bytes = 0
        """How many were shared."""
        self.refused = ""
        """Why nothing can be shared; empty where it can, or was not tried."""

    def may_share(self, start: int, offset: int, size: int) -> bool:
        """Whether a piece has whole blocks, where its pack and its file have theirs."""
        return not self.refused and (start - offset) % BLOCK == 0 and size >= BLOCK

    def share(self, pack: BinaryIO, start: int, file: int, offset: int, size: int) -> tuple[int, int]:
        """Let a file's bytes from `offset` be those of a pack from `start`; answers from where to where they are.

        Only whole blocks are; the rest is to be written. `(offset, offset)`: nothing is shared.
        """
        first, end = offset + padding(offset, 0), (offset + size) // BLOCK * BLOCK
        if not self.may_share(start, offset, size) or end <= first:
            return offset, offset
        try:
            wanted = struct.pack("=qQQQ", pack.fileno(), start + first - offset, end - first, first)
            fcntl.ioctl(file, _CLONE_RANGE, wanted)
        except OSError as error:
            self.refused = _REASONS.get(error.errno or 0, "the packs are no files on this machine")
            return offset, offset
        self.bytes += end - first
        return first, end


def write_all(file: int, data: bytes, offset: int) -> None:
    """Write bytes at a place of a file, however many calls it takes."""
    done = 0
    while done < len(data):
        done += os.pwrite(file, data[done:] if done else data, offset + done)
