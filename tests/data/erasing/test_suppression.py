"""Erased rows stay out while sources still hold them, and the list of them names nobody."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from heptad.data.erasing.subjects import subjects_of
from heptad.data.erasing.suppression import Suppression


def test_they_are_left_out_whatever_type_their_key_comes_as(tmp_path: Path) -> None:
    """As text, number, float or time; rows without a key stay."""
    suppression = Suppression(tmp_path)
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    assert suppression.without(pl.LazyFrame({"k": [1]})).collect().height == 1
    suppression.add(subjects_of(["k"], [["17"], [moment.isoformat()], ["true"], ["Ä b"]]))
    for values in ([17, 18, None], [17.0, 18.5, None], ["17", "018", None], [moment, moment.replace(day=3), None]):
        left = suppression.without(pl.LazyFrame({"k": values})).collect()["k"].to_list()
        assert left == values[1:]
    assert suppression.without(pl.LazyFrame({"k": [True, False]})).collect()["k"].to_list() == [False]
    assert suppression.without(pl.LazyFrame({"k": ["Ä b"], "x": [1]})).collect().is_empty()
    assert suppression.without(pl.LazyFrame({"other": ["17"]})).collect().height == 1


def test_keys_of_several_columns_count_together(tmp_path: Path) -> None:
    """Each column by itself says nothing."""
    suppression = Suppression(tmp_path)
    suppression.add(subjects_of(["shop", "customer"], [["a", "17"]]))
    rows = pl.LazyFrame({"customer": [17, 17, 18], "shop": ["a", "b", "a"]})
    assert suppression.without(rows).collect().rows() == [(17, "b"), (18, "a")]


def test_the_list_is_private_and_holds_no_key(tmp_path: Path) -> None:
    """Two workspaces have different digests of one key."""
    lists = []
    for name in ("one", "other"):
        suppression = Suppression(tmp_path / name)
        suppression.add(subjects_of(["email"], [["ann@mail.example"]]))
        suppression.add(subjects_of(["email"], [["bob@mail.example"]]))
        (path,) = (tmp_path / name).rglob("erased.json")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"mail.example" not in path.read_bytes()
        lists.append(path.read_bytes())
    assert lists[0] != lists[1]


def test_their_entities_are_left_out_of_features_alone(tmp_path: Path) -> None:
    """A row with the same e-mail may be somebody else's; a list of before has no entities."""
    suppression = Suppression(tmp_path)
    suppression.add(subjects_of(["person"], [["17"]]))
    (path,) = tmp_path.rglob("erased.json")
    path.write_bytes(path.read_bytes().replace(b',"entities":[]', b""))
    rows = pl.LazyFrame({"person": [17, 18, 19], "email": ["a@x", "a@x", "b@x"]})
    assert suppression.for_features(rows).collect()["person"].to_list() == [18, 19]
    suppression.add(subjects_of(["person"], [["17"]]), [subjects_of(["email"], [["a@x"]])])
    assert suppression.for_features(rows).collect()["person"].to_list() == [19]
    assert suppression.without(rows).collect()["person"].to_list() == [18, 19]
    assert b"a@x" not in path.read_bytes()
