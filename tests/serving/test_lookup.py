"""A row that gives only the keys of an entity is answered with the features that are online."""

import http.client
import json
import math
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.data.features.test_reading import put, view_of
from tests.serving.conftest import INPUTS, ROW, SIGNATURE, Shop

from heptad.adapters.lmdb import LmdbStore
from heptad.core.clock import ManualClock
from heptad.core.errors import RequestError, UnavailableError
from heptad.data import OnlineSettings, PublishedFeatures
from heptad.data.features.packing import micros
from heptad.data.features.publishing import publish
from heptad.data.features.records import TypedName
from heptad.serving import ServerProcess
from heptad.serving.http import Limits
from heptad.serving.log import PredictionLog
from heptad.serving.lookup import FeatureLookup
from heptad.training import Input

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SPENDING = view_of("spending", [TypedName("customer", "text")], ["x", "y"], ttl="1d")
WEATHER = view_of("weather", [TypedName("origin", "integer")], ["colour", "sunny", "at", "unused"])
GIVEN = {name: value for name, value in ROW.items() if name not in {"x", "y"}}
WHEN = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Looked:
    """A lookup over a store of its own, and a deployed model."""

    def __init__(self, shop: Shop, folder: Path) -> None:
        shop.publish(shop.route(1))
        self.snapshot, self.folder = shop.snapshot(), folder
        self.store = LmdbStore(f"lmdb://{folder / 'online'}", "tiny")
        publish(folder, "tiny", OnlineSettings(), [SPENDING, WEATHER])
        published = PublishedFeatures(folder, ManualClock(NOW))
        self.lookup = FeatureLookup(["spending", "weather"], lambda: published)
        put(self.store, SPENDING, ["c1"], micros(WHEN), [7.5, 3])
        put(self.store, WEATHER, [5], micros(WHEN), ["red", True, WHEN, 9.0])

    def fill(self, *rows: dict[str, Any]) -> tuple[list[dict[str, Any]], dict[int, list[str]]]:
        found = self.lookup.fill(self.snapshot, rows)
        return list(found.rows), dict(found.notes)


@pytest.fixture
def looked(shop: Shop, tmp_path: Path) -> Looked:
    return Looked(shop, tmp_path / "workspace")


def test_features_of_views_are_filled_in_and_keys_left_out(looked: Looked) -> None:
    """Those that a model takes; times as a request writes them; the rows that came are as they were."""
    row = {"customer": "c1", "origin": 5}
    (filled,), notes = looked.fill(row)
    assert filled == {"x": 7.5, "y": 3, "colour": "red", "sunny": True, "at": "2026-01-01T12:00:00+00:00"}
    assert notes == {}
    assert row == {"customer": "c1", "origin": 5}
    (filled,), _ = looked.fill(GIVEN | {"customer": "c1"})
    assert filled == GIVEN | {"x": 7.5, "y": 3}


def test_a_row_that_gives_values_itself_keeps_them(looked: Looked) -> None:
    """Of a view either all features are looked up, or none; keys that no model takes are left out all the same."""
    rows, notes = looked.fill(ROW, ROW | {"customer": "c1"}, GIVEN | {"customer": "c1", "x": 1.0}, GIVEN)
    assert rows == [ROW, ROW, GIVEN | {"x": 1.0}, GIVEN]
    assert notes == {}


def test_what_is_missing_or_stale_is_said_without_naming_anybody(looked: Looked) -> None:
    """Its features are missing then, as they were in training; others of the request are answered."""
    put(looked.store, SPENDING, ["old"], micros(NOW) - 2 * 86_400_000_000, [1.0, 1])
    rows, notes = looked.fill(*(GIVEN | {"customer": one} for one in ("nobody", "c1", "old")))
    assert [(one["x"], one["y"]) for one in rows] == [(None, None), (7.5, 3), (None, None)]
    assert notes == {
        0: ["spending: nothing is stored of this customer, so its features are missing"],
        2: ["spending: 172,800 s old, which is more than its ttl, so its features are missing"],
    }


def test_what_no_request_may_hold_is_missing(looked: Looked) -> None:
    """Not a number, and infinite ones, as they are for a model that learns."""
    put(looked.store, SPENDING, ["c2"], micros(WHEN), [math.nan, math.inf])
    (row,), _ = looked.fill(GIVEN | {"customer": "c2"})
    assert (row["x"], row["y"]) == (None, None)


