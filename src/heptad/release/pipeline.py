"""Steps 1 to 4 as one flow: collect, search, train and judge, decide, register."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from heptad.core import graph
from heptad.core.errors import HeptadError, TaskError
from heptad.core.flow import Flow, task
from heptad.core.records import Id, Record
from heptad.core.shown import Shown
from heptad.core.workspace import Workspace
from heptad.data import ERASURE, Data, DatasetVersion
from heptad.experiments import Experiments, Run
from heptad.release.gates import parse_gates
from heptad.release.records import Decision, ModelVersion
from heptad.release.release import Release
from heptad.training import Candidate, Training, metric_names

if TYPE_CHECKING:
    from heptad.training import TrialEnded

FLOW = "run"


class RunOutcome(Shown, msgspec.Struct, frozen=True, kw_only=True):
    """What steps 1 to 4 came to; `version` is `None` where the decision was no."""

    dataset: Record[DatasetVersion]
    best: Record[Run]
    candidate: Record[Candidate]
    decision: Record[Decision]
    version: Record[ModelVersion] | None


OnRecord: TypeAlias = Callable[[str, Record[Any]], None]
"""Told a step and its record as soon as it is done, or found done."""
OnTrial: TypeAlias = "Callable[[TrialEnded], None]"


class Pipeline:
    """Takes the data to a decision. Run again, only what changed, and what follows from it, is done anew."""

    def __init__(
        self, workspace: Workspace, data: Data, experiments: Experiments, training: Training, release: Release
    ) -> None:
        self._workspace = workspace
        self._data = data
        self._experiments = experiments
        self._training = training
        self._release = release

    def run(self, until: datetime | None, sample: int, on_record: OnRecord, on_trial: OnTrial) -> RunOutcome:
        """Rows up to `until` (all, where it is `None`), or about `sample` of them; raises the error of what failed.

        The first version that holds its gates becomes the champion, unless it learnt from a sample; a later one waits
        as `challenger` until somebody, or the loop, promotes it.
        """
        # A sample of rows that the champion has learnt from compares nothing.
        champion = None if sample else self._release.champion()
        inputs = {
            "sample": sample,
            "champion": champion.id if champion else "",
            "search": self._experiments.settings,
            "validate": self._training.settings,
            "gates": self._release.settings,
        }
        told: set[Id] = set()

        def tell(step: str, record: Record[Any]) -> None:
            if record.id not in told:
                told.add(record.id)
                on_record(step, record)

        try:
            ids = Flow(FLOW, self._tasks(until, champion, tell, on_trial)).run(self._workspace, inputs)
        except TaskError as failed:
            # What a person has to read is the error itself, not which task of ours raised it.
            if isinstance(failed.__cause__, HeptadError):
                raise failed.__cause__ from None
            raise
        outcome = self._outcome(ids)
        for step, record in zip(("data", "experiments", "training", "release"), self._records(outcome), strict=True):
            tell(step, record)
        return outcome

    def _tasks(
        self, until: datetime | None, champion: Record[ModelVersion] | None, tell: OnRecord, on_trial: OnTrial
    ) -> list[Callable[..., Id]]:
        """The tasks; five answer the id of the record that they wrote, so that equal ids mean nothing changed.

        `until` is no input of the flow: two processes that run at once name different moments, and shall still share
        the steps behind an equal version of the data.
        """
        workspace, load = self._workspace, graph.load

        def done(step: str, record: Record[Any]) -> Id:
            tell(step, record)
            return record.id

        @task(cache=False)
        def dataset(sample: int) -> Id:
            version = self._data.collect(until=until, sample=sample)
            schema = version.body.schema
            # Read now, so that a mistake in them is not told after the search only.
            parse_gates(self._release.settings.gates, metric_names(schema.task, len(schema.classes)))
            return done("data", version)

        def best(dataset: Id, search: object) -> Id:  # noqa: ARG001 - another search is another task
            version = load(workspace, dataset, DatasetVersion)
            return done("experiments", self._training.search(version, on_trial))

        @task(cache=False)
        def erased(dataset: Id) -> str:
            return str(load(workspace, dataset, DatasetVersion).attributes.get(ERASURE, ""))

        # Other judging is another task too, and so are rows of which some were erased since.
        def candidate(dataset: Id, best: Id, validate: object, erased: str) -> Id:  # noqa: ARG001
            version, run = load(workspace, dataset, DatasetVersion), load(workspace, best, Run)
            return done("training", self._training.train(version, run))

        def decision(candidate: Id, champion: Id, gates: object) -> Id:  # noqa: ARG001 - and so are other gates
            present = load(workspace, champion, ModelVersion) if champion else None
            return done("release", self._release.decide(load(workspace, candidate, Candidate), present))

        def version(candidate: Id, decision: Id, sample: int) -> Id:
            decided = load(workspace, decision, Decision)
            if not decided.body.accepted:
                return ""
            registered = self._release.register(load(workspace, candidate, Candidate), decided)
            if champion is None and not sample:
                registered = self._release.promote(registered, "It is the first version that held its gates.")
            return done("release", registered)

        return [dataset, best, erased, candidate, decision, version]

    def _outcome(self, ids: Mapping[str, Id]) -> RunOutcome:
        load, workspace = graph.load, self._workspace
        return RunOutcome(
            dataset=load(workspace, ids["dataset"], DatasetVersion),
            best=load(workspace, ids["best"], Run),
            candidate=load(workspace, ids["candidate"], Candidate),
            decision=load(workspace, ids["decision"], Decision),
            version=load(workspace, ids["version"], ModelVersion) if ids["version"] else None,
        )

    @staticmethod
    def _records(outcome: RunOutcome) -> tuple[Record[Any], ...]:
        return outcome.dataset, outcome.best, outcome.candidate, outcome.decision
