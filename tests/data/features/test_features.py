"""The front door: declared, applied, materialised, read, compared, erased."""

from datetime import timedelta

import polars as pl
import pytest
from tests.data.features.conftest import MOMENT, START, Frames, OpenFeatures, at

from heptad.core.clock import ManualClock
from heptad.core.errors import ConflictError, NotFoundError, RefusedError, SettingsError
from heptad.core.leases import acquire
from heptad.core.workspace import Workspace
from heptad.data import FeatureSettings, MadeSettings
from heptad.data.features.features import Features
from heptad.data.features.leakage import TrainingSet
from heptad.data.features.pushing import PushedRows

READINGS = pl.DataFrame(
    {"g": ["a", "a", "b"], "t": [at(1), at(3), at(2)], "k": [at(1), at(9), at(2)], "v": [1, 2, 3]},
    schema={"g": pl.String, "t": MOMENT, "k": MOMENT, "v": pl.Int64},
)
PLACES = pl.DataFrame({"g": ["a", "b"], "name": ["here", "there"]})
WEATHER = FeatureSettings(
    source="readings",
    on=["g"],
    columns=["v"],
    known="k",
    ttl="30d",
    make={"total": MadeSettings(call="sum", of="v", window="5h")},
    owner="me",
    stream=True,
)
PLACE = FeatureSettings(source="places", on=["g"], columns=["name"])


@pytest.fixture
def frames() -> Frames:
    return Frames({"readings": READINGS, "places": PLACES})


@pytest.fixture
def features(open_features: OpenFeatures, frames: Frames, clock: ManualClock) -> Features:
    clock._now = START + timedelta(hours=5)
    return open_features(frames, weather=WEATHER, place=PLACE)


def test_from_declaring_to_reading(features: Features, clock: ManualClock) -> None:
    """Applied, brought in as it becomes known, and read with how fresh it is."""
    assert [(one.name, one.state, one.until) for one in features.status()] == [
        ("place", "not applied", None),
        ("weather", "not applied", None),
    ]
    features.apply()
    assert [(one.view, one.entities) for one in features.materialise()] == [("place", 2), ("weather", 2)]
    row = features.reader("weather", "place:name").read({"g": "a"})
    assert row.as_dict() == {"v": 1, "total": 1.0, "name": "here"}
    assert [one.age for one in row.freshness] == [4 * 3600.0, 0.0]
    clock.advance(timedelta(hours=5))
    assert [(one.view, one.entities) for one in features.materialise(["weather"])] == [("weather", 1)]
    assert features.reader().read({"g": "a"}).as_dict() == {"name": "here", "v": 2, "total": 3.0}
    (place, weather) = features.status()
    assert (weather.state, weather.version, weather.owner, weather.until, weather.behind) == (
        "in force",
        1,
        "me",
        at(10),
        0.0,
    )
    assert weather.features == ["v", "total"]
    assert place.behind == 5 * 3600.0


def test_the_training_side_of_the_same(features: Features) -> None:
    """A frame of entities and times gets the values that were known at each, of all views or of some."""
    entities = pl.DataFrame({"g": ["a", "b", "a"], "when": [at(5), at(1), at(9)], "y": [1, 0, 1]})
    whole = features.training_set(entities, time="when").collect()
    assert whole.rows() == [
        ("a", at(5), 1, 1, 1.0, "here"),
        ("b", at(1), 0, None, None, "there"),
        ("a", at(9), 1, 2, 3.0, "here"),
    ]
    assert features.training_set(entities.lazy(), views=["place"]).collect().columns == ["g", "when", "y", "name"]
    training = TrainingSet(rows=entities.lazy(), target="y", task="classification", features=[], time="when")
    found = {one.column: one.failing_rows for one in features.leaks(training) if one.expectation == "joined_as_known"}
    assert found == {"weather": 1}
    with pytest.raises(NotFoundError, match="did you mean 'weather'"):
        features.training_set(entities, time="when", views=["wether"])


def test_rows_are_pushed_into_a_view(features: Features, clock: ManualClock) -> None:
    """What is materialised and what is pushed are one history."""
    features.apply()
    features.materialise()
    with features.writer("weather") as writer:
        writer.push([{"g": "a", "t": at(4), "k": at(5), "v": 10}], position=b"1")
    clock.advance(timedelta(hours=1))
    assert features.reader("weather").read({"g": "a"}).as_dict() == {"v": 10, "total": 11.0}
    with pytest.raises(RefusedError, match="stream"), features.writer("place"):
        pass


