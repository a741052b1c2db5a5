"""Servers read by the definitions in force, which are published as one file."""

from pathlib import Path

import msgspec
import pytest
from tests.data.features.conftest import at
from tests.data.features.test_reading import PLANE, WEATHER, put

from heptad.adapters.lmdb import LmdbStore
from heptad.core.clock import ManualClock
from heptad.core.errors import IntegrityError, RequestError
from heptad.data import OnlineSettings
from heptad.data.features.packing import micros
from heptad.data.features.publishing import FILE, PublishedFeatures, publish

ASKED = msgspec.json.encode({"features": ["weather:temp"], "entities": [{"origin": "JFK"}]})


@pytest.fixture
def features(tmp_path: Path) -> PublishedFeatures:
    return PublishedFeatures(tmp_path, ManualClock(at(3)))


def test_answers_follow_what_is_published(tmp_path: Path, features: PublishedFeatures) -> None:
    """Nothing, then a view, then another in its place; the same again writes nothing."""
    put(LmdbStore(f"lmdb://{tmp_path / 'online'}", "test"), WEATHER, ["JFK"], micros(at(2)), [20.5, 1.0])
    with pytest.raises(RequestError, match="No features are in force") as refused:
        features.answer(ASKED)
    assert refused.value.status == 404
    publish(tmp_path, "test", OnlineSettings(), [WEATHER, PLANE])
    assert msgspec.json.decode(features.answer(ASKED))["rows"][0]["values"] == [20.5]
    written = (tmp_path / FILE).stat().st_ino
    publish(tmp_path, "test", OnlineSettings(), [WEATHER, PLANE])
    assert (tmp_path / FILE).stat().st_ino == written
    publish(tmp_path, "test", OnlineSettings(), [PLANE])
    with pytest.raises(RequestError, match="no feature view in force 'weather'"):
        features.answer(ASKED)


def test_a_secret_is_named_in_the_file_and_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads the file learns where the store is, and not how to get in."""
    monkeypatch.setenv("PLACE", str(tmp_path / "elsewhere"))
    publish(tmp_path, "test", OnlineSettings(url="lmdb://${PLACE}"), [WEATHER])
    assert b"elsewhere" not in (tmp_path / FILE).read_bytes()
    put(LmdbStore(f"lmdb://{tmp_path / 'elsewhere'}", "test"), WEATHER, ["JFK"], micros(at(2)), [7.0, 1.0])
    answer = PublishedFeatures(tmp_path, ManualClock(at(3))).answer(ASKED)
    assert msgspec.json.decode(answer)["rows"][0]["values"] == [7.0]


def test_a_damaged_file_is_told_with_what_helps(tmp_path: Path, features: PublishedFeatures) -> None:
    """It is not taken for the absence of features."""
    (tmp_path / FILE).write_text("{")
    with pytest.raises(IntegrityError, match="heptad data features materialise"):
        features.answer(ASKED)