def test_a_feature_whose_name_was_taken_has_that_of_its_view_before_it(shop: Shop, tmp_path: Path) -> None:
    """As in the table that the model learnt from."""
    named = msgspec.structs.replace(SIGNATURE, inputs=[*INPUTS, Input(name="spending_x", type="number")])
    looked = Looked(shop, tmp_path / "workspace")
    shop.publish(shop.route(2, signature=named))
    looked.snapshot = shop.snapshot()
    (row,), _ = looked.fill({"x": 1.0, "customer": "c1"})
    assert row == {"x": 1.0, "spending_x": 7.5, "y": 3}
    described = looked.lookup.describe(looked.snapshot)
    assert described == [
        {"view": "spending", "keys": ["customer"], "inputs": ["spending_x", "y"]},
        {"view": "weather", "keys": ["origin"], "inputs": ["colour", "sunny", "at"]},
    ]


def test_a_key_of_another_type_is_refused(looked: Looked) -> None:
    """Its field is named."""
    with pytest.raises(RequestError, match="names no entity of the view weather") as told:
        looked.fill({"customer": "c1", "origin": "JFK"})
    assert (told.value.status, told.value.field) == (422, "origin")


def test_a_view_that_is_not_in_force_is_only_missed_by_rows_that_need_it(looked: Looked) -> None:
    """Definitions may change while requests come."""
    publish(looked.folder, "tiny", OnlineSettings(), [WEATHER])
    assert looked.fill(ROW) == ([ROW], {})
    with pytest.raises(UnavailableError, match="The features of spending"):
        looked.fill(GIVEN | {"customer": "c1"})
    publish(looked.folder, "tiny", OnlineSettings(), [SPENDING, WEATHER])
    (row,), _ = looked.fill(GIVEN | {"customer": "c1"})
    assert row["x"] == 7.5


@pytest.fixture
def server(shop: Shop) -> Iterator[tuple[Shop, ServerProcess]]:
    shop.publish(shop.route(1))
    folder = shop.folder.path.parents[1]
    publish(folder, "tiny", OnlineSettings(), [SPENDING])
    put(LmdbStore(f"lmdb://{folder / 'online'}", "tiny"), SPENDING, ["c1"], micros(datetime.now(UTC)), [7.5, 3])
    limits = Limits(max_body=1 << 20, max_rows=2000, log_inputs=True, features=("spending",))
    with ServerProcess(shop.options(limits=limits)) as running:
        yield shop, running


def call(port: int, method: str, path: str, body: str | None = None) -> tuple[int, Any]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())


def ask(port: int, rows: list[dict[str, Any]], ids: list[str]) -> tuple[int, Any]:
    return call(port, "POST", "/api/v1/endpoints/tiny/predict", json.dumps({"rows": rows, "ids": ids}))


def test_a_server_answers_keys_and_logs_the_values_it_used(server: tuple[Shop, ServerProcess]) -> None:
    """The answer is that of the values; sent again it is the same one, whatever is online by then."""
    shop, running = server
    rows = [GIVEN | {"customer": "c1"}, GIVEN | {"x": 7.5, "y": 3}, GIVEN | {"customer": "nobody"}]
    status, reply = ask(running.port, rows, ["keys", "values", "nobody"])
    assert status == 200
    keys, values, nobody = reply["predictions"]
    assert (keys["score"], keys["warnings"]) == (values["score"], [])
    assert nobody["warnings"][0] == "spending: nothing is stored of this customer, so its features are missing"
    store = LmdbStore(f"lmdb://{shop.folder.path.parents[1] / 'online'}", "tiny")
    put(store, SPENDING, ["c1"], micros(datetime.now(UTC)), [-9.0, 1])
    assert ask(running.port, rows[:1], ["keys"])[1]["predictions"][0]["score"] == keys["score"]
    assert ask(running.port, rows[:1], ["later"])[1]["predictions"][0]["score"] != keys["score"]
    log = PredictionLog("tiny", shop.folder.journal, shop.folder.path / "predictions").scan()
    logged = {one["id"]: one for one in log.collect().to_dicts()}
    assert (logged["keys"]["inputs"]["x"], logged["keys"]["inputs"]["y"]) == (7.5, 3.0)
    assert logged["later"]["inputs"]["x"] == -9.0
    assert logged["nobody"]["warnings"][0].startswith("spending: ")
    status, reply = ask(running.port, [GIVEN], ["none"])
    assert status == 422
    assert reply["error"]["field"] == "x"
    described = call(running.port, "GET", "/api/v1/endpoints/tiny")[1]["looked_up"]
    assert described == [{"view": "spending", "keys": ["customer"], "inputs": ["x", "y"]}]
