"""What an erasure has to know until it is done, in a private file: the only place where it says whose rows go.

Records and events must not hold it. A keyed digest instead would not do: values are looked for in files and in a
database that know nothing of it, and once the rows are gone, their predictions and scores could not be told any more.
The file lies beside the rows themselves, is readable by its owner alone, no backup takes it along, and it is deleted
when everything else is.
"""

import fcntl
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from heptad.core.errors import ConflictError, IntegrityError
from heptad.core.faults import boundary
from heptad.core.files import locked, make_folder, sync_folder, write_atomically
from heptad.core.workspace import Workspace
from heptad.data import FoundRows, Subjects

FOLDER = Path("keys", "erasing")
"""Below the workspace, with its private keys."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """An erasure that is not done. `token` names its file, and gives its record the same id whenever it is made."""

    token: str
    subjects: Subjects
    """With the pseudonyms of those who have some."""
    people: int
    reason: str
    asked_at: datetime
    actor: str
    retrain: bool
    rows: FoundRows
    entities: list[Subjects] = []
    """Those of online features that only they have; once the rows are gone, they could not be told any more."""
    unsure: list[str] = []
    """Columns of entities of which that is not known."""
    predictions: list[str]
    """Ids of their predictions."""
    artifacts: list[str]
    """What held their rows; deleted when no record mentions it any more."""
    found: dict[str, int]
    sources: dict[str, int | None]

    def values(self) -> list[str]:
        """Everything by which a trace of them could be recognised."""
        # A shop that is a part of what they are known by is everybody's.
        alone = [one for one in self.entities if len(one.columns) == 1]
        own = {text for people in (self.subjects, *alone) for key in people.keys for text in key}
        own.update(self.rows.ids, self.predictions, *self.rows.traces.values())
        return sorted(own)

    def entity_counts(self) -> dict[str, int]:
        """Columns to how many entities are theirs."""
        return {", ".join(one.columns): len(one.keys) for one in self.entities}


class Jobs:
    """The erasures of a workspace that are not done."""

    def __init__(self, workspace: Workspace) -> None:
        self._folder = workspace.folder / FOLDER

    def keep(self, job: Job) -> None:
        """Survives `kill -9` and a power cut when this returns; to be called within `one_erasure`."""
        write_atomically(self._path(job.token), msgspec.json.encode(job), mode=0o600)

    @contextmanager
    def one_erasure(self) -> Generator[None]:
        """One erasure at a time: raises `ConflictError` while another process is at one; a dead one holds up nobody."""
        make_folder(self._folder.parent.parent)
        self._folder.parent.mkdir(mode=0o700, exist_ok=True)
        make_folder(self._folder)
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(self._folder / "lock", fcntl.LOCK_EX | fcntl.LOCK_NB))
            except BlockingIOError as error:
                raise ConflictError(
                    "Another process is erasing in this workspace.", remedy="wait until it is done"
                ) from error
            yield

    def remove(self, job: Job) -> None:
        """Overwrite the file, as far as the file system lets one, and delete it."""
        path = self._path(job.token)
        boundary("erasure.before_end")
        with path.open("r+b") as file:
            file.write(b"\0" * path.stat().st_size)
        path.unlink()
        sync_folder(self._folder)
        boundary("erasure.after_end")

    def __iter__(self) -> Iterator[Job]:
        """Oldest first; what a killed process left half-written is removed."""
        if not self._folder.is_dir():
            return
        for leftover in self._folder.glob(".*"):
            leftover.unlink(missing_ok=True)
        jobs = [job for path in self._folder.glob("*.json") if (job := _read(path)) is not None]
        yield from sorted(jobs, key=lambda job: job.asked_at)

    def _path(self, token: str) -> Path:
        return self._folder / f"{token}.json"


def _read(path: Path) -> Job | None:
    data = path.read_bytes()
    if not data.strip(b"\0"):
        path.unlink()  # its end was cut off between the last two acts
        return None
    try:
        return msgspec.json.decode(data, type=Job)
    except msgspec.DecodeError as error:
        raise IntegrityError(
            f"The erasure in {path} cannot be read: {error}.", remedy="delete the file, and erase them again"
        ) from error