@pytest.mark.parametrize("is_materialised", [True, False])
def test_rows_pushed_before_they_are_known(features: Features, clock: ManualClock, *, is_materialised: bool) -> None:
    """They are kept back; where an earlier version served them, parity says so and materialising puts it right."""
    features.apply()
    if is_materialised:
        features.materialise()
    early = READINGS.filter(pl.col("v") == 2)
    with features.writer("weather") as writer:
        assert writer.push(early) == PushedRows(entities=0, kept_back=1)
    reader = features.reader("weather:v")
    assert reader.read({"g": "a"}).as_dict() == {"v": 1 if is_materialised else None}
    with features.writer("weather") as writer:
        writer._clock = None
        writer.push(early)
    assert reader.read({"g": "a"}).as_dict() == {"v": 2}
    (compared,) = features.parity(["weather"])
    told = [(one.where, one.entity, one.at, one.feature, one.offline, one.online) for one in compared.first]
    assert ("stored", {"g": "a"}, at(5), "v", 1, 2) in told
    assert [(one.removed, one.entities) for one in features.materialise(["weather"])] == [(1, 2)]
    assert reader.read({"g": "a"}).as_dict() == {"v": 1}
    assert features.parity(["weather"])[0].different == 0
    clock.advance(timedelta(hours=5))
    assert [(one.removed, one.entities) for one in features.materialise(["weather"])] == [(0, 1)]
    assert features.reader("weather").read({"g": "a"}).as_dict() == {"v": 2, "total": 3.0}


def test_one_writer_at_a_time(features: Features, workspace: Workspace) -> None:
    """While somebody else writes a view, bringing it in is refused."""
    features.apply()
    acquire(workspace.store, "feature-writers:test", "place", timedelta(minutes=1), "somebody")
    with pytest.raises(ConflictError, match="somebody"):
        features.materialise(["place"])
    assert len(features.materialise(["weather"])) == 1


def test_both_sides_are_compared(features: Features) -> None:
    """Of every view in force."""
    features.apply()
    features.materialise()
    assert {(one.view, one.different) for one in features.parity()} == {("place", 0), ("weather", 0)}
    assert [one.view for one in features.parity(["weather"], entities=1, moments=1)] == ["weather"]


def test_a_view_does_what_it_was_applied_for(features: Features, frames: Frames) -> None:
    """Where its source's types changed, it is refused until that is applied; rows of the old definition stay."""
    features.apply()
    features.materialise()
    frames.frames["places"] = pl.DataFrame({"g": ["a"], "name": [7]})
    assert [one.state for one in features.status()] == ["changed", "in force"]
    for act in (features.materialise, features.parity):
        with pytest.raises(RefusedError, match="its source's types, changed"):
            act(["place"])
    old = features.reader("place")
    features.apply()
    features.materialise()
    assert features.reader("place").read({"g": "a"}).as_dict() == {"name": 7}
    assert old.read({"g": "b"}).as_dict() == {"name": "there"}


def test_views_are_declared_in_python_too(features: Features, open_features: OpenFeatures, frames: Frames) -> None:
    """For the process that declares them; another that does not would remove them, and says so first."""
    features.declare(more=FeatureSettings(source="readings", on=["g"], columns=["v"]))
    features.apply()
    assert sorted(features.registry.in_force()) == ["more", "place", "weather"]
    other = open_features(frames, weather=WEATHER, place=PLACE)
    assert [(one.name, one.action) for one in other.plan().to_do()] == [("more", "remove")]
    assert [one.state for one in other.status()] == ["no longer declared", "in force", "in force"]


def test_an_entity_is_forgotten(features: Features) -> None:
    """In every view, and in definitions that are no longer in force; the rows kept for windows too."""
    features.apply()
    features.materialise()
    features.declare(weather=FeatureSettings(source="readings", on=["g"], columns=["v"]))
    features.apply()
    features.materialise()
    assert features.forget({"g": "a"}) == 4
    assert features.reader("weather:v", "place").read({"g": "a"}).as_dict() == {"v": None, "name": None}
    assert features.forget({"g": "a"}) == 0
    assert features.reader("place").read({"g": "b"}).as_dict() == {"name": "there"}


def test_what_is_not_there_is_named(features: Features, open_features: OpenFeatures, frames: Frames) -> None:
    """Views, features and sources, with what there is."""
    with pytest.raises(NotFoundError, match="in force"):
        features.reader()
    with pytest.raises(NotFoundError, match="feature view in force 'weather'"):
        features.reader("weather")
    features.apply()
    with pytest.raises(NotFoundError, match="feature of the view weather"):
        features.reader("weather:temperature")
    for act in (features.materialise, features.parity):
        with pytest.raises(NotFoundError, match="did you mean 'place'"):
            act(["plac"])
    wrong = open_features(frames, other=FeatureSettings(source="reading", on=["g"], columns=["v"]))
    with pytest.raises(SettingsError, match="did you mean 'readings'"):
        wrong.plan()
