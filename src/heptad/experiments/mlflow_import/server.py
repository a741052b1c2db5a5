"""An MLflow tracking server, read by its REST protocol; files come through it, as streams."""

import base64
import http.client
import json
import os
import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, BinaryIO, cast
from urllib.parse import quote, urlencode, urlsplit

from heptad.core.errors import DataError, InputError, UnavailableError
from heptad.experiments.logged_models import ModelMetric
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

SECONDS = 60.0
ATTEMPTS, PAUSE = 4, 0.5
"""How often a call is made while the server does not answer; the pause before the second, doubled each time."""
_POINTS, _RUNS, _MODELS, _VERSIONS = 25_000, 1000, 100, 1000
_PIECE = 1 << 20
_PROXY = "mlflow-artifacts"
_LOGGED = "logged-models/search"
_STATUS = {"LOGGED_MODEL_READY": "ready", "LOGGED_MODEL_UPLOAD_FAILED": "failed"}
_PASSING = {429, 500, 502, 503, 504}


class ServerSource:
    """See `MlflowSource`. Credentials are those that MLflow's own client takes from the environment."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.username is not None or parts.password is not None:
            raise InputError(
                "The address of a server may hold no user name and no password.",
                remedy="set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
            )
        if not parts.hostname or parts.query or parts.fragment:
            raise InputError(f"{address[:200]!r} is not the address of a server.", allowed="http://HOST:PORT")
        self._address, self._parts = address.rstrip("/"), parts
        self._headers = {"Content-Type": "application/json"} | _credentials(os.environ)
        self._kept: http.client.HTTPConnection | None = None

    def experiments(self) -> Iterator[SourceExperiment]:
        call = {"max_results": _RUNS, "view_type": "ALL"}
        for one in self._pages("POST", "experiments/search", call, "experiments"):
            deleted = one.get("lifecycle_stage") == "deleted"
            yield SourceExperiment(
                id=str(one["experiment_id"]), name=one["name"], deleted=deleted, tags=_pairs(one.get("tags"))
            )

    def runs(self, experiment: SourceExperiment) -> Iterator[SourceRun]:
        call = {"experiment_ids": [experiment.id], "max_results": _RUNS, "run_view_type": "ALL"}
        call["order_by"] = ["attributes.start_time ASC"]
        for one in self._pages("POST", "runs/search", call, "runs"):
            info, data = one["info"], one.get("data", {})
            tags = _pairs(data.get("tags"))
            ended = int(info.get("end_time") or 0)
            yield SourceRun(
                id=info["run_id"],
                name=info.get("run_name") or tags.get("mlflow.runName", ""),
                status=str(info.get("status", "RUNNING")).lower(),
                started=int(info.get("start_time") or 0),
                ended=ended or None,
                deleted=info.get("lifecycle_stage") == "deleted",
                user=info.get("user_id", ""),
                artifacts=info.get("artifact_uri", ""),
                params=_pairs(data.get("params")),
                tags=tags,
                metrics=[metric["key"] for metric in data.get("metrics", ())],
                datasets=[_dataset(given) for given in one.get("inputs", {}).get("dataset_inputs", ())],
                model_outputs={
                    given["model_id"]: int(given.get("step", 0))
                    for given in one.get("outputs", {}).get("model_outputs", ())
                },
            )

    def series(self, run: SourceRun) -> Iterator[Series]:
        for key in run.metrics:
            call = {"run_id": run.id, "metric_key": key, "max_results": _POINTS}
            points = list(self._pages("GET", "metrics/get-history", call, "metrics"))
            steps = [int(one.get("step", 0)) for one in points]
            values = [float(one.get("value", 0.0)) for one in points]
            yield Series(key, steps, values, [int(one.get("timestamp", 0)) for one in points])

    def logged_models(self, experiment: SourceExperiment) -> Iterator[SourceLoggedModel]:
        call = {"experiment_ids": [experiment.id], "max_results": _MODELS}
        for one in self._pages("POST", _LOGGED, call, "models"):
            info, data = one["info"], one.get("data", {})
            yield SourceLoggedModel(
                id=info["model_id"],
                name=info["name"],
                created=int(info.get("creation_timestamp_ms") or 0),
                updated=int(info.get("last_updated_timestamp_ms") or 0),
                status=_STATUS.get(str(info.get("status")), "pending"),
                type=info.get("model_type", ""),
                run=info.get("source_run_id", ""),
                artifacts=info.get("artifact_uri", ""),
                params=_pairs(data.get("params")),
                tags=_pairs(info.get("tags")),
                metrics=[_metric(metric) for metric in data.get("metrics", ())],
            )

    def files(self, owner: SourceRun | SourceLoggedModel | SourceVersion) -> Iterator[SourceFile] | None:
        if isinstance(owner, SourceVersion):
            return self._files_of_version(owner)
        return self._files_of_run(owner.id, "") if isinstance(owner, SourceRun) else self._files_at(owner.artifacts)

    def _files_of_run(self, run: str, folder: str) -> Iterator[SourceFile]:
        """Those below a folder of a run, by their paths below it."""

        def listed(path: str) -> Any:
            whole = f"{folder}/{path}".strip("/")
            call = {"run_id": run} | ({"path": whole} if whole else {})
            for one in self._pages("GET", "artifacts/list", call, "files"):
                yield {**one, "path": one["path"].removeprefix(f"{folder}/")}

        def fetched(path: str) -> str:
            return f"/get-artifact?{urlencode({'path': f'{folder}/{path}'.strip('/'), 'run_id': run})}"

        return self._below("", listed, fetched)

    def models(self) -> Iterator[SourceModel]:
        for one in self._pages("GET", "registered-models/search", {"max_results": _MODELS}, "registered_models"):
            name = str(one["name"])
            where = {"max_results": _VERSIONS, "filter": "name = '{}'".format(name.replace("'", "''"))}
            found = [
                version
                for version in self._pages("GET", "model-versions/search", where, "model_versions")
                if version["name"] == name
            ]
            aliases = one.get("aliases", ())
            yield SourceModel(
                name=name,
                description=one.get("description", ""),
                tags=_pairs(one.get("tags")),
                aliases={alias["alias"]: int(alias["version"]) for alias in aliases},
                versions=sorted(map(_version, found), key=lambda version: version.number),
            )

    def _files_of_version(self, version: SourceVersion) -> Iterator[SourceFile] | None:
        call = {"name": version.model, "version": str(version.number)}
        parts = urlsplit(str(self._call("GET", "model-versions/get-download-uri", call).get("artifact_uri", "")))
        owner, _, below = parts.path.strip("/").partition("/")
        if parts.scheme == "runs":
            return self._files_of_run(owner, below)
        if parts.scheme == "models":
            logged = self._call("GET", f"logged-models/{quote(owner, safe='')}", {})
            return self._files_at(f"{logged['model']['info']['artifact_uri']}/{below}")
        return self._files_at(parts.geturl())

    def _files_at(self, address: str) -> Iterator[SourceFile] | None:
        """Those that the server hands out itself."""
        parts = urlsplit(address)
        if parts.scheme != _PROXY:
            return None
        root = parts.path.strip("/")

        def listed(path: str) -> Any:
            below = f"{root}/{path}".rstrip("/")
            found = self._json("GET", f"/api/2.0/{_PROXY}/artifacts?{urlencode({'path': below})}", None)
            return [{**one, "path": f"{path}/{one['path']}".lstrip("/")} for one in found.get("files", ())]

        def fetched(path: str) -> str:
            return f"/api/2.0/{_PROXY}/artifacts/{quote(f'{root}/{path}')}"

        return self._below("", listed, fetched)

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()

    def _below(self, path: str, listed: Any, fetched: Any) -> Iterator[SourceFile]:
        for one in listed(path):
            if one.get("is_dir"):
                yield from self._below(one["path"], listed, fetched)
            else:
                yield SourceFile(one["path"], int(one.get("file_size", 0)), partial(self._open, fetched(one["path"])))

    def _pages(self, method: str, path: str, call: Mapping[str, Any], items: str) -> Iterator[dict[str, Any]]:
        token = ""
        while True:
            page = self._call(method, path, {**call, **({"page_token": token} if token else {})})
            yield from page.get(items, ())
            token = page.get("next_page_token", "")
            if not token:
                return

    def _call(self, method: str, path: str, call: Mapping[str, Any]) -> dict[str, Any]:
        url = f"/api/2.0/mlflow/{path}"
        if method == "GET":
            return self._json("GET", f"{url}?{urlencode(call)}", None)
        return self._json(method, url, json.dumps(call).encode())

    def _json(self, method: str, path: str, body: bytes | None) -> dict[str, Any]:
        reply = self._answered(method, path, body)
        said = reply.read()
        if reply.status == http.client.NOT_FOUND and path.endswith(f"/{_LOGGED}"):
            # MLflow 2 has no logged models.
            return {}
        if reply.status != http.client.OK:
            raise DataError(
                f"{self._address} answers {reply.status} to {path[:200]}: {said[:300].decode(errors='replace')}"
            )
        try:
            found = json.loads(said)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise DataError(f"{self._address} is no MLflow server: {path[:200]} is answered by what is no JSON object.")
        return found

    def _open(self, path: str) -> BinaryIO:
        """A file on a connection of its own, which ends with it."""
        connection = self._connected()
        reply = self._answered("GET", path, None, connection)
        if reply.status != http.client.OK:
            connection.close()
            raise DataError(f"{self._address} answers {reply.status} to {path[:200]}.")
        return cast("BinaryIO", _Body(connection, reply))

    def _answered(
        self, method: str, path: str, body: bytes | None, own: http.client.HTTPConnection | None = None
    ) -> http.client.HTTPResponse:
        problem = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(PAUSE * 2 ** (attempt - 1))
            connection = own or self._kept or self._connected()
            self._kept = self._kept or (None if own else connection)
            try:
                connection.request(method, f"{self._parts.path.rstrip('/')}{path}", body, self._headers)
                reply = connection.getresponse()
            except (OSError, http.client.HTTPException) as error:
                problem = str(error) or type(error).__name__
            else:
                if reply.status not in _PASSING:
                    return reply
                problem = f"it answers {reply.status}"
            connection.close()
        raise UnavailableError(
            f"{self._address} cannot be read: {problem}.", remedy="import again: what is there stays, and it goes on"
        )

    def _connected(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        return kind(self._parts.hostname or "", self._parts.port, timeout=SECONDS)


class _Body:
    """A reply as a file; one that is cut off is an error, not the end."""

    def __init__(self, connection: http.client.HTTPConnection, reply: http.client.HTTPResponse) -> None:
        self._connection, self._reply = connection, reply

    def read(self, size: int = -1, /) -> bytes:
        try:
            data = self._reply.read(_PIECE if size < 0 else size)
        except (OSError, http.client.HTTPException) as error:
            raise UnavailableError(
                f"The server stopped in the middle of a file: {error}.", remedy="import again"
            ) from None
        if not data and self._reply.length:
            raise UnavailableError("The server stopped in the middle of a file.", remedy="import again")
        return data

    def close(self) -> None:
        self._connection.close()


def _version(one: Mapping[str, Any]) -> SourceVersion:
    return SourceVersion(
        model=one["name"],
        number=int(one["version"]),
        source=one.get("source", ""),
        run=one.get("run_id", ""),
        run_link=one.get("run_link", ""),
        description=one.get("description", ""),
        stage=one.get("current_stage") or "None",
        tags=_pairs(one.get("tags")),
    )


def _metric(one: Mapping[str, Any]) -> ModelMetric:
    return ModelMetric(
        one["key"],
        float(one.get("value", 0.0)),
        int(one.get("timestamp", 0)),
        int(one.get("step", 0)),
        one.get("run_id", ""),
        one.get("dataset_name", ""),
        one.get("dataset_digest", ""),
    )


def _dataset(given: Mapping[str, Any]) -> SourceDataset:
    one = given["dataset"]
    return SourceDataset(
        name=one["name"],
        digest=one["digest"],
        source_type=one.get("source_type", ""),
        source=one.get("source", ""),
        columns=one.get("schema", ""),
        profile=one.get("profile", ""),
        tags=_pairs(given.get("tags")),
    )


def _pairs(given: Any) -> dict[str, str]:
    return {one["key"]: one.get("value", "") for one in given or ()}


def _credentials(environment: Mapping[str, str]) -> dict[str, str]:
    token, user = environment.get("MLFLOW_TRACKING_TOKEN", ""), environment.get("MLFLOW_TRACKING_USERNAME", "")
    if token:
        return {"Authorization": f"Bearer {token}"}
    if user:
        both = f"{user}:{environment.get('MLFLOW_TRACKING_PASSWORD', '')}"
        return {"Authorization": f"Basic {base64.b64encode(both.encode()).decode()}"}
    return {}


_: type[MlflowSource] = ServerSource
