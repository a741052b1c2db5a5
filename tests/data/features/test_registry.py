"""The registry shows the difference first, forgets nothing, and keeps what is in use."""

from collections.abc import Callable
from datetime import timedelta

import polars as pl
import pytest
from tests.data.features.test_definitions import SCHEMA, definition

from heptad.core import graph
from heptad.core.clock import ManualClock
from heptad.core.errors import ConflictError, NotFoundError, RefusedError
from heptad.core.events import verify
from heptad.core.records import AliasMove, Attribute, Body, Change, Record
from heptad.core.workspace import Workspace
from heptad.data import FeatureSettings
from heptad.data.features.joins import Values
from heptad.data.features.records import FeatureView
from heptad.data.features.registry import Registry


@pytest.fixture
def registry(workspace: Workspace) -> Registry:
    return Registry(workspace, "test")


def named(view: FeatureView, name: str) -> FeatureView:
    return FeatureView(**{field: getattr(view, field) for field in view.__struct_fields__} | {"name": name})


def apply(registry: Registry, **desired: FeatureView) -> list[Record[FeatureView]]:
    return registry.apply(registry.plan(desired))


def actions(registry: Registry, **desired: FeatureView) -> dict[str, str]:
    return {change.name: change.action for change in registry.plan(desired).changes}


def test_a_plan_shows_and_changes_nothing(registry: Registry, workspace: Workspace) -> None:
    """What would be added, changed, removed and kept; and whether rows have to be made anew."""
    shop = definition()
    apply(registry, shop=shop, old=named(shop, "old"), told=named(shop, "told"))
    events = len(workspace.store.follow(0))
    plan = registry.plan(
        {"shop": definition(lag="1h"), "told": named(definition(owner="me"), "told"), "new": named(shop, "new")}
    )
    assert {one.name: (one.action, one.remakes_rows) for one in plan.changes} == {
        "shop": ("change", True),
        "told": ("change", False),
        "new": ("add", True),
        "old": ("remove", False),
    }
    assert [one.field for one in plan.changes[2].differences] == ["lag"]
    assert len(workspace.store.follow(0)) == events
    assert sorted(registry.in_force()) == ["old", "shop", "told"]


def test_applying_is_one_transaction_and_done_again_changes_nothing(registry: Registry, workspace: Workspace) -> None:
    """The same plan written twice, as after a crash, leaves one record and one event a change."""
    plan = registry.plan({"shop": definition(), "other": named(definition(), "other")})
    first, second = registry.apply(plan), registry.apply(plan)
    assert [one.id for one in first] == [one.id for one in second]
    kinds = [event.kind for event in workspace.store.follow(0)]
    assert kinds == ["data.feature_view_applied"] * 2
    assert actions(registry, shop=definition(), other=named(definition(), "other")) == {"shop": "keep", "other": "keep"}
    assert registry.apply(registry.plan({"shop": definition(), "other": named(definition(), "other")})) == second


def test_nothing_is_forgotten(registry: Registry, workspace: Workspace) -> None:
    """Removed and replaced definitions stay as records; one that comes back is the record that it was."""
    (first,) = apply(registry, shop=definition())
    (second,) = apply(registry, shop=definition(lag="1h"))
    assert apply(registry) == []
    (back,) = apply(registry, shop=definition())
    assert back.id == first.id
    assert [(one.id, one.body.version) for one in registry.log("shop")] == [(second.id, 2), (first.id, 1)]
    assert [one.settings["lag"] for one in registry.definitions()] == ["1h", "0s"]
    assert verify(workspace.store) == len(workspace.store.follow(0))
    with pytest.raises(NotFoundError, match="shop"):
        registry.log("shp")


def test_a_plan_that_somebody_else_overtook_is_refused(registry: Registry) -> None:
    """Also where the other changed another view; then nothing of it is in force."""
    apply(registry, shop=definition())
    mine = registry.plan({"shop": definition(lag="1h")})
    apply(registry, shop=definition(), other=named(definition(), "other"))
    with pytest.raises(ConflictError, match="Somebody else"):
        registry.apply(mine)
    assert {name: one.body.settings["lag"] for name, one in registry.in_force().items()} == {
        "shop": "0s",
        "other": "0s",
    }


