"""Views and rows that tests of features make, and the definition of a point-in-time join, row by row."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from heptad.core.workspace import Workspace
from heptad.data import FeatureSettings, OnlineSettings, SourceSettings
from heptad.data.features.features import Features

START = datetime(2020, 1, 1, tzinfo=UTC)
MOMENT = pl.Datetime("us", "UTC")


def at(hour: float) -> datetime:
    return START + timedelta(hours=hour)


class Frames:
    """Sources that are frames in memory; a test may replace them."""

    def __init__(self, frames: Mapping[str, pl.DataFrame]) -> None:
        self.frames = dict(frames)

    def source_rows(self, name: str) -> pl.LazyFrame:
        return self.frames[name].lazy()

    def landed_rows(self, _name: str) -> None:
        """None of them is a stream."""

    def source_digest(self, name: str) -> str:
        return str(self.frames[name].hash_rows().sum())


OpenFeatures = Callable[..., Features]


@pytest.fixture
def open_features(workspace: Workspace) -> OpenFeatures:
    """Opens the features of the project `test` over frames; every source has its time in `t`, where it has one."""

    def opened(frames: Frames, *, online: OnlineSettings | None = None, **views: FeatureSettings) -> Features:
        sources = {
            name: SourceSettings(uri=f"{name}.csv", time="t" if "t" in frame.columns else "")
            for name, frame in frames.frames.items()
        }
        return Features(workspace, "test", views, sources, online or OnlineSettings(), frames)

    return opened
