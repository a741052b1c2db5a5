"""Offline and online values are the same, and where they are not, the first differences are named."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.data.features.conftest import at

from heptad.adapters.lmdb import LmdbStore
from heptad.core.records import Record
from heptad.data import FeatureSettings, MadeSettings
from heptad.data.features.definitions import define
from heptad.data.features.materialising import materialise
from heptad.data.features.packing import namespace, pack, times_of, values_of
from heptad.data.features.parity import FIRST, Comparison, Parity
from heptad.data.features.pushing import FeatureWriter
from heptad.data.features.views import View

WINDOWS = {
    "total": MadeSettings(call="sum", of="v", window="30h"),
    "spread": MadeSettings(call="std", of="v", rows=5),
    "before": MadeSettings(call="lag", of="kind"),
    "hour": MadeSettings(call="hour", of="t"),
}


def source(rows: int = 400, entities: int = 30) -> pl.DataFrame:
    """Events of some entities, one in five known late; with nulls and numbers of very different size."""
    rng = np.random.default_rng(7)
    event = rng.integers(0, 200, rows)
    late = np.where(rng.random(rows) < 0.2, rng.integers(0, 50, rows), 1)
    return pl.DataFrame(
        {
            "g": [f"g{one}" for one in rng.integers(0, entities, rows)],
            "t": [at(float(hour)) for hour in event],
            "k": [at(float(hour)) for hour in event + late],
            "v": rng.normal(size=rows) * 10.0 ** rng.integers(-6, 12, rows),
            "kind": rng.choice(["x", "y", "z"], rows),
            "y": rng.random(rows) < 0.4,
        }
    ).with_columns(v=pl.when(pl.col("v").abs() > 1e-3).then("v"))


class Compared:
    """A view that is materialised and compared."""

    def __init__(self, folder: Path, rows: pl.DataFrame, **settings: Any) -> None:
        given = {"on": ["g"], "known": "k", "make": WINDOWS} | settings
        time = "" if given.pop("lookup", False) else "t"
        self.rows = rows
        self.view = View("shop", FeatureSettings(source="s", **given), time=time)
        self.body = define(self.view, rows.lazy())
        self.store = LmdbStore(f"lmdb://{folder}", "test")

    def bring(self, hour: float = 120) -> None:
        materialise(self.store, self.view, self.body, self.rows.lazy(), at(hour))

    def run(self, entities: int = 12, moments: int = 5) -> Parity:
        record = Record(id="x", kind="feature_view", scope="test", at=at(0), actor="me", body=self.body)
        return Comparison(self.view, record, self.rows.lazy(), None, at(300)).run(self.store, entities, moments)


def forge(compared: Compared) -> None:
    """Another value of each entity in the store, as new as the right one: the view's feature of `kind`."""
    place = next(place for place, one in enumerate(compared.view.outputs) if one in {"before", "kind"})
    for key, row in list(compared.store.scan(namespace("shop", compared.body.behaviour))):
        values = values_of(row)
        values[place] = "forged"
        compared.store.put([(key, pack(*times_of(row), values))])


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"make": {}, "columns": ["v", "kind", "t"], "ttl": "20h"},
        {"known": "", "lag": "3h"},
        {"stream": True, "ttl": "3d"},
        {"on": []},
        {"make": {"rate": MadeSettings(call="target_mean", of="kind", target="y", known="k"), **WINDOWS}},
        {"make": {"own": MadeSettings(call="frequency", of="kind"), "again": MadeSettings(call="lag", of="own")}},
    ],
    ids=["windows", "columns", "lag", "stream", "one series", "encoded", "chained"],
)
def test_both_sides_are_the_same(tmp_path: Path, settings: dict[str, Any]) -> None:
    """Step by step, pushed, and as stored; late rows, nulls, ttl and encodings among it."""
    compared = Compared(tmp_path, source(), **settings)
    compared.bring()
    found = compared.run()
    assert (found.different, found.first) == (0, [])
    assert found.stored_until == at(120)
    ways = 2 if settings.get("stream") else 1
    moments = len(found.moments)
    assert found.compared == (ways * moments + 1) * found.entities * len(compared.view.outputs)
    assert moments == 5 + bool(settings.get("ttl"))


def test_lookups_are_compared_too(tmp_path: Path) -> None:
    """They have one moment: now."""
    rows = source().unique("g").select("g", "v", "kind")
    compared = Compared(tmp_path, rows, lookup=True, known="", make={}, columns=["v", "kind"])
    compared.bring()
    assert compared.run().different == 0
    compared.rows = rows.with_columns(v=pl.lit(5.0))
    found = compared.run()
    assert {one.where for one in found.first} == {"stored"}
    assert found.different == found.entities


def test_a_difference_is_named(tmp_path: Path) -> None:
    """Which entity, feature and moment, and what each side says; of many, the first."""
    compared = Compared(tmp_path, source())
    compared.bring()
    forge(compared)
    found = compared.run(entities=100)
    assert found.different > FIRST - 5
    assert len(found.first) == min(FIRST, found.different)
    first = found.first[0]
    assert (first.where, first.feature, first.at, first.online) == ("stored", "before", at(120), "forged")
    assert first.offline in {"x", "y", "z", None}
    assert first.entity["g"].startswith("g")


def test_rows_that_were_slipped_into_the_past_are_a_difference(tmp_path: Path) -> None:
    """The store was materialised before they were there."""
    compared = Compared(tmp_path, source())
    compared.bring()
    late = source(50).with_columns(k=pl.col("t"), v=pl.lit(1.0)).filter(pl.col("t") < at(100))
    compared.rows = pl.concat([compared.rows, late])
    found = compared.run()
    assert found.different > 0
    assert {one.where for one in found.first} == {"stored"}


def test_what_was_never_materialised_is_only_replayed(tmp_path: Path) -> None:
    """It is said that the store holds nothing of it."""
    found = Compared(tmp_path, source()).run(entities=3, moments=2)
    assert found.stored_until is None
    assert (found.different, found.compared) == (0, 3 * 2 * 4)
    empty = Compared(tmp_path / "empty", source().clear()).run()
    assert (empty.entities, empty.compared) == (0, 0)


@pytest.mark.parametrize(
    "settings", [{}, {"make": {}, "columns": ["v", "kind"]}, {"on": []}], ids=["windows", "columns", "one series"]
)
def test_what_was_pushed_late_and_is_not_in_the_source_is_passed_over(tmp_path: Path, settings: dict[str, Any]) -> None:
    """Its entity alone, also where the row was known before the last materialisation; once it is there, it counts."""
    compared = Compared(tmp_path, source(), stream=True, **settings)
    compared.bring()
    whole = compared.run()
    newest = compared.rows.filter(pl.col("k") <= at(120), pl.col("v").is_not_null()).sort("t", "k").tail(1)
    late = newest.with_columns(v=pl.lit(4.0), t=pl.col("t") + pl.duration(minutes=1), k=at(119.5))
    FeatureWriter(compared.store, compared.view, compared.body).push(late)
    found = compared.run(entities=30)
    assert (found.different, found.first) == (0, [])
    assert compared.run().compared >= whole.compared - len(compared.view.outputs)
    compared.rows = pl.concat([compared.rows, late])
    assert compared.run(entities=30).different == 0
    forge(compared)
    assert compared.run(entities=30).different > 0
