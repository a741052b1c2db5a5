"""The front of an erasure: finds what there is, says it, removes it step by step, and finishes what was cut off."""

import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeAlias

import msgspec

from heptad.core import graph
from heptad.core.errors import ConflictError, NotFoundError
from heptad.core.faults import boundary
from heptad.core.garbage import unreferenced
from heptad.core.identity import acting_as, as_reason, current_actor
from heptad.core.query import Query
from heptad.core.records import Attribute, Change, Id, NewEvent, Record
from heptad.core.workspace import Workspace
from heptad.data import Data, DatasetVersion, FoundRows, Subjects, scrub_store
from heptad.lifecycle.erasing.certificate import OUTSIDE, Certificate, ErasedFrom, signed
from heptad.lifecycle.erasing.job import Job, Jobs
from heptad.lifecycle.erasing.models import models_that_saw, parts_of_models
from heptad.lifecycle.erasing.searching import Searched, long_enough, search_workspace
from heptad.lifecycle.erasing.tasks import forget_results, results
from heptad.lifecycle.plans import Plans
from heptad.lifecycle.records import Erasure, SeenBy, Trigger
from heptad.lifecycle.settings import RetrainSettings
from heptad.release import Release
from heptad.serving import ForgetPredictions, Serving
from heptad.training import find_scores, forget_scores

Progress: TypeAlias = Callable[[str, float], None]
"""Told what is being done, and which share of all is done, 0 to 1."""
_VERSIONS, _QUARANTINE, _SCORES = "data versions", "quarantine", "scores of held-out rows"
_PREDICTIONS, _LABELS, _ONLINE = "predictions", "labels of predictions", "online features"
_KEPT = "kept of sources"


def silent(what: str, share: float) -> None:
    """Nobody waits."""


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """What there is of people, before anything is removed; says nothing of who they are."""

    found: dict[str, int]
    """Place to rows; a row that is in three versions is three."""
    versions: list[ErasedFrom]
    models: list[SeenBy]
    sources: dict[str, int | None]
    """Sources that still hold rows of theirs, or cannot be read (`None`): nothing is removed there."""
    entities: dict[str, int] = {}
    """Columns by which features are kept online to how many entities only they have; these features go, too."""
    unsure: list[str] = []
    """Columns of entities of which some may be theirs, but others have them too, or no table tells: these stay."""


