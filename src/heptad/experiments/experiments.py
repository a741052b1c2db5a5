"""The front door of step 2: start runs, find them and look at them, and keep the studies that group them."""

import builtins
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import Any, Unpack

from heptad.core import graph
from heptad.core.clock import SystemClock
from heptad.core.errors import InputError, NotFoundError, RefusedError
from heptad.core.query import All, Compare, Query, equals
from heptad.core.records import Id, Record
from heptad.core.settings import ProjectSettings
from heptad.core.store import at_seconds
from heptad.core.workspace import Workspace
from heptad.experiments.beginning import attributes_of, checked_params, links_of, with_params
from heptad.experiments.environment import capture_environment, save_environment
from heptad.experiments.journal.journal import MAIN
from heptad.experiments.journal.shipper import Shipped, journals_of, ship_leftovers, shipper
from heptad.experiments.journal.target import RunTarget, WorkspaceTarget
from heptad.experiments.mlflow_import.importing import TakenRun, import_mlflow
from heptad.experiments.mlflow_import.opening import open_mlflow
from heptad.experiments.naming import experiment_named
from heptad.experiments.records import Run, Study
from heptad.experiments.run_table import RunTable
from heptad.experiments.runs import ActiveRun
from heptad.experiments.searching.objectives import Objective
from heptad.experiments.searching.records import StudyReport
from heptad.experiments.searching.space import Space, Value
from heptad.experiments.searching.told import Direction, Told
from heptad.experiments.settings import SearchRules, SearchSettings


