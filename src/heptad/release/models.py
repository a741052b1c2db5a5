"""Registered models: names under which versions are kept, this project's own ones and those that clients bring."""

from collections.abc import Iterator, Mapping, Sequence

from heptad.core import graph
from heptad.core.errors import ConflictError, InputError, NotFoundError, RefusedError
from heptad.core.query import All, Compare, Condition, Cursor, Order, Page, Query, equals
from heptad.core.records import AliasMove, Attribute, Change, Id, NewEvent, RawRecord, Record, Scalar
from heptad.core.workspace import Workspace
from heptad.release.records import ModelVersion, RegisteredModel

NAMES = "registered-models"
"""Scope of the aliases that let each name belong to one model."""
CHANGED = "release.model_changed"
LONGEST_NAME = 250
THERE = Compare("deleted", "exists", False)
_PAGE = 500


class Models:
    """The registered models of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def create(self, name: str, description: str, tags: Mapping[str, str]) -> Record[RegisteredModel]:
        """Register a name. Raises `ConflictError` where it is taken, `InputError` where it is none."""
        self.adopt()
        attributes: dict[str, Scalar] = {f"tags.{key}": value for key, value in tags.items()}
        if description:
            attributes["description"] = description
        return self._save(RegisteredModel(name=checked_model_name(name)), attributes)

    def find(self, name: str) -> Record[RegisteredModel] | None:
        """The model that is called so now."""
        return find_model(self._workspace, name)

    def get(self, name: str) -> Record[RegisteredModel]:
        """Raises `NotFoundError`."""
        found = self.find(name)
        if found is None:
            self.adopt()
            found = self.find(name)
        if found is None:
            query = Query(kind=RegisteredModel.kind, where=THERE, attributes=["name"])
            known = [str(one.attributes["name"]) for one in self._workspace.store.find(query, limit=20).items]
            raise NotFoundError("registered model", name, known)
        return found

    def rename(self, name: str, new: str) -> Record[RegisteredModel]:
        """Call a model, and with it all its versions, by another name. Raises `ConflictError` where that is taken."""
        model = self._external(name, "be renamed: heptad.toml says what it is called")
        if new == name:
            return model
        renamed = [model.id, *(version.id for version in self._versions(model))]
        values: dict[str, Scalar] = {"name": checked_model_name(new), "updated": now_of(self._workspace)}
        moves = [
            AliasMove(scope=NAMES, name=new, target=model.id, expected=0),
            AliasMove(scope=NAMES, name=name, target=None),
        ]
        try:
            self._workspace.store.write(
                Change(
                    attributes=[Attribute(one, key, value) for one in renamed for key, value in values.items()],
                    aliases=moves,
                    expected=[Attribute(model.id, "name", name)],
                    events=[NewEvent(kind=CHANGED, subject=model.id, body={"name": new, "was": name})],
                    at=self._workspace.clock.now(),
                )
            )
        except ConflictError:
            raise _taken(new) from None
        return self.get(new)

    def change(self, name: str, values: Mapping[str, Scalar]) -> Record[RegisteredModel]:
        """Set attributes of a model (`None` removes one): its description, its tags."""
        write_changed(self._workspace, self.get(name).id, values, CHANGED, name)
        return self.get(name)

    def delete(self, name: str) -> None:
        """Give a name up. Its versions are hidden, and their aliases gone; what was recorded of them stays."""
        model = self._external(name, "be deleted: its versions are signed, and stay")
        versions = list(self._versions(model))
        moves = [
            AliasMove(scope=alias_scope(model), name=alias, target=None)
            for version in versions
            for alias in version.aliases
        ]
        gone = [model.id, *(version.id for version in versions)]
        self._workspace.store.write(
            Change(
                attributes=[Attribute(one, "deleted", True) for one in gone],
                aliases=[AliasMove(scope=NAMES, name=name, target=None), *moves],
                expected=[Attribute(model.id, "deleted", None)],
                events=[NewEvent(kind="release.model_deleted", subject=model.id, body={"name": name})],
                at=self._workspace.clock.now(),
            )
        )

    def search(
        self, where: Condition, order: Sequence[Order], limit: int, after: Cursor | None = None
    ) -> Page[Record[RegisteredModel]]:
        """Those that meet a condition, a page at a time."""
        self.adopt()
        query = Query(kind=RegisteredModel.kind, where=All((THERE, where)), order=order)
        page = self._workspace.store.find(query, after, limit)
        return Page([graph.typed(one, RegisteredModel) for one in page.items], page.after)

    def adopt(self) -> None:
        """Let versions that came out of the gates be found here too: give them a model, and what searches ask for."""
        new = Query(kind=ModelVersion.kind, where=Compare("created", "exists", False))
        for raw in list(_all(self._workspace, new)):
            version = graph.typed(raw, ModelVersion)
            values: dict[str, Scalar] = {
                "name": self._own_name(version.body.name),
                "stage": "None",
                "created": int(version.at.timestamp() * 1000),
                "source": f"heptad:{version.body.label}",
            }
            values |= {"run": version.body.run} if version.body.run else {}
            write_changed(self._workspace, version.id, values, CHANGED, version.body.name)

    def _own_name(self, registry: str) -> str:
        """The name of the project's own model, or the next that is free where a client's model has it."""
        called, number = registry, 1
        while True:
            found = self.find(called)
            if found is None:
                try:
                    self._save(RegisteredModel(name=called, origin="heptad", registry=registry), {})
                except ConflictError:
                    continue
                return called
            if found.body.registry == registry:
                return called
            number += 1
            called = f"{registry}-{number}"

    def _save(self, body: RegisteredModel, attributes: Mapping[str, Scalar]) -> Record[RegisteredModel]:
        now = now_of(self._workspace)
        try:
            return graph.save(
                self._workspace,
                body,
                scope=self._workspace.name,
                attributes={**attributes, "name": body.name, "created": now, "updated": now},
                aliases=[AliasMove(scope=NAMES, name=body.name, target="@", expected=0)],
                event="release.model_registered",
                event_body={"name": body.name},
            )
        except ConflictError:
            raise _taken(body.name) from None

    def _external(self, name: str, what: str) -> Record[RegisteredModel]:
        model = self.get(name)
        if model.body.origin != "external":
            raise RefusedError(f"{name} is the model of this project, and cannot {what}.", remedy="use heptad release")
        return model

    def _versions(self, model: Record[RegisteredModel]) -> Iterator[Record[ModelVersion]]:
        query = Query(kind=ModelVersion.kind, scopes=[version_scope(model)])
        return (graph.typed(raw, ModelVersion) for raw in _all(self._workspace, query))


def find_model(workspace: Workspace, name: str) -> Record[RegisteredModel] | None:
    """The registered model that is called so now."""
    if not name or len(name) > LONGEST_NAME:
        return None
    return graph.find_alias(workspace, NAMES, name, RegisteredModel)


def version_scope(model: Record[RegisteredModel]) -> str:
    """The scope of the records of a model's versions."""
    return model.body.registry or model.id


