"""The front door of step 4: decides on candidates, packs and numbers versions, and says which one is champion."""

import builtins

import polars as pl

from heptad.core import graph
from heptad.core.errors import InputError, RefusedError
from heptad.core.records import Record
from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.data import Data, DatasetVersion
from heptad.release.card import Subject
from heptad.release.decisions import Decisions
from heptad.release.describe import VersionDetails, show_version
from heptad.release.package import Package
from heptad.release.packages import Packages
from heptad.release.records import Decision, ModelVersion
from heptad.release.registry import Registry, VersionRef, check_gated
from heptad.release.reproduce import Progress, Reproduction, reproduce
from heptad.release.settings import ReleaseSettings
from heptad.training import Candidate, Training


class Release:
    """The versions of one project's model. What is done twice, as after a crash, is done once."""

    def __init__(
        self,
        workspace: Workspace,
        project: ProjectSettings,
        settings: ReleaseSettings,
        data: Data,
        training: Training,
    ) -> None:
        self.settings = settings
        self._workspace = workspace
        self._project = project
        self._data = data
        self._training = training
        self._registry = Registry(workspace, workspace.name)
        self._packages = Packages(workspace)
        self._decisions = Decisions(workspace, project, settings, training, self._packages)

    def decide(
        self,
        candidate: Record[Candidate],
        champion: Record[ModelVersion] | None = None,
        frame: pl.DataFrame | None = None,
    ) -> Record[Decision]:
        """Hold the gates against a candidate and keep the decision, also where it is no.

        Candidate and champion are measured on the same rows: those of `frame` (columns of the candidate's data
        version; rows without a label do not count), or else the candidate's held-out rows.
        """
        return self._decisions.decide(candidate, champion, frame)

    def register(self, candidate: Record[Candidate], decision: Record[Decision]) -> Record[ModelVersion]:
        """Pack and sign an accepted candidate and give it a number; beside a champion it becomes `challenger`.

        What learnt from a sample has the name of the sample, and numbers of its own. Raises `RefusedError` where the
        decision was no.
        """
        if decision.body.candidate != candidate.id:
            raise InputError(f"Decision {decision.id} is about {decision.body.candidate}, not about {candidate.id}.")
        if not decision.body.accepted:
            raise RefusedError(
                f"Candidate {candidate.id} cannot become a version. {decision.body.reason}",
                remedy="train another candidate, or change [release] gates and decide again",
            )
        subject = self._subject(candidate, decision)
        registry = Registry(self._workspace, subject.dataset.body.name)
        registered = registry.of_candidate(candidate.id)
        if registered:
            return registered
        package = self._packages.make(subject)
        evaluation = candidate.body.evaluation
        main = evaluation.value(evaluation.metric)
        version = ModelVersion(
            name=subject.dataset.body.name,
            version=0,
            package=package,
            candidate=candidate.id,
            decision=decision.id,
            estimator=candidate.body.estimator,
            metric=evaluation.metric,
            value=main.value if main else None,
            run=candidate.body.run,
            files=self._packages.files(subject),
        )
        made_from = [("candidate", candidate.id), ("decision", decision.id), ("external", candidate.body.external)]
        return registry.add(version, [(role, one) for role, one in made_from if one])

    def promote(self, version: VersionRef, reason: str, *, expected: VersionRef | None = None) -> Record[ModelVersion]:
        """Make a version the champion, with a sentence that says why; `expected` names the champion to replace.

        Raises `RefusedError` where it was refused or lacks approvals, `ConflictError` where somebody was faster.
        """
        return self._registry.promote(version, reason, approvals=self.settings.approvals, expected=expected)

    def rollback(self, reason: str, *, expected: VersionRef | None = None) -> Record[ModelVersion]:
        """Make the champion before the present one champion again; `expected` names the one to roll back."""
        return self._registry.rollback(reason, expected=expected)

    def approve(self, version: VersionRef, reason: str) -> Record[ModelVersion]:
        """Note that the present actor approves of a version."""
        return self._registry.approve(version, reason)

    def refuse(self, version: VersionRef, reason: str) -> Record[ModelVersion]:
        """Note that a version shall never be champion."""
        return self._registry.refuse(version, reason)

    def champion(self) -> Record[ModelVersion] | None:
        """The version in force."""
        return self._registry.find("champion")

    def version(self, ref: VersionRef) -> Record[ModelVersion]:
        """A version by number, `NAME@NUMBER`, alias, id or candidate; raises `NotFoundError` with what there is."""
        return self._registry.version(ref)

    def list(self, limit: int = 100) -> builtins.list[Record[ModelVersion]]:
        """The versions, newest first."""
        return self._registry.versions(limit)

    def show(self, ref: VersionRef) -> VersionDetails:
        """Everything that is known of a version."""
        return show_version(self._workspace, self._project.about, ref)

    def package(self, version: Record[ModelVersion]) -> Package:
        """The version's package, opened and verified; the last few stay open in this process."""
        return self._packages.open(version)

    def reproduce(self, ref: VersionRef, on_progress: Progress = lambda _what, _share: None) -> Reproduction:
        """Train a version again from what is recorded, and say whether it is identical, or what differs."""
        version = self.version(ref)
        check_gated(version)
        candidate = graph.load(self._workspace, version.body.candidate, Candidate)
        if candidate.body.external:
            raise RefusedError(
                f"{version.body.label} was trained elsewhere, so it cannot be trained again here.",
                remedy=f"what it was made from: heptad why {version.body.label}",
            )
        return reproduce(self._workspace, self._data, self._training, candidate, version.body.label, on_progress)

    def _subject(self, candidate: Record[Candidate], decision: Record[Decision]) -> Subject:
        dataset = graph.load(self._workspace, candidate.body.dataset, DatasetVersion)
        return Subject(about=self._project.about, candidate=candidate, dataset=dataset, decision=decision)
