"""Versions of registered models: numbered, named by aliases, staged and tagged; external ones are added here."""

import re
from collections.abc import Mapping, Sequence

import msgspec

from heptad.core import graph
from heptad.core.errors import ConflictError, InputError, NotFoundError, RefusedError
from heptad.core.query import All, Compare, Condition, Cursor, Order, Page, Query
from heptad.core.records import AliasMove, Attribute, Change, Id, NewEvent, Record, Scalar
from heptad.core.workspace import Workspace
from heptad.release.mlflow_model import MODEL
from heptad.release.models import (
    CHANGED,
    THERE,
    Models,
    alias_scope,
    now_of,
    numbered_version,
    version_scope,
    write_changed,
)
from heptad.release.records import ModelVersion, RegisteredModel
from heptad.release.registry import ALIASES
from heptad.training import Candidate

STAGES = ("None", "Staging", "Production", "Archived")
ACTIVE = ("Staging", "Production")
_LATEST = "latest"
_ALIAS = re.compile(r"[\w\-]+")
_NUMBER = re.compile(r"[vV]\d+")
_LONGEST_ALIAS = 255


class Versions:
    """The versions of the registered models of one workspace, by name of the model and number."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._models = Models(workspace)

    def add(
        self, version: ModelVersion, description: str, tags: Mapping[str, str], made_from: Sequence[tuple[str, Id]] = ()
    ) -> Record[ModelVersion]:
        """Give an external version the next number of its model, and keep it.

        Raises `NotFoundError` where there is no such model, `RefusedError` where it is the project's own.
        """
        model = self._models.get(version.name)
        if model.body.origin != "external":
            raise RefusedError(
                f"{version.name} is the model of this project: its versions come out of its gates.",
                remedy="register this one under another name",
            )
        now = now_of(self._workspace)
        attributes: dict[str, Scalar] = {f"tags.{key}": value for key, value in tags.items()}
        attributes |= {"status": "registered", "stage": "None", "created": now, "updated": now}
        attributes |= {"name": version.name, "source": version.source}
        attributes |= {"description": description} if description else {}
        attributes |= {"run": version.run} if version.run else {}
        while True:  # each conflict means that another version got its number, so this ends
            latest = graph.find_alias(self._workspace, alias_scope(model), _LATEST, ModelVersion)
            taken = latest.aliases[_LATEST] if latest else 0
            numbered = msgspec.structs.replace(version, version=taken + 1)
            try:
                added = graph.save(
                    self._workspace,
                    numbered,
                    scope=version_scope(model),
                    made_from=[("model", model.id), *made_from],
                    attributes={**attributes, "version": numbered.version},
                    aliases=[AliasMove(scope=alias_scope(model), name=_LATEST, target="@", expected=taken)],
                    event="release.version_added",
                    event_body={"name": version.name, "version": numbered.label},
                )
            except ConflictError:
                continue
            write_changed(self._workspace, model.id, {}, CHANGED, version.name)
            return added

    def get(self, name: str, number: int) -> Record[ModelVersion]:
        """Raises `NotFoundError`."""
        return self._numbered(self._models.get(name), name, number)

    def _numbered(self, model: Record[RegisteredModel], name: str, number: int) -> Record[ModelVersion]:
        found = numbered_version(self._workspace, model, number)
        if found is None:
            raise NotFoundError("model version", f"{name}@{number}", remedy=f"list the versions of {name}")
        return found

    def named(self, name: str, alias: str) -> Record[ModelVersion]:
        """The version that an alias points at; raises `InputError` where the model has no such alias."""
        model = self._models.get(name)
        found = graph.find_alias(self._workspace, alias_scope(model), _known_alias(alias), ModelVersion)
        if found is None or alias == _LATEST:
            raise InputError(f"Registered model alias {alias} not found.")
        return found

    def set_alias(self, name: str, alias: str, number: int) -> None:
        """Let an alias point at a version. Those of the project's own loop are refused: the gates set them."""
        _check_alias(alias)
        model = self._free_alias(name, alias)
        version = self._numbered(model, name, number)
        self._move(model, alias, version.id, {f"alias.{alias}": number})

    def remove_alias(self, name: str, alias: str) -> None:
        """Do without an alias, where there is one."""
        model = self._free_alias(name, _known_alias(alias))
        if f"alias.{alias}" in model.attributes:
            self._move(model, alias, None, {f"alias.{alias}": None})

    def aliases(self, model: Record[RegisteredModel]) -> dict[str, int]:
        """Every alias of a model, with the number of its version."""
        found = {
            key.removeprefix("alias."): int(str(value))
            for key, value in model.attributes.items()
            if key.startswith("alias.")
        }
        if model.body.origin == "heptad":
            for alias in ALIASES:
                version = graph.find_alias(self._workspace, alias_scope(model), alias, ModelVersion)
                if version is not None and alias != _LATEST:
                    found[alias] = version.body.version
        return found

    def change(self, name: str, number: int, values: Mapping[str, Scalar]) -> Record[ModelVersion]:
        """Set attributes of a version (`None` removes one): its description, its tags."""
        version = self.get(name, number)
        write_changed(self._workspace, version.id, values, CHANGED, name)
        return self.get(name, number)

    def stage(self, name: str, number: int, stage: str, *, archive_others: bool = False) -> Record[ModelVersion]:
        """Say in which stage a version is, and, where asked, archive all others there. Nothing is deployed by it."""
        staged = canonical_stage(stage)
        if archive_others and staged not in ACTIVE:
            raise InputError(
                f"Others cannot be archived: {staged!r} is not an active stage.", allowed=", ".join(ACTIVE)
            )
        model = self._models.get(name)
        version = self._numbered(model, name, number)
        others: list[Record[ModelVersion]] = []
        if archive_others:
            where = All((Compare("stage", "=", staged), THERE))
            others = graph.find(
                self._workspace, ModelVersion, Query(kind=ModelVersion.kind, scopes=[version_scope(model)], where=where)
            )
        stages = {one.id: "Archived" for one in others} | {version.id: staged}
        now = now_of(self._workspace)
        values = [Attribute(one, "stage", to) for one, to in stages.items()]
        values += [Attribute(one, "updated", now) for one in (*stages, model.id)]
        self._workspace.store.write(
            Change(
                attributes=[*values, Attribute(model.id, "stages", True)],
                events=[NewEvent(kind=CHANGED, subject=version.id, body={"name": name, "stage": staged})],
                at=self._workspace.clock.now(),
            )
        )
        return self.get(name, number)

    def latest(self, model: Record[RegisteredModel], stages: Sequence[str] = ()) -> list[Record[ModelVersion]]:
        """The newest version in each of these stages, or in every stage."""
        wanted = [canonical_stage(one) for one in stages] or list(STAGES)
        if "stages" not in model.attributes:
            wanted = [one for one in wanted if one == "None"]
        found: list[Record[ModelVersion]] = []
        for stage in dict.fromkeys(wanted):
            where = All((Compare("stage", "=", stage), THERE))
            query = Query(
                kind=ModelVersion.kind,
                scopes=[version_scope(model)],
                where=where,
                order=[Order("version", descending=True)],
            )
            found += graph.find(self._workspace, ModelVersion, query, limit=1)
        return found

    def delete(self, name: str, number: int) -> None:
        """Hide a version of a client's model; its aliases go, its number is not given again."""
        model = self._models.get(name)
        version = self._numbered(model, name, number)
        if version.body.origin != "external":
            raise RefusedError(
                f"{version.body.label} is signed, and stays.", remedy=f"heptad release refuse {version.body.label}"
            )
        aliases = [one for one in version.aliases if one != _LATEST]
        self._workspace.store.write(
            Change(
                attributes=[
                    Attribute(version.id, "deleted", True),
                    *(Attribute(model.id, f"alias.{one}", None) for one in aliases),
                    Attribute(model.id, "updated", now_of(self._workspace)),
                ],
                aliases=[AliasMove(scope=alias_scope(model), name=one, target=None) for one in aliases],
                events=[NewEvent(kind="release.version_deleted", subject=version.id, body={"name": name})],
                at=self._workspace.clock.now(),
            )
        )

    def search(
        self, where: Condition, order: Sequence[Order], limit: int, after: Cursor | None = None
    ) -> Page[Record[ModelVersion]]:
        """Those that meet a condition, a page at a time."""
        self._models.adopt()
        query = Query(kind=ModelVersion.kind, where=All((THERE, where)), order=order)
        page = self._workspace.store.find(query, after, limit)
        return Page([graph.typed(one, ModelVersion) for one in page.items], page.after)

    def _free_alias(self, name: str, alias: str) -> Record[RegisteredModel]:
        model = self._models.get(name)
        if model.body.origin == "heptad" and alias in ALIASES:
            raise RefusedError(
                f"{alias!r} of {name} is set by what the gates and people decide.",
                remedy=f"heptad release promote {name}@NUMBER --reason '...', or choose another alias",
            )
        return model

    def _move(
        self, model: Record[RegisteredModel], alias: str, target: Id | None, values: Mapping[str, Scalar]
    ) -> None:
        self._workspace.store.write(
            Change(
                attributes=[Attribute(model.id, key, value) for key, value in values.items()],
                aliases=[AliasMove(scope=alias_scope(model), name=alias, target=target)],
                events=[NewEvent(kind=CHANGED, subject=model.id, body={"alias": alias, "version": target or ""})],
                at=self._workspace.clock.now(),
            )
        )


