"""A project: the workspace and the seven steps, wired together; the only place that knows them all."""

import logging
import time
from datetime import datetime
from functools import cached_property
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

import msgspec

from heptad.config import FILE, Config, FolderConfig, read_config, read_folder_config
from heptad.core.clock import FileClock
from heptad.core.errors import InputError, NotFoundError, RefusedError, UnavailableError
from heptad.core.files import write_atomically
from heptad.core.memory import limit_memory
from heptad.core.workspace import FOLDER, Workspace, open_workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from heptad.core.flow import Results
    from heptad.core.flow_plan import Function
    from heptad.data import Data, Folders
    from heptad.experiments import ActiveRun, Experiments, Remote, Shipped, Tracking
    from heptad.lifecycle import Lifecycle, Rehearsed, Watcher, Why
    from heptad.monitoring import Monitoring
    from heptad.release import Adoption, Release, RunOutcome, VersionRef
    from heptad.serving import Serving
    from heptad.training import Training

_log = logging.getLogger("heptad")
F = TypeVar("F", bound="Callable[..., Any]")

TEMPLATES = ("flights",)
CLOCK = "clock"
"""File in the workspace with the clock of its rehearsal."""
JOURNALS = "journals"
"""Folder in the workspace of what is logged to it and has not arrived yet."""
SPILL = "spill"
"""Folder in the workspace that tables larger than memory are sorted, grouped and joined in."""
PAUSES = (2.0, 4.0, 8.0, 16.0)
"""Seconds before a store that does not answer is opened again: a server takes as long to start. Whoever logs runs waits
for none."""
EVALUATION = "evaluation.html"
"""The newest evaluation report, in the project's folder."""


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to, and the files that say more. Figures are of the held-out rows."""

    task: str
    estimator: str
    metric: str
    value: float | None
    """`None` where the metric is not defined on these rows."""
    interval: tuple[float, float] | None
    baseline: float | None
    """The same metric of the trivial model."""
    report: str
    """Path of the evaluation report, an HTML page."""
    package: str | None
    """Path of the signed package; `None` where the decision was no."""


class Project:
    """One project, open. A step is imported and made when it is first asked for, with the steps to its left."""

    def __init__(self, root: Path, config: Config, workspace: Workspace) -> None:
        self.root = root
        self.config = config
        self.workspace = workspace

    @cached_property
    def data(self) -> "Data":
        from heptad.data import Data

        config = self.config
        return Data(
            self.workspace,
            config.project,
            config.sources,
            config.data,
            config.clean,
            config.expect,
            config.features,
            config.online,
            config.remote,
            config.card,
            config.labelling,
        )

    @cached_property
    def experiments(self) -> "Experiments":
        from heptad.experiments import Experiments

        return Experiments(self.workspace, self.config.project, self.config.search)

    @cached_property
    def training(self) -> "Training":
        from heptad.training import Training

        return Training(self.workspace, self.config.project, self.config.validate, self.data, self.experiments)

    @cached_property
    def release(self) -> "Release":
        from heptad.release import Release

        return Release(self.workspace, self.config.project, self.config.release, self.data, self.training)

    @cached_property
    def serving(self) -> "Serving":
        from heptad.serving import Serving

        return Serving(self.workspace, self.config.project, self.config.deploy, self.release)

    @cached_property
    def monitoring(self) -> "Monitoring":
        from heptad.monitoring import Monitoring

        return Monitoring(self.workspace, self.config.project, self.config.monitor, self.release, self.serving)

    @cached_property
    def lifecycle(self) -> "Lifecycle":
        from heptad.lifecycle import Lifecycle

        config = self.config
        return Lifecycle(
            self.workspace,
            config.project,
            config.retrain,
            self.data,
            self.training,
            self.release,
            self.serving,
            self.monitoring,
            config.retention,
        )

    def run(self, sample: int = 0, watch: "Watcher | None" = None) -> "RunOutcome":
        """Take the data through steps 1 to 4; the first version that holds its gates becomes the champion.

        `sample` tries everything on about so many rows, under a data set of its own. Run again, it finds what is
        done already: only what changed, and what follows from it, is done anew.
        """
        from heptad.lifecycle import Happening, sentence_of, unwatched
        from heptad.release import Pipeline

        tell = watch or unwatched
        pipeline = Pipeline(self.workspace, self.data, self.experiments, self.training, self.release)
        return pipeline.run(
            self.workspace.clock.now() if self.config.data.time else None,
            sample,
            lambda step, record: tell(Happening(step=step, sentence=sentence_of(record), record=record.id)),
            lambda ended: tell(Happening(step="experiments", sentence=ended.sentence, record=ended.run)),
        )

    def adopt(self, version: "VersionRef") -> "Adoption":
        """Take a version that a client registered through the gates of this project."""
        from heptad.release import Adoptions

        return Adoptions(self.workspace, self.data, self.experiments, self.training, self.release).adopt(version)

    def why(self, ref: str) -> "Why":
        """Why a thing is as it is: a record, a version, an alert, a task `FLOW/TASK`, or a prediction, by its id.

        Raises `NotFoundError`. Only a prediction is explained by its model; everything else is read off the records.
        """
        from heptad.lifecycle import why_so

        return why_so(self.workspace, ref, self.config.project.seed)

    def flow(self, name: str, functions: "Sequence[Function]", inputs: "Mapping[str, Any] | None" = None) -> "Results":
        """Run functions of your own as a flow, wired by their parameters' names, on the executor of `[execute]`."""
        from heptad.core.executors import open_executor
        from heptad.core.flow import Flow

        with open_executor(self.config.execute) as executor:
            return Flow(name, functions).run(self.workspace, inputs, executor=executor)

    def rehearse(self, start: datetime, end: datetime, singles: int = 0, watch: "Watcher | None" = None) -> "Rehearsed":
        """Play `[start, end)` of the past through the loop, after a first run where there is no champion yet."""
        from heptad.lifecycle import Costs, Rehearsed, Span, unwatched

        costs = Costs(watch or unwatched)
        if self.release.champion() is None and self.run(watch=costs).version is None:
            raise RefusedError(
                "The first candidate did not hold its gates, so there is nothing to rehearse with.",
                remedy="heptad training show, then change [release] gates or [search]",
            )
        rehearsal = self.lifecycle.rehearse(Span(start=start, end=end, singles=singles), costs)
        summary = self.lifecycle.summary(rehearsal)
        return Rehearsed(rehearsal=rehearsal, summary=summary, report=self.lifecycle.report(rehearsal))


