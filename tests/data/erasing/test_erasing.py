"""Step 1 of an erasure through the front door: found, said, removed, kept out."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from tests.data.erasing.conftest import WHO, people

from heptad.data import CleanRule, CleanSettings, Data, DataSettings, FeatureSettings, SourceSettings


def opened(open_data: Callable[..., Data]) -> Data:
    return open_data(
        DataSettings(target="paid", key=["customer"], source="rows"),
        sources={"rows": SourceSettings(uri="rows.csv"), "shops": SourceSettings(uri="shops.csv")},
        features={"shop": FeatureSettings(source="shops", on=["customer"], columns=["shop"])},
    )


def test_they_leave_versions_and_features_and_do_not_come_back(
    open_data: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """Sources still hold them, which is said; neither a collection nor the online store gets them again."""
    write(people(30))
    write(people(30).select("customer", shop="town"), "shops.csv")
    data = opened(open_data)
    data.collect()
    data.features.apply()
    data.features.materialise()
    found = data.erasing.find(WHO)
    assert data.erasing.in_sources(WHO) == {"rows": 1, "shops": 1}
    assert data.erasing.in_features(WHO) == 1
    assert data.erasing.in_quarantine(WHO) == 0
    assert len(data.erasing.artifacts(found)) == 1
    assert data.erasing.forget(WHO, found, "erasure-1", datetime(2026, 1, 1, tzinfo=UTC)) == 1
    assert data.erasing.find(WHO).versions == {}
    write(people(40))
    again = opened(open_data)
    assert "cust-17" not in again.scan(again.collect()).collect()["customer"].to_list()
    again.features.materialise(afresh=True)
    assert again.erasing.in_features(WHO) == 0


def test_features_by_another_column_of_theirs_go_too(
    open_data: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """Where nobody else has it; a town is everybody's. A mask does not hide it while a source holds it."""
    write(people(30))
    write(people(30).select("email", nick=pl.format("nick of {}", "customer")), "nicks.csv")
    write(people(30).select("town").unique().with_columns(size=1.0), "towns.csv")

    def anew() -> Data:
        return open_data(
            DataSettings(target="paid", key=["customer"], source="rows"),
            sources={name: SourceSettings(uri=f"{name}.csv") for name in ("rows", "nicks", "towns")},
            features={
                "nick": FeatureSettings(source="nicks", on=["email"], columns=["nick"]),
                "town": FeatureSettings(source="towns", on=["town"], columns=["size"]),
            },
            clean=CleanSettings(columns={"email": CleanRule(mask=3)}),
        )

    data = anew()
    data.collect()
    data.features.apply()
    data.features.materialise()
    found, entities = data.erasing.find(WHO), data.erasing.entities(WHO)
    assert [one.parts() for one in entities.own] == [[{"email": "u17@mail.example"}]]
    assert entities.unsure == ["town"]
    assert data.erasing.in_sources(WHO, entities.own) == {"rows": 1, "nicks": 1}
    assert data.erasing.in_features(WHO, entities.own) == 1
    assert data.erasing.forget(WHO, found, "erasure-1", datetime(2026, 1, 1, tzinfo=UTC), entities.own) == 1
    again = anew()
    again.features.materialise(afresh=True)
    assert again.erasing.in_features(WHO, entities.own) == 0
    reader = again.features.reader("nick")
    assert reader.read({"email": "u17@mail.example"}).as_dict()["nick"] is None
    assert reader.read({"email": "u18@mail.example"}).as_dict()["nick"] == "nick of cust-18"
    assert again.features.reader("town").read({"town": "Zzyzx-on-Sea"}).as_dict()["size"] == 1.0


def test_a_source_that_cannot_be_read_is_named(open_data: Callable[..., Data], write: Callable[..., Path]) -> None:
    """Nobody knows whether they are in it."""
    write(people(30))
    write(people(30).select("customer", shop="town"), "shops.csv")
    data = opened(open_data)
    data.collect()
    write(b"", "shops.csv")
    assert opened(open_data).erasing.in_sources(WHO) == {"rows": 1, "shops": None}


def test_they_are_found_by_their_pseudonyms(
    open_data: Callable[..., Data], write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks knows the name; the table has what was made of it."""
    monkeypatch.setenv("PSEUDONYMS", "a key of more than sixteen characters")
    write(people(30))
    clean = CleanSettings(columns={"customer": CleanRule(pseudonym="${PSEUDONYMS}")})
    data = open_data(DataSettings(target="paid", key=["customer"]), clean=clean)
    version = data.collect()
    subjects = data.erasing.with_pseudonyms(WHO)
    assert len(subjects.keys) == 2
    found = data.erasing.find(subjects)
    assert found.versions == {version.id: 1}
    data.erasing.forget(subjects, found, "erasure-1", datetime(2026, 1, 1, tzinfo=UTC))
    write(people(31))
    assert data.collect().body.rows == 30