def files_of_version(workspace: Workspace, version: Record[ModelVersion]) -> dict[str, str]:
    """Name and digest of every file of a version: of ours the signed package, and what others need to use the model."""
    body = version.body
    if body.origin == "external":
        return body.files
    candidate = graph.load(workspace, body.candidate, Candidate).body
    return {
        f"{body.name}-{body.version}.zip": body.package,
        MODEL: candidate.model,
        "environment.json": candidate.environment,
        "profile.json": candidate.profile,
        **body.files,
    }


def canonical_stage(stage: str) -> str:
    """The stage as it is written, whatever the case; raises `InputError` for none."""
    for one in STAGES:
        if one.lower() == stage.lower():
            return one
    raise InputError(f"Invalid Model Version stage: {stage[:50]!r}.", allowed=", ".join(STAGES))


def _check_alias(alias: str) -> None:
    _known_alias(alias)
    if alias.lower() == _LATEST:
        raise InputError("'latest' alias name (case insensitive) is reserved.")
    if _NUMBER.fullmatch(alias):
        raise InputError(f"Version alias name '{alias}' is reserved.")


def _known_alias(alias: str) -> str:
    if not alias:
        raise InputError("Registered model alias name cannot be empty.")
    if len(alias) > _LONGEST_ALIAS or len(alias.encode()) > 2 * _LONGEST_ALIAS or not _ALIAS.fullmatch(alias):
        raise InputError(
            f"Invalid alias name: {alias[:50]!r}.",
            allowed=f"letters, digits, underscores and dashes, {_LONGEST_ALIAS} at most",
        )
    return alias
