"""A folder that MLflow keeps runs in (`mlruns`): a folder each, metrics as lines `TIME VALUE STEP`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from heptad.core.errors import DataError
from heptad.experiments.logged_models import ModelMetric
from heptad.experiments.mlflow_import.places import Places
from heptad.experiments.mlflow_import.source import (
    MlflowSource,
    Series,
    SourceDataset,
    SourceExperiment,
    SourceFile,
    SourceLoggedModel,
    SourceModel,
    SourceRun,
    SourceVersion,
)

META = "meta.yaml"
_STATUS = {1: "running", 2: "scheduled", 3: "finished", 4: "failed", 5: "killed"}
_MODEL_STATUS = {2: "ready", 3: "failed"}
_MODELS, _TRASH = "models", ".trash"
_LONGEST = 64 << 20


class FolderSource:
    """See `MlflowSource`."""

    def __init__(self, folder: Path, places: Places) -> None:
        self._folder, self._places = folder, places

    def experiments(self) -> Iterator[SourceExperiment]:
        for folder in [*_folders(self._folder), *_folders(self._folder / _TRASH)]:
            if folder.name != _MODELS:
                meta = _meta(folder)
                deleted = meta.get("lifecycle_stage") == "deleted"
                yield SourceExperiment(
                    id=str(meta["experiment_id"]), name=str(meta["name"]), deleted=deleted, tags=_texts(folder / "tags")
                )

    def runs(self, experiment: SourceExperiment) -> Iterator[SourceRun]:
        home = self._home(experiment)
        for folder in _folders(home):
            meta = _meta(folder)
            if "run_id" in meta:
                tags = _texts(folder / "tags")
                yield SourceRun(
                    id=str(meta["run_id"]),
                    name=str(meta.get("run_name") or tags.get("mlflow.runName", "")),
                    status=_status(meta.get("status")),
                    started=int(meta.get("start_time") or 0),
                    ended=meta.get("end_time"),
                    deleted=meta.get("lifecycle_stage") == "deleted",
                    user=str(meta.get("user_id") or ""),
                    artifacts=str(meta.get("artifact_uri") or folder / "artifacts"),
                    params=_texts(folder / "params"),
                    tags=tags,
                    metrics=[path.relative_to(folder / "metrics").as_posix() for path in _files(folder / "metrics")],
                    datasets=list(_datasets(home, folder)),
                    model_outputs={
                        str(made_of["destination_id"]): int(made_of.get("step") or 0)
                        for made_of in map(_meta, _folders(folder / "outputs"))
                    },
                )

    def series(self, run: SourceRun) -> Iterator[Series]:
        folder = self._run(run.id)
        for key in run.metrics:
            path = folder / "metrics" / key
            steps, values, times = [], [], []
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                parts = line.split()
                try:
                    time, value, step = int(parts[0]), float(parts[1]), int(parts[2]) if len(parts) > 2 else 0
                except (ValueError, IndexError):
                    raise _damaged(path, f"line {number} is no point: {line[:60]!r}") from None
                steps.append(step)
                values.append(value)
                times.append(time)
            yield Series(key, steps, values, times)

    def logged_models(self, experiment: SourceExperiment) -> Iterator[SourceLoggedModel]:
        for folder in _folders(self._home(experiment) / _MODELS):
            meta = _meta(folder)
            if meta.get("lifecycle_stage") != "deleted":
                metrics = folder / "metrics"
                yield SourceLoggedModel(
                    id=str(meta["model_id"]),
                    name=str(meta["name"]),
                    created=int(meta.get("creation_timestamp") or 0),
                    updated=int(meta.get("last_updated_timestamp") or 0),
                    status=_MODEL_STATUS.get(int(meta.get("status") or 0), "pending"),
                    type=str(meta.get("model_type") or ""),
                    run=str(meta.get("source_run_id") or ""),
                    artifacts=str(meta.get("artifact_location") or folder / "artifacts"),
                    params=_texts(folder / "params"),
                    tags=_texts(folder / "tags"),
                    metrics=[one for path in _files(metrics) for one in _metrics_of_model(path, metrics)],
                )

    def files(self, owner: SourceRun | SourceLoggedModel | SourceVersion) -> Iterator[SourceFile] | None:
        if isinstance(owner, SourceVersion):
            return self._files_of_version(owner)
        home = self._run(owner.id) if isinstance(owner, SourceRun) else self._model(owner.id)
        own = home / "artifacts"
        return self._places.files(str(own)) if own.is_dir() else self._places.files(owner.artifacts)

    def models(self) -> Iterator[SourceModel]:
        for folder in _folders(self._folder / _MODELS):
            meta = _meta(folder)
            name = str(meta["name"])
            yield SourceModel(
                name=name,
                description=str(meta.get("description") or ""),
                tags=_texts(folder / "tags"),
                aliases={alias: int(number) for alias, number in _texts(folder / "aliases").items()},
                versions=sorted((_version(name, one) for one in _folders(folder)), key=lambda one: one.number),
            )

    def _files_of_version(self, version: SourceVersion) -> Iterator[SourceFile] | None:
        scheme, _, rest = version.place.partition(":/")
        owner, _, path = rest.strip("/").partition("/")
        if scheme == "runs":
            return self._places.files(str(self._run(owner) / "artifacts" / path))
        if scheme == "models":
            return self._places.files(str(self._model(owner) / "artifacts" / path))
        return self._places.files(version.place)

    def close(self) -> None:
        """Nothing here is held."""

    def _home(self, experiment: SourceExperiment) -> Path:
        return next(
            one / experiment.id for one in (self._folder, self._folder / _TRASH) if (one / experiment.id).is_dir()
        )

    def _run(self, run: str) -> Path:
        return self._described(f"*/{Path(run).name}")

    def _model(self, model: str) -> Path:
        return self._described(f"*/{_MODELS}/{Path(model).name}")

    def _described(self, pattern: str) -> Path:
        homes = [one for place in (pattern, f"{_TRASH}/{pattern}") for one in self._folder.glob(place)]
        return next((one for one in homes if (one / META).is_file()), self._folder / "nowhere")


def _version(model: str, folder: Path) -> SourceVersion:
    meta = _meta(folder)
    return SourceVersion(
        model=model,
        number=int(meta["version"]),
        source=str(meta.get("source") or ""),
        run=str(meta.get("run_id") or ""),
        run_link=str(meta.get("run_link") or ""),
        description=str(meta.get("description") or ""),
        stage=str(meta.get("current_stage") or "None"),
        tags=_texts(folder / "tags"),
        place=str(meta.get("storage_location") or meta.get("source") or ""),
    )


def _datasets(experiment: Path, run: Path) -> Iterator[SourceDataset]:
    for folder in _folders(run / "inputs"):
        made_of = _meta(folder)
        if made_of.get("source_type") == "DATASET":
            meta = _meta(experiment / "datasets" / Path(str(made_of["source_id"])).name)
            yield SourceDataset(
                name=str(meta["name"]),
                digest=str(meta["digest"]),
                source_type=str(meta.get("source_type") or ""),
                source=str(meta.get("source") or ""),
                columns=str(meta.get("schema") or ""),
                profile=str(meta.get("profile") or ""),
                tags={str(key): str(value) for key, value in (made_of.get("tags") or {}).items()},
            )


def _metrics_of_model(path: Path, folder: Path) -> Iterator[ModelMetric]:
    """The lines of a file, `TIME VALUE STEP RUN` and, where there is one, the name and the digest of a data set."""
    key = path.relative_to(folder).as_posix()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        parts = line.split()
        try:
            time, value, step, run = int(parts[0]), float(parts[1]), int(parts[2]), parts[3]
        except (ValueError, IndexError):
            raise _damaged(path, f"line {number} is no metric of a model: {line[:60]!r}") from None
        dataset = (" ".join(parts[4:-1]), parts[-1]) if len(parts) > 5 else ("", "")
        yield ModelMetric(key, value, time, step, run, *dataset)


def _folders(folder: Path) -> list[Path]:
    """Those that MLflow describes."""
    return sorted(one.parent for one in folder.glob(f"*/{META}"))


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _texts(folder: Path) -> dict[str, str]:
    """Tags, parameters and the like: a file each, whose name may have folders."""
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in _files(folder)}


def _meta(folder: Path) -> dict[str, Any]:
    path = folder / META
    try:
        if path.stat().st_size > _LONGEST:
            raise _damaged(path, f"it has more than {_LONGEST:,} bytes")
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise _damaged(path, str(error).splitlines()[0]) from None
    if not isinstance(found, dict):
        raise _damaged(path, "it says nothing")
    return found


def _status(value: object) -> str:
    return _STATUS.get(value, "running") if isinstance(value, int) else str(value or "running").lower()


def _damaged(path: Path, why: str) -> DataError:
    return DataError(f"{path} is damaged: {why}.", remedy="mend or remove it, then import again: what is there stays")


_: type[MlflowSource] = FolderSource
