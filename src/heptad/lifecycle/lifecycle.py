"""The front door of step 7: turns the loop, promotes, rolls back, and plays the past through it."""

from functools import cached_property

from heptad.core import graph
from heptad.core.clock import FileClock
from heptad.core.errors import InputError, WorkspaceError
from heptad.core.files import one_process
from heptad.core.records import Record
from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.data import Data
from heptad.lifecycle.costs import Costs
from heptad.lifecycle.erasing.erasures import Erasures
from heptad.lifecycle.happenings import Watcher, unwatched
from heptad.lifecycle.line import Line
from heptad.lifecycle.loop import Loop
from heptad.lifecycle.plans import Plans
from heptad.lifecycle.records import Plan, Rehearsal
from heptad.lifecycle.rehearsal import Player, Span
from heptad.lifecycle.retention import Retention
from heptad.lifecycle.retraining import Retraining
from heptad.lifecycle.settings import RetentionSettings, RetrainSettings
from heptad.lifecycle.summary import Summaries, Summary
from heptad.lifecycle.trials import Trials
from heptad.monitoring import Monitoring
from heptad.release import ModelVersion, Release
from heptad.serving import Deployment, Serving
from heptad.training import Training


class Lifecycle:
    """Keeps one endpoint alive. Everything it does can be done again without doing it twice."""

    def __init__(
        self,
        workspace: Workspace,
        project: ProjectSettings,
        settings: RetrainSettings,
        data: Data,
        training: Training,
        release: Release,
        serving: Serving,
        monitoring: Monitoring,
        retention: RetentionSettings,
    ) -> None:
        self.settings = settings
        self._workspace = workspace
        self._project = project
        self._data = data
        self._training = training
        self._release = release
        self._serving = serving
        self._monitoring = monitoring
        self._plans = Plans(workspace, serving.endpoint)
        self.retention = Retention(workspace, retention, data)
        self.erasures = Erasures(workspace, settings, data, release, serving, self._plans)

    @cached_property
    def _loop(self) -> Loop:
        return Loop(
            self._workspace,
            self.settings,
            self._plans,
            Retraining(self._workspace, self.settings, self._data, self._training, self._release),
            Trials(self._workspace, self._project, self.settings, self._monitoring),
            self._data,
            self._release,
            self._serving,
            self._monitoring,
        )

    def turn(self, watch: Watcher = unwatched) -> None:
        """Do what is due now: measure, plan, retrain, judge, deploy. A turn that was cut off is completed.

        An erasure that was cut off is finished first; what `[retention]` says is done last.
        """
        self.erasures.resume()
        self._loop.turn(watch)
        self.retention.turn(watch)

    def plans(self) -> list[Record[Plan]]:
        """Newest first."""
        return self._plans.recent()

    def deploy(self, watch: Watcher = unwatched) -> Record[Deployment]:
        """Let the champion, and a challenger on trial, answer; raises `InputError` where there is no champion."""
        deployment = self._loop.deploy_what_follows(watch)
        if deployment is None:
            raise InputError(
                "There is no champion to deploy.", remedy="heptad run, then heptad release promote VERSION"
            )
        return deployment

    def promote(self, version: Record[ModelVersion], reason: str) -> Record[Deployment]:
        """Make a version the champion and let it answer; a plan in progress ends."""
        self._release.promote(version, reason)
        self._loop.settle(f"{version.body.label} was promoted by hand: {reason}")
        return self.deploy()

    def rollback(self, reason: str) -> Record[Deployment]:
        """Make the previous champion the champion again and let it answer; a plan in progress ends."""
        self._release.rollback(reason)
        self._loop.settle(f"It was rolled back by hand: {reason}")
        return self.deploy()

    def rehearse(self, span: Span, costs: Costs | None = None) -> Record[Rehearsal]:
        """Play a span of the past through the loop on a server of its own; goes on where it was cut off.

        The workspace has to run on a shared clock, which the rehearsal moves. `costs` watches and adds up seconds.
        `RefusedError` while another process plays one here: there is one clock.
        """
        clock = self._workspace.clock
        champion = self._release.champion()
        if not isinstance(clock, FileClock) or champion is None:
            raise WorkspaceError(
                "A rehearsal needs a champion, and a workspace that was opened with a clock of its own."
            )
        costs = costs or Costs()
        with one_process(self._workspace.folder / "rehearsal.lock", "playing a rehearsal"):
            rehearsal = self._begin(span, champion)
            self.deploy(costs)
            player = Player(self._workspace, clock, self._data, self._serving, self._loop, costs)
            with Line(self._serving, clock.path) as line:
                player.play(rehearsal, line, span.singles)
        return graph.load(self._workspace, rehearsal.id, Rehearsal)

    def summary(self, rehearsal: Record[Rehearsal]) -> Summary:
        """What a rehearsal came to, by month and in all, beside the first model left as it was."""
        return self._summaries.of(rehearsal)

    def report(self, rehearsal: Record[Rehearsal]) -> str:
        """The same as one HTML page that needs nothing else."""
        from heptad.lifecycle.report import render_rehearsal

        drift = self._monitoring.settings.drift
        return render_rehearsal(self._workspace, rehearsal, self._summaries, self._project.about, drift)

    @cached_property
    def _summaries(self) -> Summaries:
        return Summaries(
            self._workspace,
            self._project,
            self._data,
            self._training,
            self._release,
            self._serving,
            self._monitoring,
            self._plans,
        )

    def _begin(self, span: Span, champion: Record[ModelVersion]) -> Record[Rehearsal]:
        body = Rehearsal(
            endpoint=self._serving.endpoint,
            start=span.start,
            end=span.end,
            every=self._monitoring.settings.window,
            first_version=champion.id,
        )
        return graph.save(
            self._workspace,
            body,
            scope=self._serving.endpoint,
            key=[span.start, span.end],
            made_from=[("champion", champion.id)],
            event="lifecycle.rehearsal_started",
        )
