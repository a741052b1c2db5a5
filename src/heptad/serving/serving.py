"""The front door of step 5: deploys routes, starts servers, and keeps the log of what they answered."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from heptad.core import graph
from heptad.core.errors import RefusedError
from heptad.core.records import AliasMove, Record
from heptad.core.settings import ProjectSettings, Task, duration
from heptad.core.workspace import Workspace
from heptad.release import ModelVersion, Release, trusted_keys
from heptad.serving.access import check_bind
from heptad.serving.finding import find_prediction
from heptad.serving.http import Limits
from heptad.serving.labels import Labels, read_labels
from heptad.serving.log import PredictionLog
from heptad.serving.log_rows import TABLE
from heptad.serving.newest import newest_predictions
from heptad.serving.process import ServerProcess
from heptad.serving.records import Deployment, Prediction, Route, RouteRole
from heptad.serving.routing import check_routes
from heptad.serving.settings import DeploySettings
from heptad.serving.snapshot import Published, serve_folder
from heptad.serving.worker import ServerOptions
from heptad.training import Candidate

LIVE_SECONDS = 30.0
CURRENT = "current"
"""Alias of the deployment in force, in the endpoint's scope."""


class Serving:
    """The one endpoint of a project, called like it. What is done twice, as after a crash, is done once."""

    def __init__(
        self, workspace: Workspace, project: ProjectSettings, settings: DeploySettings, release: Release
    ) -> None:
        self.settings = settings
        self.endpoint = workspace.name
        self._workspace = workspace
        self._project = project
        self._release = release
        self._folder = serve_folder(workspace)
        self._log = PredictionLog(self.endpoint, self._folder.journal, workspace.tables / TABLE)
        self._labels = Labels(workspace.tables / "labels", self._folder.path / "labels.lock")

    def route(self, version: Record[ModelVersion], role: RouteRole, share: float = 1.0) -> Route:
        """A version's part of the traffic."""
        body = version.body
        return Route(version=version.id, label=body.label, package=body.package, role=role, share=share)

    def deploy(self, routes: Sequence[Route], reason: str, key: Sequence[Any] = ()) -> Record[Deployment]:
        """Let these routes answer from now on; servers take them over while they go on answering.

        With a `key`, deploying again answers the deployment that is there. Raises `InputError` for routes that do not
        fit together, `ConflictError` where somebody else deployed in between.
        """
        check_routes(routes)
        before = self.current()
        body = Deployment(
            endpoint=self.endpoint,
            generation=before.body.generation + 1 if before else 1,
            routes=list(routes),
            reason=reason,
        )
        expected = before.aliases[CURRENT] if before else 0
        deployment = graph.save(
            self._workspace,
            body,
            scope=self.endpoint,
            key=["deployment", *key] if key else [],
            made_from=[(route.role, route.version) for route in routes],
            attributes={"generation": body.generation},
            aliases=[AliasMove(scope=self._scope, name=CURRENT, target="@", expected=expected)],
            event="serving.deployed",
            event_body={"generation": body.generation, "reason": reason},
        )
        self.current()
        return deployment

    def current(self) -> Record[Deployment] | None:
        """The deployment in force; servers are given it here too, should whoever made it have died before that."""
        deployment = graph.find_alias(self._workspace, self._scope, CURRENT, Deployment)
        if deployment is not None:
            self._publish(deployment)
        return deployment

    def wait_live(self, generation: int, timeout: float = LIVE_SECONDS) -> int:
        """Wait until every worker that runs serves this generation or a newer one; answers how many they are.

        Raises `IntegrityError` where a worker refused it, `UnavailableError` where one takes longer than `timeout`.
        """
        return self._folder.wait_live(generation, timeout)

    def start_server(
        self, port: int | None = None, workers: int | None = None, clock: Path | None = None, *, cleaned: bool = False
    ) -> ServerProcess:
        """A server for what is deployed, answering when this returns. `port` 0 means any free one.

        `clock` is the file of a shared clock; `cleaned`: its clients send rows as versions have them. Raises
        `RefusedError` where nothing is deployed, `InputError` where the port is taken or the host can be reached from
        other machines, `UnavailableError` where it does not start.
        """
        settings = self.settings
        check_bind(settings.host)
        if self.current() is None:
            raise RefusedError(
                "There is nothing to serve: no version was ever deployed.", remedy="heptad run, then heptad up"
            )
        options = ServerOptions(
            workspace=str(self._workspace.folder),
            folder=str(self._folder.path),
            endpoint=self.endpoint,
            host=settings.host,
            port=settings.port if port is None else port,
            workers=workers or settings.workers,
            limits=Limits(
                max_body=settings.max_body_mb << 20,
                max_rows=settings.max_rows,
                log_inputs=settings.log_inputs,
                features=tuple(settings.features),
                cleaned=cleaned,
            ),
            clock=str(clock) if clock else "",
        )
        return ServerProcess(options)

    def collect_log(self) -> int:
        """Move what servers answered into the table `predictions`, each row once; answers the number of rows.

        Answers older than `[deploy] answers_kept` are kept there only.
        """
        moved = self._log.collect()
        self._log.forget(self._workspace.clock.now() - duration(self.settings.answers_kept))
        return moved

    def predictions(self, start: datetime | None = None, end: datetime | None = None) -> pl.LazyFrame:
        """Answers of `[start, end)`, collected or not, in no particular order.

        `at`, `caller`, `endpoint`, `generation`, `version`, `role`, `latency_ms`, `id`, `label`, `score`,
        `probabilities`, `warnings`, `shadows` (list of structs `version`, `score`) and, where they are logged,
        `inputs` (a struct; whole numbers as floats too).
        """
        return self._log.scan(start, end)

    def prediction(self, identity: str) -> Prediction:
        """One answer by its id; raises `NotFoundError`."""
        return find_prediction(self._workspace, identity)

    def newest(self, limit: int) -> list[Prediction]:
        """The last answers, newest first; 1,000 at most."""
        return newest_predictions(self._workspace, limit)

    def add_labels(self, labels: pl.DataFrame) -> int:
        """Add labels (`id`, `value`, `at`, `known_at`); answers how many were new. Raises `DataError`."""
        return self._labels.add(labels)

    def add_labels_from(self, path: Path) -> int:
        """Add the labels in a CSV or Parquet file; answers how many were new. Raises `DataError`."""
        return self._labels.add(read_labels(path, self._project.timezone))

    def labels(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        known_at: datetime | None = None,
        among: pl.LazyFrame | None = None,
    ) -> pl.LazyFrame:
        """The newest label of each id that was known at `known_at`, of events in `[start, end)`.

        `among` has a column `id` and limits the ids, which is much quicker where they are few.
        """
        return self._labels.scan(self._task(), start, end, known_at, among)

    @property
    def _scope(self) -> str:
        return f"endpoint:{self.endpoint}"

    def _publish(self, deployment: Record[Deployment]) -> None:
        body = deployment.body
        published = Published(
            endpoint=body.endpoint,
            generation=body.generation,
            routes=body.routes,
            trusted=[key.hex() for key in trusted_keys(self._workspace)],
        )
        self._folder.publish(published, self._workspace.blobs.get)

    def _task(self) -> Task:
        """What the endpoint answers; where nothing was deployed yet, classes."""
        deployment = graph.find_alias(self._workspace, self._scope, CURRENT, Deployment)
        if deployment is None:
            return "classification"
        version = self._release.version(deployment.body.routes[0].version)
        return graph.load(self._workspace, version.body.candidate, Candidate).body.signature.task