def write_result(project: Project, outcome: "RunOutcome") -> RunResult:
    """Put the evaluation report and the package into the project's folder, and say what the run came to."""
    candidate, version = outcome.candidate, outcome.version
    report = project.root / EVALUATION
    write_atomically(report, project.training.report(candidate).encode())
    package = None
    if version is not None:
        package = project.root / f"{version.body.name}-{version.body.version}.zip"
        write_atomically(package, project.workspace.blobs.get(version.body.package))
    evaluation = candidate.body.evaluation
    main = evaluation.value(evaluation.metric)
    baseline = next((one.value for one in evaluation.baseline if one.name == evaluation.metric), None)
    return RunResult(
        task=candidate.body.signature.task,
        estimator=candidate.body.estimator,
        metric=evaluation.metric,
        value=main.value if main else None,
        interval=(main.low, main.high) if main else None,
        baseline=baseline,
        report=str(report),
        package=str(package) if package else None,
    )


def open_project(path: Path | str = ".", *, clock: Path | None = None) -> Project:
    """Open the project in the folder `path`; its workspace is made where there is none yet.

    `clock` is the file of a shared clock. Without it a workspace that was made by a rehearsal keeps the rehearsal's
    clock, and any other goes by the machine's. Raises `InputError` where the folder is no project, `SettingsError`
    with every mistake in its heptad.toml.
    """
    root = Path(path).resolve()
    config = read_config(root)
    limit_memory(config.execute.memory, root / FOLDER / SPILL)
    return Project(root, config, _opened(root, config, clock))


