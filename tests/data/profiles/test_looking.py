"""One look at a file or a version."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from heptad.core.errors import DataError
from heptad.core.settings import ProjectSettings
from heptad.data import Data, DataSettings, Place, SourceSettings
from heptad.data.profiles.looking import Overview, look_at_file, look_at_version


def look(path: Path) -> Overview:
    return look_at_file(SourceSettings(uri=str(path)), Place(root=path.parent), ProjectSettings())


def test_a_file_is_read_as_a_source_would_be(tmp_path: Path) -> None:
    """Separators, marks for missing and types are understood, and strong correlations are noted."""
    path = tmp_path / "t.csv"
    lines = [f"{row};{2 * row};2024-01-{row % 28 + 1:02}" for row in range(50)]
    path.write_text("\n".join(["a;b;when", *lines]) + "\n")
    overview = look(path)
    assert (overview.name, overview.profile.rows) == ("t.csv", 50)
    kinds = {one.name: one.type for one in overview.profile.columns}
    assert kinds == {"a": "integer", "b": "integer", "when": "datetime"}
    assert [one.sentence for one in overview.notes if one.column == "a"][-1] == "goes with b: correlation +1.00"


def test_a_version_shows_the_profile_that_was_made_with_it(
    open_data: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """Repairs that the version counted are part of it."""
    write(pl.DataFrame({"a": [*range(40), None], "y": [row % 2 for row in range(41)]}))
    data = open_data(DataSettings(target="y"))
    version = data.collect()
    overview = look_at_version(version.body, data.scan(version), data.profile(version))
    assert overview.name == "test@1"
    assert overview.profile == data.profile(version)
    assert overview.repairs == version.body.repairs


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    """As a source would refuse it."""
    path = tmp_path / "t.csv"
    path.write_bytes(bytes(range(256)) * 20)
    with pytest.raises(DataError):
        look(path)
