"""A request's bytes become a reply's bytes, or an error with its HTTP status."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.data.features.conftest import at
from tests.data.features.test_reading import WEATHER, put

from heptad.adapters.lmdb import LmdbStore
from heptad.core.clock import ManualClock
from heptad.core.errors import RequestError
from heptad.data.features.packing import micros
from heptad.data.features.reading import FeatureReader, split_reference
from heptad.data.features.wire import MOST_ENTITIES, FeatureRequests


@pytest.fixture
def opened() -> list[Sequence[str]]:
    """What readers were opened for."""
    return []


@pytest.fixture
def requests(tmp_path: Path, opened: list[Sequence[str]]) -> FeatureRequests:
    store = LmdbStore(f"lmdb://{tmp_path}", "test")
    put(store, WEATHER, ["JFK"], micros(at(2)), [20.5, float("nan")])

    def open_reader(references: Sequence[str]) -> FeatureReader:
        opened.append(references)
        views = [split_reference(one, ["weather"]) for one in references]
        return FeatureReader(store, ManualClock(at(3)), [(WEATHER, features) for _, features in views])

    return FeatureRequests(open_reader)


def asked(requests: FeatureRequests, **request: Any) -> dict[str, Any]:
    answer: dict[str, Any] = msgspec.json.decode(requests.answer(msgspec.json.encode(request)))
    return answer


def test_features_are_answered_with_how_fresh_they_are(requests: FeatureRequests) -> None:
    """A row for each entity in order; what is no number is null."""
    found = asked(requests, features=["weather"], entities=[{"origin": "JFK"}, {"origin": "LAX"}])
    assert found["names"] == ["temp", "wind"]
    assert [row["values"] for row in found["rows"]] == [[20.5, None], [None, None]]
    known, missing = (row["freshness"][0] for row in found["rows"])
    assert (known["state"], known["age"], known["event"]) == ("fresh", 3600.0, micros(at(2)))
    assert (missing["state"], missing["age"]) == ("missing", None)


def test_a_reader_is_kept_for_each_list_of_features(requests: FeatureRequests, opened: list[Sequence[str]]) -> None:
    """Until it is said that other definitions are in force."""
    for features in (["weather"], ["weather:temp"], ["weather"]):
        asked(requests, features=features, entities=[{"origin": "JFK"}])
    assert opened == [("weather",), ("weather:temp",)]
    requests.forget()
    asked(requests, features=["weather"], entities=[{"origin": "JFK"}])
    assert len(opened) == 3
    for number in range(250):
        requests._readers[(str(number),)] = requests._readers["weather",]
    asked(requests, features=["weather:wind"], entities=[{"origin": "JFK"}])
    assert len(requests._readers) == 1


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        (b"{", 400, "not JSON"),
        (b"\xff", 400, "not JSON"),
        (b"[]", 422, "another shape"),
        (b'{"features": ["weather"]}', 422, "another shape"),
        (b'{"features": ["weather"], "entities": [{"origin": ["JFK"]}]}', 422, "another shape"),
        (b'{"features": ["weather"], "entities": [], "more": 1}', 422, "another shape"),
        (b'{"features": ["weather"], "entities": []}', 422, "asks 1 features of 0 entities"),
        (b'{"features": [], "entities": [{"origin": "JFK"}]}', 422, "asks 0 features"),
        (b'{"features": ["wether"], "entities": [{"origin": "JFK"}]}', 404, "'wether'"),
        (b'{"features": ["weather:tmp"], "entities": [{"origin": "JFK"}]}', 404, "'tmp'"),
        (b'{"features": ["weather"], "entities": [{"dest": "JFK"}]}', 422, "no 'origin'"),
    ],
)
def test_what_cannot_be_answered_says_why(requests: FeatureRequests, body: bytes, status: int, problem: str) -> None:
    """Each with the status that a transport passes on."""
    with pytest.raises(RequestError, match=problem) as caught:
        requests.answer(body)
    assert caught.value.status == status
    assert caught.value.allowed


def test_too_many_entities_are_refused(requests: FeatureRequests) -> None:
    """A request has a limit."""
    with pytest.raises(RequestError, match="1,001 entities"):
        asked(requests, features=["weather"], entities=[{"origin": "JFK"}] * (MOST_ENTITIES + 1))
