"""The front door of step 2: start runs, find them and look at them, and keep the studies that group them."""

import builtins
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from heptad.core import graph
from heptad.core.errors import InputError
from heptad.core.query import All, Compare, equals
from heptad.core.records import Id, Record
from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.experiments.environment import capture_environment, save_environment
from heptad.experiments.records import Run, Study
from heptad.experiments.run_table import RunTable
from heptad.experiments.runs import ActiveRun, flat
from heptad.experiments.settings import SearchSettings


class Experiments(RunTable):
    """Runs of one project. An experiment is a name that groups runs; without one it is the project's own name."""

    def __init__(self, workspace: Workspace, project: ProjectSettings, settings: SearchSettings) -> None:
        super().__init__(workspace, settings.metric)
        self.project = project
        self.settings = settings

    @cached_property
    def environment(self) -> str:
        """Artifact of this process's environment, captured once."""
        found = capture_environment(self.workspace.root, keep=self.workspace.blobs.put)
        return save_environment(self.workspace, found)

    def start(
        self,
        name: str,
        *,
        experiment: str = "",
        params: Mapping[str, Any] | None = None,
        study: Id = "",
        number: int = 0,
        seed: int = 0,
        made_from: Sequence[tuple[str, Id]] = (),
        key: Sequence[Any] = (),
    ) -> ActiveRun:
        """Begin a run. With a `key`, a run that was cut off is begun again under the id it had.

        Raises `InputError` where the run of that key has ended.
        """
        body = Run(
            name=name,
            experiment=experiment or self.workspace.name,
            study=study,
            number=number,
            params=dict(params or {}),
            seed=seed,
            environment=self.environment,
        )
        links = [*made_from, *([("study", study)] if study else [])]
        record = graph.save(
            self.workspace,
            body,
            scope=body.experiment,
            key=key,
            made_from=links,
            attributes={"status": "running", "name": name, **({"study": study} if study else {})}
            | flat("params", body.params),
        )
        if record.attributes.get("status") != "running":
            raise InputError(
                f"Run {record.id} ({name}) has ended: {record.attributes.get('status')}.",
                remedy="Start it under another key; a run that ended stays as it is.",
            )
        return ActiveRun(self.workspace, record.id)

    def start_study(
        self, study: Study, *, key: Sequence[Any], made_from: Sequence[tuple[str, Id]] = ()
    ) -> Record[Study]:
        """The study of that key, begun where it does not exist yet."""
        return graph.save(
            self.workspace,
            study,
            scope=self.workspace.name,
            key=key,
            made_from=made_from,
            attributes={"name": study.name},
        )

    def trials(self, study: Id) -> builtins.list[Record[Run]]:
        """The runs of a study that ended, by number."""
        runs = self.every(All((equals(study=study), Compare("status", "in", ("finished", "failed")))), None)
        return sorted(runs, key=lambda run: run.body.number)
