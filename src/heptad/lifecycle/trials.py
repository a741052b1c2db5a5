"""Holds trials: gathers the live rows of both sides, has them judged, and records the verdict."""

from datetime import datetime

from heptad.core import graph
from heptad.core.errors import NotFoundError
from heptad.core.records import Record, derived_id
from heptad.core.settings import ProjectSettings, duration
from heptad.core.workspace import Workspace
from heptad.lifecycle.records import Plan, Verdict
from heptad.lifecycle.rollout import Side, Trial, judge
from heptad.lifecycle.settings import RetrainSettings
from heptad.monitoring import Monitoring
from heptad.release import ModelVersion
from heptad.training import Candidate

_SCALES = {"rmse": "rmse", "r2": "rmse", "mae": "mae", "median_error": "mae"}
"""The metric of a regression to the error at release that the allowed harm is a share of."""


class Trials:
    """A challenger beside the champion, from the moment it was put there."""

    def __init__(
        self, workspace: Workspace, project: ProjectSettings, settings: RetrainSettings, monitoring: Monitoring
    ) -> None:
        self._workspace = workspace
        self._project = project
        self._settings = settings
        self._monitoring = monitoring

    def hold(
        self, plan: Record[Plan], champion: Record[ModelVersion], challenger: Record[ModelVersion], now: datetime
    ) -> Record[Verdict] | None:
        """The verdict where the trial is over at `now`, `None` while it runs.

        It rests on the rows and labels until the trial's end, however much later somebody looks.
        """
        trial = self.trial(plan, champion, challenger)
        if now <= trial.started:
            return None
        until = min(now, trial.ends)
        rows = self._monitoring.trial_rows(
            trial.champion.name, trial.challenger.name, trial.started, until, known_at=until
        )
        standing = judge(trial, rows, now)
        if standing.state == "running":
            return None
        return graph.save(
            self._workspace,
            standing.verdict(plan=plan.id, champion=champion.id, challenger=challenger.id),
            scope=plan.scope,
            key=[plan.id],
            made_from=[("plan", plan.id), ("champion", champion.id), ("challenger", challenger.id)],
            event="lifecycle.trial_ended",
        )

    def verdict(self, plan: Record[Plan]) -> Record[Verdict] | None:
        """The verdict that was given, should the turn have been cut off behind it."""
        try:
            return graph.load(self._workspace, derived_id(Verdict.prefix, plan.scope, plan.id), Verdict)
        except NotFoundError:
            return None

    def trial(self, plan: Record[Plan], champion: Record[ModelVersion], challenger: Record[ModelVersion]) -> Trial:
        """What is agreed before a trial begins, from the settings and what was measured at release."""
        old = graph.load(self._workspace, champion.body.candidate, Candidate).body
        new = graph.load(self._workspace, challenger.body.candidate, Candidate).body
        scale = old.evaluation.value(_SCALES.get(old.evaluation.metric, ""))
        return Trial(
            started=datetime.fromisoformat(str(plan.attributes["tried_since"])),
            length=duration(self._settings.trial),
            task=old.signature.task,
            classes=len(old.signature.classes),
            metric=old.evaluation.metric,
            harm=self._settings.harm,
            champion=Side(name=champion.body.label, threshold=old.signature.threshold),
            challenger=Side(name=challenger.body.label, threshold=new.signature.threshold),
            minimum_rows=self._monitoring.settings.minimum_rows,
            scale=scale.value if scale else 1.0,
            seed=self._project.seed,
        )