def test_projects_do_not_see_each_other(registry: Registry, workspace: Workspace) -> None:
    """Two projects in one store have views of one name, each its own."""
    apply(registry, shop=definition())
    other = Registry(workspace, "other")
    assert other.in_force() == {}
    assert actions(other, shop=definition()) == {"shop": "add"}


class _Used(Body, frozen=True, kw_only=True):
    name: str = "m"
    version: int = 1
    endpoint: str = "m"
    generation: int = 1


def _kind(kind: str) -> type[_Used]:
    return type(kind, (_Used,), {"kind": kind, "prefix": kind.replace("_", "")}, frozen=True, kw_only=True)


@pytest.fixture
def use(workspace: Workspace) -> Callable[[str], str]:
    """Makes a data set of a view's record, a candidate, a registered model version and its deployment."""

    def used(view: str) -> str:
        dataset = graph.save(workspace, _kind("dataset_version")(), scope="test", made_from=[("feature", view)])
        graph.save(workspace, _kind("dataset_version")(version=2), scope="test", made_from=[("previous", dataset.id)])
        candidate = graph.save(workspace, _kind("candidate")(), scope="test", made_from=[("data", dataset.id)])
        model = graph.save(
            workspace,
            _kind("model_version")(),
            scope="test",
            made_from=[("candidate", candidate.id)],
            attributes={"status": "registered"},
        )
        move = AliasMove(scope="serving:m", name="current", target="@")
        graph.save(workspace, _kind("deployment")(), scope="test", made_from=[("live", model.id)], aliases=[move])
        return model.id

    return used


def test_who_uses_a_view_is_found_along_the_links(registry: Registry, use: Callable[[str], str]) -> None:
    """Data sets made with it, what was learnt of them, and where that answers; a later data set without it is none."""
    (view,) = apply(registry, shop=definition())
    assert registry.users("shop") == []
    use(view.id)
    found = {user.kind: (user.label, user.is_live) for user in registry.users("shop")}
    assert found == {
        "dataset_version": ("dataset_version m@1", False),
        "candidate": (found["candidate"][0], False),
        "model_version": ("model_version m@1", True),
        "deployment": ("deployment m generation 1", True),
    }
    apply(registry, shop=definition(lag="1h"))
    assert len(registry.users("shop")) == 4


def test_a_view_in_use_is_not_removed(registry: Registry, use: Callable[[str], str], workspace: Workspace) -> None:
    """The refusal lists who uses it; a reason, or the end of the use, lets it go, and the reason is kept."""
    (view,) = apply(registry, shop=definition())
    model = use(view.id)
    with pytest.raises(RefusedError, match=r"shop by model_version m@1, deployment m generation 1") as caught:
        apply(registry)
    assert "--reason" in caught.value.remedy
    assert sorted(registry.in_force()) == ["shop"]
    registry.apply(registry.plan({}), reason="the model goes today")
    event = workspace.store.follow(0)[-1]
    assert (event.kind, event.subject) == ("data.feature_view_removed", view.id)
    assert event.body["reason"] == "the model goes today"
    assert event.body["in_use_by"] == "model_version m@1, deployment m generation 1"
    apply(registry, shop=definition())
    retire = Change(
        attributes=[Attribute(model, "status", "retired")],
        aliases=[AliasMove(scope="serving:m", name="current", target=None)],
    )
    workspace.store.write(retire)
    assert apply(registry) == []


def test_what_was_used_is_recorded_without_being_in_force(registry: Registry, clock: ManualClock) -> None:
    """A table is linked to the definitions it was made with, applied or not; they are numbered together."""
    source = pl.LazyFrame(schema=SCHEMA)
    values = [
        Values(
            name="shop", settings=FeatureSettings(source="s", on=["g"], columns=["v"], lag=lag), rows=source, time="t"
        )
        for lag in ("0s", "1h")
    ]
    first = registry.record_used(values)
    clock.advance(timedelta(days=1))
    assert registry.record_used(values) == first
    assert registry.in_force() == {}
    (applied,) = apply(registry, shop=definition(lag="1h"))
    assert applied.id == first[1]
    assert [one.body.version for one in registry.log("shop")] == [2, 1]
    assert applied.body.version == 2