class Erasures:
    """Erasure over all steps. One at a time; what was begun is finished, by whoever comes next."""

    def __init__(
        self,
        workspace: Workspace,
        settings: RetrainSettings,
        data: Data,
        release: Release,
        serving: Serving,
        plans: Plans,
    ) -> None:
        self._workspace = workspace
        self._settings = settings
        self._data = data
        self._release = release
        self._serving = serving
        self._plans = plans
        self._jobs = Jobs(workspace)

    def look(self, subjects: Subjects) -> Inventory:
        """What an erasure would remove. Nothing is written, but that the journal of answers moves into its table."""
        subjects = self._data.erasing.with_pseudonyms(subjects)
        return self._inventory(self._found("", subjects, "", 0, retrain=False))

    def erase(
        self, subjects: Subjects, reason: str, *, retrain: bool = False, tell: Progress = silent
    ) -> Record[Erasure]:
        """Remove everything that is kept of these people; with `retrain`, begin a plan to retrain what saw them.

        Interrupted at any point after this has begun, `resume` finishes it. Raises `NotFoundError` where no place
        knows of them, `ConflictError` while another erasure is at work.
        """
        reason = as_reason(reason)
        with self._jobs.one_erasure():
            self._finish_all(tell)
            tell("looking for them", 0.0)
            people = len(subjects.keys)
            subjects = self._data.erasing.with_pseudonyms(subjects)
            job = self._found(os.urandom(8).hex(), subjects, reason, people, retrain=retrain)
            if not any(job.found.values()) and not any(job.sources.values()):
                raise NotFoundError(
                    "row with these values of", ", ".join(subjects.columns), remedy="heptad data erase --dry-run"
                )
            self._jobs.keep(job)
            boundary("erasure.after_job")
            return self._finish(job, tell)

    def resume(self, tell: Progress = silent) -> list[Record[Erasure]]:
        """Finish every erasure that was cut off; raises `ConflictError` while another process does."""
        if not self.is_open():
            return []
        with self._jobs.one_erasure():
            return self._finish_all(tell)

    def is_open(self) -> bool:
        """Whether an erasure was begun and is not done."""
        return next(iter(self._jobs), None) is not None

    def recent(self, limit: int = 1000) -> list[Record[Erasure]]:
        """Newest first."""
        return graph.find(self._workspace, Erasure, Query(kind=Erasure.kind, scopes=[self._workspace.name]), limit)

    def certificate(self, erasure: Id) -> bytes:
        """The signed certificate of an erasure, whoever finished it.

        Raises `NotFoundError` for an id of none, `ConflictError` for one that is not done.
        """
        found = graph.load(self._workspace, erasure, Erasure)
        digest = found.attributes.get("certificate")
        if digest is None:
            raise ConflictError(f"{erasure} is not done.", remedy="finish it: heptad data erase --resume")
        return self._workspace.blobs.get(str(digest))

    def _finish_all(self, tell: Progress) -> list[Record[Erasure]]:
        return [self._finish(job, tell) for job in self._jobs]

    def _found(self, token: str, subjects: Subjects, reason: str, people: int, *, retrain: bool) -> Job:
        workspace, erasing = self._workspace, self._data.erasing
        rows = erasing.find(subjects)
        scores = find_scores(workspace, rows.ids)
        serving = ForgetPredictions(workspace)
        predictions = serving.find(subjects, rows.ids)
        # First, since a stream lands what is waiting when it is read.
        entities = erasing.entities(subjects)
        sources = dict(erasing.in_sources(subjects, entities.own))
        found = {
            _VERSIONS: sum(rows.versions.values()),
            _QUARANTINE: erasing.in_quarantine(subjects),
            _KEPT: erasing.in_kept(subjects, entities.own),
            _ONLINE: erasing.in_features(subjects, entities.own),
            _SCORES: scores.rows,
            _PREDICTIONS: len(predictions),
            _LABELS: serving.count_labels(predictions),
        }
        tasks = [digest for result in results(workspace) for digest in result.body.artifacts]
        return Job(
            token=token,
            subjects=subjects,
            people=people,
            reason=reason,
            asked_at=workspace.clock.now(),
            actor=current_actor(),
            retrain=retrain,
            rows=rows,
            entities=entities.own,
            unsure=entities.unsure,
            predictions=predictions,
            artifacts=sorted({*scores.artifacts, *tasks, *erasing.artifacts(rows)}),
            found=found,
            sources=sources,
        )

    def _inventory(self, job: Job) -> Inventory:
        return Inventory(
            found=job.found,
            versions=self._versions(job.rows),
            models=models_that_saw(self._workspace, self._serving, job.rows.versions, job.values()),
            sources=job.sources,
            entities=job.entity_counts(),
            unsure=job.unsure,
        )

    def _versions(self, rows: FoundRows) -> list[ErasedFrom]:
        loaded = [(graph.load(self._workspace, one, DatasetVersion).body, gone) for one, gone in rows.versions.items()]
        found = [ErasedFrom(name=body.name, version=body.version, rows=gone) for body, gone in loaded]
        return sorted(found, key=lambda one: (one.name, one.version))

    def _finish(self, job: Job, tell: Progress) -> Record[Erasure]:
        with acting_as(job.actor):
            erasure = self._recorded(job)
            if erasure.attributes.get("stage") != "done":
                erasure = self._completed(erasure, job, tell)
            self._jobs.remove(job)
            return erasure

    def _recorded(self, job: Job) -> Record[Erasure]:
        """The record of the erasure; the one that is there, where it was cut off before."""
        body = Erasure(
            columns=job.subjects.columns,
            subjects=job.people,
            reason=job.reason,
            found=job.found,
            models=models_that_saw(self._workspace, self._serving, job.rows.versions, job.values()),
        )
        return graph.save(
            self._workspace,
            body,
            scope=self._workspace.name,
            key=[job.token],
            made_from=[("erased_from", version) for version in job.rows.versions],
            attributes={"stage": "open"},
            event="lifecycle.erasure_started",
            event_body={"columns": body.columns, "subjects": body.subjects, "found": body.found},
        )

    def _completed(self, erasure: Record[Erasure], job: Job, tell: Progress) -> Record[Erasure]:
        workspace, values = self._workspace, job.values()
        tell("data versions, quarantine, caches, features", 0.1)
        self._data.erasing.forget(job.subjects, job.rows, erasure.id, job.asked_at, job.entities)
        tell("scores and results", 0.5)
        forget_scores(workspace, job.rows.ids)
        forget_results(workspace, values)
        tell("predictions and labels", 0.6)
        predictions = ForgetPredictions(workspace)
        # Also those that were answered since the rows were looked for.
        predictions.forget(sorted({*job.predictions, *predictions.find(job.subjects, job.rows.ids)}))
        tell("old files", 0.7)
        unmentioned = set(unreferenced(workspace, timedelta()))
        workspace.blobs.delete([digest for digest in job.artifacts if digest in unmentioned])
        scrub_store(workspace)
        tell("searching what is left", 0.8)
        longer = self._data.erasing.longer_words(long_enough(values))
        searched = search_workspace(workspace, values, parts_of_models(workspace), longer)
        plan = self._plan(erasure, job)
        return self._done(erasure, job, searched, plan)

    def _plan(self, erasure: Record[Erasure], job: Job) -> str:
        """The plan that retrains what saw the rows, where one was asked for; an open one does as well."""
        champion = self._release.champion()
        if not job.retrain or champion is None or not erasure.body.models:
            return ""
        models = ", ".join(one.label for one in erasure.body.models)
        trigger = Trigger(rule="erasure", sentence=f"Rows that {models} saw were erased.", report="")
        strategy = self._serving.settings.strategy
        try:
            return self._plans.begin([trigger], champion, self._settings.train_on, strategy, job.asked_at).id
        except ConflictError:
            current = self._plans.current()
            return current.id if current else ""

    def _done(self, erasure: Record[Erasure], job: Job, searched: Searched, plan: str) -> Record[Erasure]:
        now = self._workspace.clock.now()
        certificate = self._certificate(erasure, job, searched, plan, now)
        digest = self._workspace.blobs.put(signed(self._workspace, certificate))
        rows = sum(erasure.body.found.values())
        values: Mapping[str, str | int] = {
            "stage": "done",
            "finished": now.isoformat(),
            "rows": rows,
            "certificate": digest,
            "plan": plan,
        }
        told = {"rows": rows, "certificate": digest, "still_holding": len(searched.holding), "plan": plan}
        self._workspace.store.write(
            Change(
                attributes=[Attribute(erasure.id, key, value) for key, value in values.items()],
                events=[NewEvent(kind="lifecycle.erasure_finished", subject=erasure.id, body=told)],
                at=now,
                actor=current_actor(),
            )
        )
        return graph.load(self._workspace, erasure.id, Erasure)

    def _certificate(
        self, erasure: Record[Erasure], job: Job, searched: Searched, plan: str, now: datetime
    ) -> Certificate:
        return Certificate(
            project=self._workspace.name,
            erasure=erasure.id,
            asked_at=job.asked_at,
            finished_at=now,
            actor=job.actor,
            columns=job.subjects.columns,
            subjects=job.people,
            removed=erasure.body.found,
            versions=self._versions(job.rows),
            models=erasure.body.models,
            plan=plan,
            files_searched=searched.files,
            bytes_searched=searched.bytes,
            still_holding=searched.holding,
            in_models=searched.in_models,
            sources_still_holding=job.sources,
            entities=job.entity_counts(),
            unsure=job.unsure,
            outside=list(OUTSIDE),
        )
