"""Definitions of views as they are recorded, and what is not the same between two of them."""

from collections.abc import Mapping
from typing import Any

import msgspec
import polars as pl

from heptad.core.errors import RefusedError
from heptad.core.records import canonical_json, digest_of
from heptad.data.columns.column_types import stored_type
from heptad.data.features.records import FeatureView, TypedName
from heptad.data.features.settings import FeatureSettings
from heptad.data.features.views import View

_TOLD_ONLY = {"owner", "description", "ttl"}
"""Settings that change no row of the online store."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One setting that is not what it was."""

    field: str
    before: Any = None
    after: Any = None


def settings_of(body: FeatureView) -> FeatureSettings:
    """The settings that a definition was made of; a store does not keep the order of `make`, the features tell it."""
    settings = msgspec.convert(body.settings, FeatureSettings)
    order = [one.name for one in body.features if one.name in settings.make]
    return msgspec.structs.replace(settings, make={name: settings.make[name] for name in order})


def differences(before: FeatureView, after: FeatureView) -> list[Difference]:
    """What is not the same, setting by setting; features of `make` one by one."""
    old, new = _flat(before.settings), _flat(after.settings)
    found = [
        Difference(field=field, before=old.get(field), after=new.get(field))
        for field in dict.fromkeys([*old, *new])
        if old.get(field) != new.get(field)
    ]
    for field in ("entities", "time", "inputs", "features"):
        one, other = msgspec.to_builtins(getattr(before, field)), msgspec.to_builtins(getattr(after, field))
        if one != other:
            found.append(Difference(field=field, before=one, after=other))
    if not found:
        found.append(Difference(field="code of functions of the project"))
    return found


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that are not what they are by default, `make` opened."""
    plain = msgspec.to_builtins(FeatureSettings(source="", on=[]))
    made = {f"make.{name}": one for name, one in settings.get("make", {}).items()}
    return {name: one for name, one in settings.items() if name != "make" and one != plain.get(name)} | made


def check_behaviour(view: View, body: FeatureView, source: pl.LazyFrame) -> None:
    """Raises `RefusedError` where a view would not do, with this source, what it was applied for."""
    if define(view, source).behaviour != body.behaviour:
        raise RefusedError(
            f"The view {view.name} would not do what it was applied for: its code, or its source's types, changed.",
            remedy="look at the difference and apply it: heptad data features apply",
        )


def define(view: View, source: pl.LazyFrame) -> FeatureView:
    """A view as it would be recorded, with the types that its source gives it now; nothing is read."""
    types = source.collect_schema()
    prepared = view.prepared(source).collect_schema()
    features = view.schema(prepared)
    settings: dict[str, Any] = msgspec.json.decode(canonical_json(msgspec.to_builtins(view.settings)))
    times = [name for name in (view.time, view.settings.known) if name]
    code = [step.code for step in view.steps if step.code]
    behaviour = {name: one for name, one in settings.items() if name not in _TOLD_ONLY}
    kinds = [[name, str(kind)] for name, kind in features.items()]
    return FeatureView(
        name=view.name,
        version=0,
        entities=[TypedName(name, stored_type(types[name]) or "text") for name in view.settings.on],
        time=view.time,
        inputs=[
            TypedName(name, stored_type(types[name]) or "text") for name in dict.fromkeys([*times, *view.inputs()])
        ],
        features=[TypedName(name, stored_type(kind) or "text") for name, kind in features.items()],
        settings=settings,
        behaviour=digest_of(canonical_json([view.name, view.time, behaviour, code, kinds])),
        owner=view.settings.owner,
        description=view.settings.description,
    )
