"""Registered models of MLflow as external ones here: listed, named by aliases, downloadable; no gate has seen them."""

from collections.abc import Callable, Iterator
from functools import partial
from urllib.parse import urlsplit

import msgspec

from heptad.core.errors import ConflictError, HeptadError, InputError, NotFoundError
from heptad.core.query import All, Compare
from heptad.core.records import Id, Record
from heptad.core.workspace import Workspace
from heptad.experiments import LoggedModels, MlflowSource, SourceModel, SourceVersion, imported_run, kept_files
from heptad.release.models import Models
from heptad.release.records import ModelVersion, RegisteredModel
from heptad.release.versions import Versions

NUMBER = "mlflow.version"
"""Tag of a version that was taken over: its number in MLflow."""


class TakenModel(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one registered model of MLflow."""

    name: str
    versions: int
    new_versions: int
    """Those that were not here before."""
    files: int
    """Of the new ones."""
    left_out: list[str]
    """What could not be taken over, and why."""


def import_models(workspace: Workspace, source: MlflowSource, *, count_only: bool = False) -> Iterator[TakenModel]:
    """Take over every registered model, after the runs and the logged models.

    Done again, it adds what is new; see `import_mlflow`.
    """
    for found in source.models():
        if count_only:
            yield TakenModel(name=found.name, versions=len(found.versions), new_versions=0, files=0, left_out=[])
        else:
            yield _Model(workspace, source, found).take()


class _Model:
    def __init__(self, workspace: Workspace, source: MlflowSource, found: SourceModel) -> None:
        self._workspace, self._source, self._found = workspace, source, found
        self._versions = Versions(workspace)
        self._files = self._new = 0
        self._left: list[str] = []

    def take(self) -> TakenModel:
        found = self._found
        try:
            model = self._model()
        except HeptadError as error:
            self._left.append(error.problem)
            model = None
        if model is not None and model.body.origin != "external":
            self._left.append(f"{found.name} is the model of this project")
            model = None
        if model is not None:
            numbers = {one.number: self._version(one) for one in found.versions}
            known = self._versions.aliases(model)
            for alias, number in found.aliases.items():
                if alias not in known and number in numbers:
                    act = partial(self._versions.set_alias, found.name, alias, numbers[number])
                    self._try(f"alias {alias}", act)
        count = len(found.versions)
        return TakenModel(
            name=found.name, versions=count, new_versions=self._new, files=self._files, left_out=self._left
        )

    def _model(self) -> Record[RegisteredModel]:
        models, found = Models(self._workspace), self._found
        try:
            return models.create(found.name, found.description, found.tags)
        except ConflictError:
            return models.get(found.name)

    def _version(self, one: SourceVersion) -> int:
        """The number here of a version, which is added where it is new."""
        name = self._found.name
        # The number alone is not enough: another server may have given it to another model of this name.
        told = {"name": name, f"tags.{NUMBER}": str(one.number), "source": _shown(one.source)}
        where = All(tuple(Compare(key, "=", value) for key, value in told.items()))
        known = self._versions.search(where, (), 1).items
        if known:
            return known[0].body.version
        run, model = imported_run(self._workspace, one.run), self._logged_model(one.source)
        files = self._source.files(one)
        kept = {} if files is None else kept_files(self._workspace, files)
        if not kept:
            self._left.append(f"files of {name} version {one.number}: they are not where they can be read")
        version = ModelVersion(
            name=name,
            version=0,
            origin="external",
            source=_shown(one.source),
            run=run,
            run_link=_shown(one.run_link),
            logged_model=model,
            files=kept,
        )
        made_from = [(role, source) for role, source in (("run", run), ("logged_model", model)) if source]
        added = self._versions.add(version, one.description, one.tags | {NUMBER: str(one.number)}, made_from)
        self._new += 1
        self._files += len(kept)
        number = added.body.version
        if one.stage != "None":
            self._try(f"stage {one.stage}", partial(self._versions.stage, name, number, one.stage))
        return number

    def _logged_model(self, source: str) -> Id:
        """The logged model that a version was registered from, where that is here."""
        scheme, _, rest = source.partition(":/")
        if scheme != "models":
            return ""
        try:
            return LoggedModels(self._workspace).get(rest.strip("/").partition("/")[0], deleted=True).id
        except (NotFoundError, InputError):
            return ""

    def _try(self, what: str, act: Callable[[], object]) -> None:
        try:
            act()
        except HeptadError as error:
            self._left.append(f"{what}: {error.problem}")


def _shown(address: str) -> str:
    """An address as it may be kept and shown: one with a user name or a password is not."""
    return "" if "@" in urlsplit(address).netloc else address
