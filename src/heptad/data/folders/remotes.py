"""Sends versions to a remote and fetches them: only what is missing there, several packs at once, each verified."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TypeAlias

import msgspec

from heptad.core import catalogue
from heptad.core.artifacts import BlobStore
from heptad.core.errors import IntegrityError, NotFoundError, SettingsError
from heptad.core.secrets import reveal
from heptad.data.folders.settings import RemoteSettings
from heptad.data.folders.stored import packs_of, read_root
from heptad.data.folders.storing import Tell, silent
from heptad.data.sources.credentials import refuse_secrets_in

AT_ONCE = 8
"""Packs on their way at a time; each takes a few megabytes of memory."""
Copy: TypeAlias = Callable[[str], int]


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent or fetched."""

    packs: int = 0
    bytes: int = 0
    there: int = 0
    """Packs that were there already."""


def open_remote(settings: RemoteSettings, root: Path, uri: str = "") -> BlobStore:
    """The artifacts at `uri`, or at `[remote] uri`; raises `SettingsError` where there is neither."""
    given = uri or settings.uri
    if not given:
        raise SettingsError(
            "Nothing says where data is pushed to and pulled from.",
            allowed='[remote] uri = "s3://BUCKET/PREFIX" or a folder, in heptad.toml; or --remote',
        )
    refuse_secrets_in(given, "remote")
    address = reveal(given)
    scheme, separator, _ = address.partition("://")
    if not separator or scheme == "file":
        place = Path(address.removeprefix("file://"))
        opened: BlobStore = catalogue.find("blobs", "file")(f"file://{(root / place.expanduser()).resolve()}")
        return opened
    remote: BlobStore = catalogue.find("blobs", scheme)(address, settings)
    return remote


def push(local: BlobStore, remote: BlobStore, version: str, tell: Tell = silent) -> Moved:
    """Send a version, named by its root's digest. The root is sent when all its packs are there: it says so."""
    packs = packs_of(read_root(local, version))
    return total(_copy_all(local, remote, packs, tell), _copy_all(local, remote, [version], tell))


def pull(local: BlobStore, remote: BlobStore, version: str, tell: Tell = silent) -> Moved:
    """Fetch a version; raises `NotFoundError` where it was never pushed, or not to its end."""
    try:
        root = read_root(local, version)
        first = Moved(there=1)
    except NotFoundError:
        root = read_root(remote, version)
        first = None
    moved = _copy_all(remote, local, packs_of(root), tell)
    return total(moved, first or _copy_all(remote, local, [version], tell))


def _copy_all(source: BlobStore, target: BlobStore, digests: Sequence[str], tell: Tell) -> Moved:
    """Copy those artifacts that are missing; what was copied before an error stays, and is not copied again."""

    def copy(digest: str) -> int:
        if _has(target, digest):
            return -1
        with source.open(digest) as stream:
            arrived = target.put(stream)
        if arrived != digest:
            raise IntegrityError(f"The artifact {digest} arrived as {arrived}.", remedy="do the same again")
        return target.size(digest)

    sizes: list[int] = []
    with ThreadPoolExecutor(AT_ONCE) as threads:
        waiting = [threads.submit(copy, one) for one in digests]
        try:
            for done in as_completed(waiting):
                size = done.result()
                sizes.append(size)
                tell("bytes", max(size, 0))
        except BaseException:
            threads.shutdown(wait=True, cancel_futures=True)
            raise
    new = [size for size in sizes if size >= 0]
    return Moved(packs=len(new), bytes=sum(new), there=len(sizes) - len(new))


def _has(blobs: BlobStore, digest: str) -> bool:
    try:
        return blobs.size(digest) >= 0
    except NotFoundError:
        return False


def total(*parts: Moved) -> Moved:
    return Moved(
        packs=sum(one.packs for one in parts),
        bytes=sum(one.bytes for one in parts),
        there=sum(one.there for one in parts),
    )
