"""Reads the files of a journal for delivery, and lets go of those that are delivered."""

from collections.abc import Callable
from pathlib import Path

from heptad.core.errors import IntegrityError
from heptad.experiments.journal import entries
from heptad.experiments.journal.delivery import Delivery
from heptad.experiments.journal.entries import HEADER, MAGIC
from heptad.experiments.journal.journal import FILES, files_of
from heptad.experiments.journal.target import RunTarget

AT_ONCE = 8 << 20
"""Bytes of a journal that are read and shipped at a time."""


class Shipment(Delivery):
    """Delivers what is in the folder of a journal. Made anew over the same folder it begins at its start."""

    def __init__(self, folder: Path, target: Callable[[], RunTarget]) -> None:
        super().__init__(folder.name.rpartition(".")[0], target)
        self.folder = folder
        self._path: Path | None = None
        self._offset = 0

    def _step(self) -> bool:
        """Ship the next part of a file; goes on to the next file where this one has another behind it."""
        # Listed before reading: a file that has another one behind it now is not written to any more.
        files = files_of(self.folder)
        if self._path is None:
            if not files:
                return False
            self._path = files[0]
        path, newer = self._path, [one for one in files if one > self._path]
        with path.open("rb") as file:
            file.seek(self._offset)
            data = file.read(AT_ONCE)
        start = 0
        if not self._offset:
            if not data.startswith(MAGIC) or len(data) < HEADER:
                # The process died before the first line of the file was whole.
                return self._go_on(path, newer)
            self.file = data[len(MAGIC) : HEADER].decode().strip()
            start = HEADER
        found = list(entries.whole(data, start))
        if not found and len(data) == AT_ONCE:
            # An entry longer than one reading.
            data = path.read_bytes()[self._offset :]
            found = list(entries.whole(data, start))
        if not found:
            return self._go_on(path, newer)
        self._ship([(self._offset + end, entries.decoded(payload)) for end, payload in found])
        self._offset += found[-1][0]
        return True

    def _go_on(self, path: Path, newer: list[Path]) -> bool:
        """Let go of a file that another one follows; the one that is written to stays."""
        if not newer:
            return False
        path.unlink(missing_ok=True)
        self._path, self._offset, self._series = newer[0], 0, {}
        return True

    def _put(self, target: RunTarget, files: dict[str, str]) -> None:
        """Store files that lie beside the journal; those of an entry that was delivered before are gone from there."""
        staged = {digest: self.folder / FILES / digest for digest in files.values()}
        there = {digest: path for digest, path in staged.items() if path.is_file()}
        for digest, stored in zip(there, target.put(list(there.values())) if there else [], strict=True):
            if stored != digest:
                raise IntegrityError(f"A file of run {self.run} is not what it was when it was logged.")
        for path in there.values():
            path.unlink()