def open_experiments(path: Path | str = ".") -> "Experiments":
    """Step 2 in the folder `path`, with or without heptad.toml; its workspace is made where there is none yet.

    Of heptad.toml what runs and searches need is read, which is not `[data]`. Raises `SettingsError` with every mistake
    in that.
    """
    from heptad.experiments import Experiments

    root = Path(path).resolve()
    config = read_folder_config(root)
    return Experiments(_opened(root, config, pauses=()), config.project, config.search)


def open_root(path: Path | str = ".", clock: Path | None = None) -> Workspace:
    """The workspace of the folder `path`, with or without heptad.toml; made where there is none yet.

    Only `[project]`, `[store]` and `[remote]` are read. `clock` as for `open_project`.
    """
    root = Path(path).resolve()
    return _opened(root, read_folder_config(root), clock)


def _opened(
    root: Path, config: Config | FolderConfig, clock: Path | None = None, pauses: "Sequence[float]" = PAUSES
) -> Workspace:
    own = root / FOLDER / CLOCK
    if clock is None and own.exists():
        clock = own
    for pause in pauses:
        try:
            return open_workspace(root, config.project.name, config.store, clock)
        except UnavailableError as error:
            _log.warning("%s It is asked again in %.0f s.", " ".join(error.problem.split()), pause)
            time.sleep(pause)
    return open_workspace(root, config.project.name, config.store, clock)


def open_folders(path: Path | str = ".") -> "Folders":
    """Versioned folders of the project that the folder `path` is in; see `find_workspace`."""
    from heptad.data import Folders

    workspace, config = find_workspace(path)
    return Folders(workspace, config.remote)


def find_workspace(path: Path | str = ".", *, begin: bool = True) -> tuple[Workspace, FolderConfig]:
    """The workspace of the project that the folder `path` is in, and what heptad.toml says besides its table.

    With `begin`, a Git repository that has neither is a project too, and gets a workspace. Raises `InputError` where
    there is none.
    """
    here = Path(path).resolve()
    marks = (FILE, FOLDER, ".git") if begin else (FILE, FOLDER)
    root = next((one for one in (here, *here.parents) if any((one / mark).exists() for mark in marks)), None)
    if root is None:
        raise InputError(
            f"{here} is in no Heptad project" + (" and in no Git repository." if begin else "."),
            remedy="go to one, name it with --project, or make one: "
            + ("git init, or heptad init" if begin else "heptad init --from FILE --target COLUMN"),
        )
    config = read_folder_config(root)
    return _opened(root, config), config


@overload
def track(name: "F") -> "F": ...


@overload
def track(
    name: str,
    *,
    experiment: str = "",
    params: "Mapping[str, Any] | None" = None,
    seed: int = 0,
    parent: str = "",
    made_from: "Sequence[tuple[str, str]]" = (),
    resume: str = "",
    capture: bool = True,
    server: str | None = None,
) -> "Tracking": ...


def track(
    name: "str | F",
    *,
    experiment: str = "",
    params: "Mapping[str, Any] | None" = None,
    seed: int = 0,
    parent: str = "",
    made_from: "Sequence[tuple[str, str]]" = (),
    resume: str = "",
    capture: bool = True,
    server: str | None = None,
) -> "Tracking | F":
    """A run to log to from a script or a notebook: `with heptad.track("name") as run: run.log(loss=0.1)`.

    It belongs to the project in this folder or the nearest above; without one, to a workspace that is made in this
    folder. A block that raises leaves a run that failed, with the reason. See `Tracking` for functions and notebooks.
    `made_from` are the records that it uses, each with how: `("data", version.id)`; `parent` is the run that it is a
    part of; `resume` the run to go on with, which keeps its name; parameters are set anew. With `capture` the output of
    the process, its use of the machine, and the versions of data that it reads are recorded too. A store that does not
    answer does not keep the run from beginning. With `server` (`http://HOST:PORT`; else HEPTAD_SERVER, else
    `[tracking] server`; empty: none) the run is kept by the `heptad up` there, and this machine needs neither a project
    nor a workspace.
    """
    from heptad.experiments import Tracking, checked_params

    if callable(name):
        return track(name.__name__)(name)
    title = name  # for begin, where it is text
    root = _nearest_project(Path.cwd())

    def begin(params: "Mapping[str, Any]") -> "ActiveRun":
        from heptad.experiments import Offline, capture_process, go_on

        kept = _server_for(root, server)
        given: dict[str, Any] = {"experiment": experiment, "params": params, "seed": seed}
        given |= {"parent": parent, "made_from": made_from}
        if resume:
            run = go_on(kept or open_experiments(root), resume, **given)
        else:
            try:
                run = (kept or open_experiments(root)).start(title, **given)
            except UnavailableError as error:
                offline = Offline(root, read_folder_config(root).project.name, lambda: open_experiments(root).workspace)
                run = offline.start(title, error, **given)
        if capture:
            capture_process(run)
        return run

    return Tracking(begin, checked_params(params))


