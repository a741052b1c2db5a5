"""A definition says what a view does; two are told apart setting by setting."""

from pathlib import Path
from typing import Any

import msgspec
import polars as pl
from tests.data.features.conftest import MOMENT

from heptad.core.records import canonical_json
from heptad.data import FeatureSettings, MadeSettings
from heptad.data.features.definitions import define, differences, settings_of
from heptad.data.features.records import FeatureView, TypedName
from heptad.data.features.views import View

SCHEMA = pl.Schema({"g": pl.String(), "t": MOMENT, "k": MOMENT, "v": pl.Int64()})


def definition(*, schema: pl.Schema = SCHEMA, root: Path | None = None, **more: Any) -> FeatureView:
    given = {"columns": ["v"]} | more
    view = View("shop", FeatureSettings(source="s", on=["g"], **given), time="t", root=root)
    return define(view, pl.LazyFrame(schema=schema))


def test_a_definition_holds_types_and_settings() -> None:
    """Those of the keys, of what features are made of, and of the features."""
    made = definition(make={"hour": MadeSettings(call="hour", of="t")}, known="k", owner="me", description="what for")
    assert made.entities == [TypedName("g", "text")]
    assert made.inputs == [TypedName("t", "datetime"), TypedName("k", "datetime"), TypedName("v", "integer")]
    assert made.features == [TypedName("v", "integer"), TypedName("hour", "integer")]
    assert (made.owner, made.description, made.time) == ("me", "what for", "t")
    assert made.settings["known"] == "k"


def test_behaviour_is_what_decides_values(tmp_path: Path) -> None:
    """Words about a view and its ttl do not; settings, code of the project and types of the source do."""
    plain = definition()
    assert definition(owner="me", description="x", ttl="5d").behaviour == plain.behaviour
    others = [
        definition(lag="1h"),
        definition(known="k"),
        definition(make={"a": MadeSettings(call="hour", of="t")}),
        definition(schema=pl.Schema({**SCHEMA, "v": pl.Float64()})),
    ]
    (tmp_path / "own.py").write_text("def f(a):\n    return a\n")
    own = {"make": {"a": MadeSettings(call="own:f", of="v")}}
    others.append(definition(root=tmp_path, **own))
    (tmp_path / "own.py").write_text("def f(a):\n    return a + 1\n")
    others.append(definition(root=tmp_path, **own))
    assert len({one.behaviour for one in (plain, *others)}) == 7


def test_differences_are_listed_setting_by_setting() -> None:
    """Also within `make`, and types that changed outside."""
    before = definition(make={"a": MadeSettings(call="hour", of="t")}, owner="me")
    after = definition(make={"a": MadeSettings(call="day", of="t"), "b": MadeSettings(call="year", of="t")}, ttl="1d")
    found = {one.field: (one.before, one.after) for one in differences(before, after)}
    assert found["owner"] == ("me", None)
    assert found["ttl"] == (None, "1d")
    assert found["make.a"][0]["call"] == "hour"
    assert found["make.b"][0] is None
    assert "features" in found
    retyped = definition(schema=pl.Schema({**SCHEMA, "v": pl.Float64()}))
    assert {one.field for one in differences(definition(), retyped)} == {"inputs", "features"}


def test_settings_come_back_in_their_order() -> None:
    """Also from a store that sorts what it keeps: a feature may be made of one before it."""
    make = {"z": MadeSettings(call="hour", of="t"), "a": MadeSettings(call="add", of="z", value=1.0)}
    made = definition(make=make)
    kept = msgspec.convert(msgspec.json.decode(canonical_json(made)), FeatureView)
    assert list(settings_of(kept).make) == ["z", "a"]
    assert settings_of(kept) == settings_of(made)
    other = definition(make={"a": make["z"], "z": MadeSettings(call="hour", of="t")})
    assert other.behaviour != definition(make=dict(reversed(settings_of(other).make.items()))).behaviour


def test_a_change_of_code_alone_is_named(tmp_path: Path) -> None:
    """Where every setting is the same, the code is not."""
    own = {"make": {"a": MadeSettings(call="own:f", of="v")}}
    (tmp_path / "own.py").write_text("def f(a):\n    return a\n")
    before = definition(root=tmp_path, **own)
    (tmp_path / "own.py").write_text("def f(a):\n    return a + 1\n")
    (one,) = differences(before, definition(root=tmp_path, **own))
    assert "code" in one.field
