"""Which kind of MLflow's places an address names."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from heptad.core.errors import InputError
from heptad.experiments.mlflow_import.database import DatabaseSource
from heptad.experiments.mlflow_import.folder import META, FolderSource
from heptad.experiments.mlflow_import.places import Places
from heptad.experiments.mlflow_import.server import ServerSource
from heptad.experiments.mlflow_import.source import MlflowSource

_SQLITE = b"SQLite format 3\0"
_SLASHES = "sqlite:///"


def open_mlflow(address: str, artifacts: Sequence[Path] = ()) -> MlflowSource | None:
    """The source at `http://HOST:PORT`, `sqlite:///PATH`, or a file or folder; `None` for a folder that is none.

    Files of runs are read below the folder that the address is in, and below `artifacts`. Raises `InputError` where
    there is nothing.
    """
    if address.startswith(("http://", "https://")):
        return ServerSource(address)
    path = _path(address)
    if path.is_file():
        with path.open("rb") as file:
            if file.read(len(_SQLITE)) != _SQLITE:
                raise InputError(f"{path} is no database of SQLite.", allowed="the mlflow.db of an MLflow server")
        return DatabaseSource(path, Places([path.parent, *artifacts]))
    if not path.is_dir():
        raise InputError(
            f"There is nothing at {address!r}.",
            allowed="http://HOST:PORT, sqlite:///PATH/mlflow.db, a folder mlruns, a folder of event files",
        )
    for folder in (path, path / "mlruns"):
        if any(folder.glob(f"*/{META}")):
            return FolderSource(folder, Places([folder, *artifacts]))
    return None


def _path(address: str) -> Path:
    if address.startswith(_SLASHES):
        return Path(address.removeprefix(_SLASHES))
    if address.startswith("file:"):
        return Path(unquote(urlsplit(address).path))
    return Path(address)