def _nearest_project(here: Path) -> Path:
    """The folder of the project that `here` is in; without one, `here`."""
    return next((folder for folder in (here, *here.parents) if (folder / FILE).is_file()), here)


def _server_for(root: Path, given: str | None) -> "Remote | None":
    """The server that runs from this folder go to, if any."""
    from heptad.experiments import Remote, chosen_folder, chosen_server

    config = read_folder_config(root)
    server = chosen_server(given, config.tracking)
    return Remote(server, root, config.project.name, chosen_folder(config.tracking, root)) if server else None


def ship_runs(path: Path | str = ".") -> "list[Shipped]":
    """Ship what processes that died have logged in the folder `path` or the project above it, wherever it belongs.

    Answers what became of each journal, those that could not be shipped too. See `Experiments.ship`.
    """
    from heptad.experiments import chosen_folder, ship_to_servers

    root = _nearest_project(Path(path).resolve())
    folders = {root / FOLDER, chosen_folder(read_folder_config(root).tracking, root)}
    own = open_experiments(root).ship() if (root / FOLDER / JOURNALS).is_dir() else []
    return own + [one for folder in sorted(folders) for one in ship_to_servers(folder)]


def open_rehearsal(folder: Path, template: str, start: datetime) -> Project:
    """A project made from a template, or the one that is there, on a clock of its own that begins at `start`."""
    if not (folder / FILE).exists():
        create_from_template(template, folder)
    clock = FileClock(folder.resolve() / FOLDER / CLOCK)
    clock.advance_to(start)
    return open_project(folder, clock=clock.path)


def create_from_template(name: str, folder: Path) -> list[Path]:
    """Copy a starter project into `folder`; answers the files, heptad.toml last: a copy that was cut off can go on.

    Raises `InputError` rather than overwrite one, and where a source that the template reads is not to be had.
    """
    from heptad.data import Place, open_source

    if name not in TEMPLATES:
        raise NotFoundError("template", name, TEMPLATES)
    with as_file(files("heptad") / "templates" / name) as template:
        names = sorted(path.name for path in template.iterdir() if path.suffix in {".toml", ".py"})
        wanted = {folder / one: (template / one).read_bytes() for one in sorted(names, key=lambda name: name == FILE)}
        for source in read_config(template).sources.values():
            open_source(source, Place(root=template))
    _refuse_to_overwrite(path for path, data in wanted.items() if path.name == FILE or _differs(path, data))
    for path, data in wanted.items():
        write_atomically(path, data)
    return list(wanted)


def create_from_table(folder: Path, table: Path | str, target: str, time: str = "") -> list[Path]:
    """Write a commented heptad.toml for a table and its target; answers the files. Raises what is wrong with either."""
    from heptad.data import suggest_settings

    path = folder / FILE
    _refuse_to_overwrite([path])
    write_atomically(path, suggest_settings(table, target, time, folder).encode())
    return [path]


def _differs(path: Path, data: bytes) -> bool:
    return path.exists() and path.read_bytes() != data


def _refuse_to_overwrite(paths: "Iterable[Path]") -> None:
    taken = [path for path in paths if path.exists()]
    if taken:
        raise InputError(
            f"{taken[0].parent.resolve()} has {', '.join(path.name for path in taken)} already.",
            remedy="choose an empty folder, or remove what is there",
        )