class Experiments(RunTable):
    """Runs of one project. An experiment is a name that groups runs; without one it is the project's own name."""

    def __init__(self, workspace: Workspace, project: ProjectSettings, settings: SearchSettings) -> None:
        super().__init__(workspace, settings.metric)
        self.project = project
        self.settings = settings
        self._known: dict[str, str] = {}

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
        parent: Id = "",
        made_from: Sequence[tuple[str, Id]] = (),
        key: Sequence[Any] = (),
    ) -> ActiveRun:
        """Begin a run. With a `key`, a run that was cut off is begun again under the id it had, its series from 0.

        What such a run logs survives the process only once it is shipped, as it would not be read.

        Raises `InputError` where the run of that key has ended.
        """
        body = Run(
            name=name,
            experiment=experiment or self.workspace.name,
            study=study,
            number=number,
            seed=seed,
            environment=self.environment,
        )
        body = with_params(body, checked_params(params))
        record = graph.save(
            self.workspace,
            body,
            scope=self._scope(body.experiment),
            key=key,
            made_from=links_of(body, parent, made_from),
            attributes=attributes_of(body, self.workspace.clock.now()),
        )
        if record.attributes.get("status") != "running":
            raise InputError(
                f"Run {record.id} ({name}) has ended: {record.attributes.get('status')}.",
                remedy="Start it under another key; a run that ended stays as it is.",
            )
        return self._active(record.id, again=bool(key))

    def resume(self, run: Id) -> ActiveRun:
        """Go on with a run that was killed, has failed, or is going on: its series continue where they end.

        What is logged beside a living process that logs to the same run goes to series with a mark of their own,
        `NAME[process=...]`. Raises `InputError` for a run that is finished.
        """
        ship_leftovers(self._journals, self._target, run)
        record = self.show(run)
        status = record.attributes.get("status")
        if status == "finished":
            raise InputError(f"Run {run} is finished.", remedy="Start another run; a finished one stays as it is.")
        starts = {
            key: len(self.workspace.store.read(run, key).steps)
            for name in record.attributes
            if name.startswith("metrics.") and (key := name.removeprefix("metrics."))
        }
        try:
            active = self._active(run, MAIN, starts)
        except RefusedError:
            return self._active(run, f"{os.getpid()}-{os.urandom(2).hex()}")
        if status != "running":
            values = {"status": "running", "reason": None, "ended": None}
            graph.set_attributes(self.workspace, run, values, "experiments.run_changed")
        return active

    def ship(self, run: Id = "") -> builtins.list[Shipped]:
        """Ship what processes that died left behind; answers what became of each journal, those with trouble too."""
        return ship_leftovers(self._journals, self._target, run)

    def import_mlflow(
        self, address: str, experiment: str = "", *, artifacts: Sequence[Path] = (), count_only: bool = False
    ) -> Iterator[TakenRun]:
        """Take over the runs of MLflow at `http://HOST:PORT`, `sqlite:///PATH` or a folder `mlruns`, one by one.

        See `import_mlflow` for what that means, then `import_logged_models` and `release.import_models` for the models
        of the same source. Files are read below the folder of the address and below `artifacts`. Raises `InputError`
        where there is nothing of MLflow.
        """
        source = open_mlflow(address, artifacts)
        if source is None:
            raise InputError(f"There is nothing of MLflow in {address}.", allowed="a folder mlruns, or mlflow.db")
        with closing(source):
            yield from import_mlflow(self.workspace, source, experiment, count_only=count_only)

    def _active(
        self, run: Id, writer: str = MAIN, starts: Mapping[str, int] | None = None, *, again: bool = False
    ) -> ActiveRun:
        clock = self.workspace.clock
        now = time.time if isinstance(clock, SystemClock) else lambda: at_seconds(clock.now())
        shipper().search(self._journals, self._target)
        root, target = self._journals, self._target
        return ActiveRun(run, root, target, now, writer=writer, again=again, starts=starts, start_child=self.start)

    def _target(self) -> RunTarget:
        return WorkspaceTarget(self.workspace)

    @property
    def _journals(self) -> Path:
        return journals_of(self.workspace.folder)

    def search(
        self,
        space: Space,
        objective: Objective,
        *,
        name: str = "search",
        objectives: Mapping[str, Direction] | None = None,
        data: Sequence[Id] = (),
        first: Sequence[Mapping[str, Value]] = (),
        seed: int | None = None,
        isolated: bool = False,
        on_trial: Callable[[Told], None] | None = None,
        **rules: Unpack[SearchRules],
    ) -> StudyReport:
        """Search a space with a function of your own, and say what came of it.

        `objective(trial)` reads `trial.params` and answers a number, or a number for each name of `objectives` (in
        order, or by name); by default there is one, `value`, and less is better. `rules` are those of `[search]`
        in heptad.toml, and what is left out is as it is set there. Called again with the same space, objective, data
        and seed, it goes on where it ended, and reports on all trials there are. Trials run here, or in processes
        of their own where `isolated`, or where `processes`, `timeout` or `memory` ask for it.
        """
        from heptad.experiments.searching.studies import plan_of, run_study  # noqa: PLC0415 - Optuna takes a second

        plan = plan_of(
            self.settings,
            rules,
            name=name,
            space=space,
            objective=objective,
            objectives={"value": "minimize"} if objectives is None else objectives,
            seed=self.project.seed if seed is None else seed,
            data=data,
            first=first,
            isolated=isolated,
        )
        watch = None if on_trial is None else lambda ended, _: on_trial(ended.told)
        study, _ = run_study(self.workspace, self.environment, space, objective, plan, watch=watch)
        return self.study(study.id)

    def study(self, ref: Id = "") -> StudyReport:
        """What came of a study (without `ref`: the newest): the best, what mattered, whether more trials would help."""
        from heptad.experiments.searching.report import report_on  # noqa: PLC0415 - it needs Optuna

        return report_on(self, self._study(ref))

    def _study(self, ref: Id) -> Record[Study]:
        if ref:
            return graph.load(self.workspace, ref, Study)
        newest = graph.find(self.workspace, Study, Query(kind=Study.kind), 1)
        if not newest:
            raise NotFoundError("study", "newest", remedy="There is none yet. Search first: heptad run")
        return newest[0]

    def trials(self, study: Id) -> builtins.list[Record[Run]]:
        """The runs of a study that ended, by number."""
        runs = self.every(All((equals(study=study), Compare("status", "in", ("finished", "failed", "killed")))), None)
        return sorted(runs, key=lambda run: run.body.number)

    def _scope(self, experiment: str) -> str:
        """Where the runs of an experiment are, which is made where it is new; one that was renamed keeps its scope."""
        if experiment not in self._known:
            self._known[experiment] = experiment_named(self.workspace, experiment).body.scope
        return self._known[experiment]
