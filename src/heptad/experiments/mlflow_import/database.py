"""The SQLite database of an MLflow server, read as it is, also while that server writes."""

import math
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from heptad.core.errors import DataError, UnavailableError
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

_AT_ONCE = 500
_DATASETS = """
SELECT i.destination_id AS run, i.input_uuid, d.name, d.digest, d.dataset_source_type, d.dataset_source,
       d.dataset_schema, d.dataset_profile
FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id
WHERE i.source_type = 'DATASET' AND i.destination_type = 'RUN' AND i.destination_id IN ({})
"""
_OUTPUTS = """
SELECT source_id AS run, destination_id AS model, step FROM inputs
WHERE source_type = 'RUN_OUTPUT' AND destination_type = 'MODEL_OUTPUT' AND source_id IN ({})
"""
_LOGGED = """
SELECT * FROM logged_models WHERE experiment_id = ? AND lifecycle_stage != 'deleted'
ORDER BY creation_timestamp_ms, model_id
"""
_STATUS = {2: "ready", 3: "failed"}


class DatabaseSource:
    """See `MlflowSource`."""

    def __init__(self, path: Path, places: Places) -> None:
        self._path, self._places = path, places
        self._database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        self._database.row_factory = sqlite3.Row
        if not self._asked("SELECT name FROM sqlite_master WHERE name IN ('runs', 'metrics')"):
            self.close()
            raise DataError(f"{path} is no database of MLflow.", allowed="the mlflow.db of an MLflow server")

    def experiments(self) -> Iterator[SourceExperiment]:
        for row in self._asked("SELECT experiment_id, name, lifecycle_stage FROM experiments ORDER BY experiment_id"):
            tags = self._tags("SELECT key, value FROM experiment_tags WHERE experiment_id = ?", row["experiment_id"])
            deleted = row["lifecycle_stage"] == "deleted"
            yield SourceExperiment(id=str(row["experiment_id"]), name=row["name"], deleted=deleted, tags=tags)

    def runs(self, experiment: SourceExperiment) -> Iterator[SourceRun]:
        statement = "SELECT * FROM runs WHERE experiment_id = ? ORDER BY start_time, run_uuid"
        rows = self._asked(statement, int(experiment.id))
        for start in range(0, len(rows), _AT_ONCE):
            part = rows[start : start + _AT_ONCE]
            ids = [row["run_uuid"] for row in part]
            params, tags = self._beside("params", ids), self._beside("tags", ids)
            datasets, outputs = self._datasets(ids), self._outputs(ids)
            for row in part:
                run = row["run_uuid"]
                yield SourceRun(
                    id=run,
                    name=row["name"] or tags.get(run, {}).get("mlflow.runName", ""),
                    status=(row["status"] or "running").lower(),
                    started=row["start_time"] or 0,
                    ended=row["end_time"],
                    deleted=row["lifecycle_stage"] == "deleted",
                    user=row["user_id"] or "",
                    artifacts=row["artifact_uri"] or "",
                    params=params.get(run, {}),
                    tags=tags.get(run, {}),
                    datasets=datasets.get(run, ()),
                    model_outputs=outputs.get(run, {}),
                )

    def series(self, run: SourceRun) -> Iterator[Series]:
        statement = "SELECT key, step, value, timestamp, is_nan FROM metrics WHERE run_uuid = ? ORDER BY key, rowid"
        for key, rows in groupby(self._asked(statement, run.id), lambda row: str(row["key"])):
            points = list(rows)
            values = [math.nan if row["is_nan"] else float(row["value"]) for row in points]
            yield Series(key, [row["step"] for row in points], values, [row["timestamp"] for row in points])

    def logged_models(self, experiment: SourceExperiment) -> Iterator[SourceLoggedModel]:
        if not self._is_of_mlflow_3():
            return
        for row in self._asked(_LOGGED, int(experiment.id)):
            model = row["model_id"]
            params = "SELECT param_key AS key, param_value AS value FROM logged_model_params WHERE model_id = ?"
            tags = "SELECT tag_key AS key, tag_value AS value FROM logged_model_tags WHERE model_id = ?"
            metrics = self._asked("SELECT * FROM logged_model_metrics WHERE model_id = ? ORDER BY rowid", model)
            yield SourceLoggedModel(
                id=model,
                name=row["name"],
                created=row["creation_timestamp_ms"],
                updated=row["last_updated_timestamp_ms"],
                status=_STATUS.get(row["status"], "pending"),
                type=row["model_type"] or "",
                run=row["source_run_id"] or "",
                artifacts=row["artifact_location"] or "",
                params=self._tags(params, model),
                tags=self._tags(tags, model),
                metrics=[_metric(one) for one in metrics],
            )

    def files(self, owner: SourceRun | SourceLoggedModel | SourceVersion) -> Iterator[SourceFile] | None:
        if isinstance(owner, SourceVersion):
            return self._files_of_version(owner)
        return self._places.files(owner.artifacts)

    def models(self) -> Iterator[SourceModel]:
        for row in self._asked("SELECT name, description FROM registered_models ORDER BY name"):
            name = row["name"]
            aliases = self._asked("SELECT alias, version FROM registered_model_aliases WHERE name = ?", name)
            yield SourceModel(
                name=name,
                description=row["description"] or "",
                tags=self._tags("SELECT key, value FROM registered_model_tags WHERE name = ?", name),
                aliases={one["alias"]: int(one["version"]) for one in aliases},
                versions=[self._version(one) for one in self._versions(name)],
            )

    def _files_of_version(self, version: SourceVersion) -> Iterator[SourceFile] | None:
        scheme, _, rest = version.place.partition(":/")
        owner, _, path = rest.strip("/").partition("/")
        tables = {
            "runs": ("runs", "artifact_uri", "run_uuid"),
            "models": ("logged_models", "artifact_location", "model_id"),
        }
        if scheme not in tables:
            return self._places.files(version.place)
        table, column, key = tables[scheme]
        # The three names are from the table above.
        rows = self._asked(f"SELECT {column} AS place FROM {table} WHERE {key} = ?", owner)  # noqa: S608
        return self._places.files(f"{rows[0]['place']}/{path}".rstrip("/")) if rows else None

    def close(self) -> None:
        self._database.close()

    def _versions(self, name: str) -> list[sqlite3.Row]:
        statement = (
            "SELECT * FROM model_versions WHERE name = ? AND current_stage != 'Deleted_Internal' ORDER BY version"
        )
        return self._asked(statement, name)

    def _version(self, row: sqlite3.Row) -> SourceVersion:
        statement = "SELECT key, value FROM model_version_tags WHERE name = ? AND version = ?"
        return SourceVersion(
            model=row["name"],
            number=row["version"],
            source=row["source"] or "",
            run=row["run_id"] or "",
            run_link=row["run_link"] or "",
            description=row["description"] or "",
            stage=row["current_stage"] or "None",
            tags=self._tags(statement, row["name"], row["version"]),
            place=row["storage_location"] or row["source"] or "",
        )

    def _beside(self, table: str, runs: Sequence[str]) -> dict[str, dict[str, str]]:
        """Parameters or tags of some runs."""
        statement = f"SELECT run_uuid, key, value FROM {table} WHERE run_uuid IN ({_marks(runs)})"  # noqa: S608 - one of two names
        found: dict[str, dict[str, str]] = {}
        for row in self._asked(statement, *runs):
            found.setdefault(row["run_uuid"], {})[row["key"]] = row["value"] or ""
        return found

    def _datasets(self, runs: Sequence[str]) -> Mapping[str, list[SourceDataset]]:
        found: dict[str, list[SourceDataset]] = {}
        for row in self._asked(_DATASETS.format(_marks(runs)), *runs):
            statement = "SELECT name AS key, value FROM input_tags WHERE input_uuid = ?"
            one = SourceDataset(
                name=row["name"],
                digest=row["digest"],
                source_type=row["dataset_source_type"] or "",
                source=row["dataset_source"] or "",
                columns=row["dataset_schema"] or "",
                profile=row["dataset_profile"] or "",
                tags=self._tags(statement, row["input_uuid"]),
            )
            found.setdefault(row["run"], []).append(one)
        return found

    def _outputs(self, runs: Sequence[str]) -> dict[str, dict[str, int]]:
        """The logged models that some runs have made, with the steps."""
        found: dict[str, dict[str, int]] = {}
        if self._is_of_mlflow_3():
            for row in self._asked(_OUTPUTS.format(_marks(runs)), *runs):
                found.setdefault(row["run"], {})[row["model"]] = row["step"]
        return found

    def _is_of_mlflow_3(self) -> bool:
        return bool(self._asked("SELECT name FROM sqlite_master WHERE name = 'logged_models'"))

    def _tags(self, statement: str, *values: Any) -> dict[str, str]:
        return {row["key"]: row["value"] or "" for row in self._asked(statement, *values)}

    def _asked(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        try:
            return self._database.execute(statement, values).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error) or "no such column" in str(error):
                raise DataError(
                    f"{self._path} has not got what MLflow 2 and 3 have: {error}.",
                    remedy="mlflow db upgrade sqlite:///PATH brings an old one up to date",
                ) from None
            raise UnavailableError(f"{self._path} cannot be read now: {error}.", remedy="import again") from None
        except sqlite3.DatabaseError as error:
            raise DataError(f"{self._path} is no database that can be read: {error}.") from None


def _metric(row: sqlite3.Row) -> ModelMetric:
    value = row["metric_value"]
    return ModelMetric(
        row["metric_name"],
        math.nan if value is None else float(value),
        row["metric_timestamp_ms"],
        row["metric_step"],
        row["run_id"],
        row["dataset_name"] or "",
        row["dataset_digest"] or "",
    )


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))


_: type[MlflowSource] = DatabaseSource
