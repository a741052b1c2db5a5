"""Folders of event files: every folder that holds some is a run, as TensorBoard has it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from heptad.core.errors import InputError, IntegrityError
from heptad.experiments.event_files.events import Decoder, Item
from heptad.experiments.event_files.framing import records_of
from heptad.experiments.event_files.wire import Message, WireError

MARK: Final = "tfevents"
"""What the name of every event file holds."""


class EventRun(NamedTuple):
    """A run as it lies in a folder: its name below the folder that was asked about, and its files, oldest first."""

    name: str
    folder: Path
    files: list[Path]

    def began(self) -> float:
        """When its first event was written, in seconds since 1970; 0 where there is none yet."""
        for record in records_of(self.files[0]):
            try:
                return Message(record).floating(1)
            except WireError as error:
                raise _no_event(self.files[0], 1, error) from error
        return 0.0

    def items(self) -> Iterator[Item]:
        """What its events say, file by file in their order.

        Raises `IntegrityError` naming the file and the place where it is damaged.
        """
        decoder = Decoder()
        for path in self.files:
            for number, record in enumerate(records_of(path), 1):
                try:
                    yield from decoder.items(record)
                except WireError as error:
                    raise _no_event(path, number, error) from error


def _no_event(path: Path, number: int, error: WireError) -> IntegrityError:
    return IntegrityError(
        f"Record {number:,} of {path} is no event: {error}.", remedy="import another copy of the file"
    )


def is_event_folder(folder: Path) -> bool:
    """Whether event files are in the folder or below it."""
    return folder.is_dir() and any(path.is_file() for path in folder.rglob(f"*{MARK}*"))


def event_runs(folder: Path) -> list[EventRun]:
    """The runs in the folder and below it, by name; raises `InputError` where there is none."""
    found: dict[Path, list[Path]] = {}
    for path in sorted(folder.rglob(f"*{MARK}*")) if folder.is_dir() else ():
        if path.is_file():
            found.setdefault(path.parent, []).append(path)
    if not found:
        raise InputError(
            f"There are no event files in {folder} and below it.",
            allowed=f"a folder of files whose names hold {MARK!r}, as TensorBoard reads them",
        )
    return [
        EventRun(where.relative_to(folder).as_posix() if where != folder else folder.resolve().name, where, files)
        for where, files in sorted(found.items())
    ]
