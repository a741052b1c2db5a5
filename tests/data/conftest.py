"""A front door of step 1 over files that a test writes."""

from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl
import pytest

from heptad.core.settings import ProjectSettings, StoreSettings
from heptad.core.workspace import Workspace, open_workspace
from heptad.data import (
    CleanSettings,
    Data,
    DataSettings,
    ExpectSettings,
    FeatureSettings,
    LabellingSettings,
    SourceSettings,
)
from heptad.data.assembling import assembly, inputs
from heptad.data.versions import tables

Open = Callable[..., Data]


@pytest.fixture
def open_data(workspace: Workspace) -> Open:
    """Opens step 1 of the project `test`; a source that is not given is the file `rows.csv`."""

    def opened(
        data: DataSettings,
        *,
        sources: Mapping[str, SourceSettings] | None = None,
        clean: CleanSettings | None = None,
        expect: ExpectSettings | None = None,
        features: Mapping[str, FeatureSettings] | None = None,
        project: ProjectSettings | None = None,
        labelling: LabellingSettings | None = None,
    ) -> Data:
        return Data(
            workspace,
            project or ProjectSettings(name="test"),
            dict(sources or {"rows": SourceSettings(uri="rows.csv")}),
            data,
            clean or CleanSettings(),
            expect or ExpectSettings(),
            dict(features or {}),
            labelling=labelling,
        )

    return opened


@pytest.fixture
def write(workspace: Workspace) -> Callable[..., Path]:
    """Writes a file into the project's folder: text, bytes, or a frame as CSV."""

    def written(content: str | bytes | pl.DataFrame, name: str = "rows.csv") -> Path:
        path = workspace.root / name
        if isinstance(content, pl.DataFrame):
            content.write_csv(path)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content)
        return path

    return written


@pytest.fixture
def open_at() -> Callable[[Path], Data]:
    """Opens step 1 of the project in a folder: `rows.csv` with key `k`, time `t`, target `y`."""

    def opened(folder: Path) -> Data:
        return Data(
            open_workspace(folder, "test", StoreSettings()),
            ProjectSettings(name="test"),
            {"rows": SourceSettings(uri="rows.csv")},
            DataSettings(target="y", key=["k"], time="t", label_delay="36h"),
            CleanSettings(),
            ExpectSettings(),
            {},
        )

    return opened


@pytest.fixture
def work_in_files(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From its call on tables are taken for larger than memory, and written a few rows a file."""

    def called() -> None:
        for module in (assembly, inputs):
            monkeypatch.setattr(module, "is_small", lambda *_: False)
        monkeypatch.setattr(tables, "FILE_BYTES", 1000)
        monkeypatch.setattr(tables, "AT_ONCE", 8)

    return called
