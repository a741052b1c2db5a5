"""A workspace: the store, the artifacts, the tables and the clock that every step is handed."""

from dataclasses import dataclass
from pathlib import Path

from heptad.core import catalogue
from heptad.core.artifacts import BlobStore
from heptad.core.clock import Clock, open_clock
from heptad.core.secrets import reveal
from heptad.core.settings import StoreSettings
from heptad.core.store import Store

FOLDER, CACHE = ".heptad", "cache"


@dataclass(frozen=True)
class Workspace:
    """Where one project keeps everything. `folder` is the `.heptad` folder of the project at `root`."""

    root: Path
    name: str
    store: Store
    blobs: BlobStore
    clock: Clock

    @property
    def folder(self) -> Path:
        return self.root / FOLDER

    @property
    def tables(self) -> Path:
        """Where Delta tables are kept, one folder each."""
        return self.folder / "tables"

    @property
    def cache(self) -> Path:
        """Where copies are kept that can be fetched or computed again; no backup holds them."""
        return self.folder / CACHE


def open_workspace(root: Path, name: str, settings: StoreSettings, clock: Path | None = None) -> Workspace:
    """Open the workspace of the project at `root`, made where there is none yet.

    `clock` is the file of a shared clock; without it the machine's clock is used. Errors:
    `WorkspaceError` for a folder that cannot be written and for a schema newer than this program.
    """
    folder = root.resolve() / FOLDER
    store_url = reveal(settings.url) or f"sqlite:///{folder / 'heptad.db'}"
    blobs_url = reveal(settings.artifacts) or f"file://{folder / 'artifacts'}"
    return Workspace(
        root=root.resolve(),
        name=name,
        store=catalogue.find("store", store_url.split(":", 1)[0].split("+", 1)[0])(store_url),
        blobs=catalogue.find("blobs", blobs_url.split(":", 1)[0])(blobs_url),
        clock=open_clock(clock),
    )