def numbered_version(workspace: Workspace, model: Record[RegisteredModel], number: int) -> Record[ModelVersion] | None:
    """The version of a model that has the number, where it was not deleted."""
    # Asked for nearly every call about a version: equal values alone are a fixed statement, what else is not.
    query = Query(kind=ModelVersion.kind, scopes=[version_scope(model)], where=equals(version=number))
    found = graph.find(workspace, ModelVersion, query)
    return next((one for one in found if "deleted" not in one.attributes), None)


def alias_scope(model: Record[RegisteredModel]) -> str:
    """The scope of the aliases that point at a model's versions."""
    return f"model:{version_scope(model)}"


def checked_model_name(name: str) -> str:
    """The name, where a model may be called so; raises `InputError`."""
    if not name.strip():
        raise InputError("A registered model needs a name.", allowed="a name that is not empty and not blank")
    if name in {".", ".."}:
        raise InputError(f"Invalid model name {name!r}. In a path it would mean a folder, not a model.")
    if set("/:") & set(name):
        raise InputError(f"Invalid model name {name[:200]!r}. Names cannot contain '/' or ':'.")
    if len(name) > LONGEST_NAME or len(name.encode()) > 2 * LONGEST_NAME:
        raise InputError(f"The model name {name[:50]!r}... is too long.", allowed=f"{LONGEST_NAME} characters")
    return name


def write_changed(workspace: Workspace, record: Id, values: Mapping[str, Scalar], event: str, name: str) -> None:
    """Set attributes of a model or version, and say when."""
    changed = {**values, "updated": now_of(workspace)}
    workspace.store.write(
        Change(
            attributes=[Attribute(record, key, value) for key, value in changed.items()],
            events=[NewEvent(kind=event, subject=record, body={"name": name, "changed": sorted(values)})],
            at=workspace.clock.now(),
        )
    )


def now_of(workspace: Workspace) -> int:
    """Milliseconds since 1970."""
    return int(workspace.clock.now().timestamp() * 1000)


def _taken(name: str) -> ConflictError:
    return ConflictError(f"Registered Model (name={name}) already exists.", remedy="choose another name")


def _all(workspace: Workspace, query: Query) -> Iterator[RawRecord]:
    after = None
    while True:
        page = workspace.store.find(query, after, _PAGE)
        yield from page.items
        after = page.after
        if after is None:
            return
