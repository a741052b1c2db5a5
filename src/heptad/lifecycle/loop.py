"""One turn of the loop: what happened is measured, what is due is done, what follows is deployed."""

import logging
from datetime import datetime

import msgspec

from heptad.core import graph
from heptad.core.errors import ConflictError, RefusedError, Retryable, WorkspaceError
from heptad.core.identity import acting_as
from heptad.core.query import Compare
from heptad.core.records import Id, Record
from heptad.core.settings import duration
from heptad.core.workspace import Workspace
from heptad.data import Data
from heptad.lifecycle.collecting import Collector
from heptad.lifecycle.happenings import Happening, Watcher
from heptad.lifecycle.plans import Plans
from heptad.lifecycle.policies import History, Policies
from heptad.lifecycle.records import Outcome, Plan
from heptad.lifecycle.retraining import Retrained, Retraining
from heptad.lifecycle.sentences import sentence_of
from heptad.lifecycle.settings import RetrainSettings
from heptad.lifecycle.trials import Trials
from heptad.monitoring import Monitoring, MonitoringReport
from heptad.release import ModelVersion, Release
from heptad.serving import Deployment, Route, Serving
from heptad.training import Candidate

_log = logging.getLogger(__name__)
_AT_ONCE = "The strategy is to deploy at once what the gates accept."


class Loop:
    """Turns once whenever it is asked to; between two turns it remembers nothing that is not in the store.

    A turn that was cut off, at any point, is completed by the next one: each act finds what is already there.
    """

    def __init__(
        self,
        workspace: Workspace,
        settings: RetrainSettings,
        plans: Plans,
        retraining: Retraining,
        trials: Trials,
        data: Data,
        release: Release,
        serving: Serving,
        monitoring: Monitoring,
    ) -> None:
        self._workspace = workspace
        self._settings = settings
        self._plans = plans
        self._policies = Policies(settings.when, settings.cooldown, monitoring.settings.minimum_rows)
        self._retraining = retraining
        self._trials = trials
        self._data = data
        self._release = release
        self._serving = serving
        self._monitoring = monitoring
        self._collector = Collector(workspace, data)

    def turn(self, watch: Watcher) -> None:
        """Do everything that is due now."""
        now = self._workspace.clock.now()
        champion = self._release.champion()
        if champion is None:
            self._collect(now, watch)
            return
        self._serving.collect_log()
        for window in self._monitoring.due(now):
            report = self._monitoring.report(window.start, window.end, known_at=now)
            watch(Happening(step="monitoring", sentence=in_a_line(report), record=report.id))
        # What an earlier turn decided is deployed first, should that one have been cut off.
        self.deploy_what_follows(watch)
        while plan := self._plans.current() or self._begun(champion, now, watch):
            with acting_as(f"plan:{plan.id}"):
                self._advance(plan, champion, now, watch)
                self.deploy_what_follows(watch)
            if self._plans.current():
                break
            # The next plan may be due at once: later it would be, had this turn been cut off here.
            champion = self._release.champion() or champion
        # Last, so that a broken source keeps no trial from being judged.
        self._collect(now, watch)

    def settle(self, reason: str) -> None:
        """End the plan in progress, as a person has said which version is champion."""
        plan, champion = self._plans.current(), self._release.champion()
        if plan is None or champion is None:
            return
        outcome: Outcome = "promoted" if champion.id == plan.attributes.get("challenger") else "refused"
        try:
            self._plans.end(plan, outcome, reason)
        except ConflictError:
            # A worker was in the midst of it; its next turn sees who is champion now.
            _log.info("%s moved on while it was to be ended: %s", plan.id, reason)

    def _begun(self, champion: Record[ModelVersion], now: datetime, watch: Watcher) -> Record[Plan] | None:
        """A new plan, where one is due."""
        triggers = self._policies.due(self._history(champion), now)
        if not triggers:
            return None
        strategy = self._serving.settings.strategy
        plan = self._plans.begin(triggers, champion, self._settings.train_on, strategy, now)
        watch(Happening(step="lifecycle", sentence=f"plan: {triggers[0].sentence}", record=plan.id))
        return plan

    def _advance(self, plan: Record[Plan], champion: Record[ModelVersion], now: datetime, watch: Watcher) -> None:
        if champion.id not in {plan.body.champion, plan.attributes.get("challenger")}:
            reason = f"{champion.body.label} became champion meanwhile, with which this plan does not compare."
            self._end(plan, "refused", reason, watch)
            return
        if plan.attributes["stage"] == "retraining":
            plan = self._retrain(plan, champion, watch)
        if plan.attributes["stage"] == "trial":
            self._judge(plan, champion, now, watch)

    def _collect(self, now: datetime, watch: Watcher) -> None:
        """A new version of the data, where the settings ask for one by now; plans collect their own besides."""
        for version in self._collector.collect(now):
            watch(Happening(step="data", sentence=sentence_of(version), record=version.id))

    def _history(self, champion: Record[ModelVersion]) -> History:
        """What the policies are asked about: the champion, the last plan, the reports since."""
        last = next(iter(self._plans.recent(limit=1)), None)
        ended = str(last.attributes.get("ended") or "") if last else ""
        candidate = graph.load(self._workspace, champion.body.candidate, Candidate)
        known = History(
            champion=champion.id,
            champion_since=datetime.fromisoformat(str(champion.attributes["champion_since"])),
            plan_started=last.at if last else None,
            plan_ended=datetime.fromisoformat(ended) if ended else None,
            reference=candidate.body.evaluation.metrics,
        )
        since = (known.planned or known.champion_since) - duration(self._monitoring.settings.window)
        reports = self._monitoring.list(where=Compare("start", ">", since.timestamp()))
        return msgspec.structs.replace(known, reports=reports)

    def _retrain(self, plan: Record[Plan], champion: Record[ModelVersion], watch: Watcher) -> Record[Plan]:
        try:
            retrained = self._retraining.retrain(champion, plan.at)
        except (Retryable, ConflictError, WorkspaceError):
            raise
        except Exception as error:  # noqa: BLE001 - repeated in every turn it would fail again, and nothing else be done
            _log.exception("%s failed.", plan.id)
            reason = " ".join(f"Retraining failed: {error or type(error).__name__}".split())
            return self._end(plan, "failed", reason, watch)
        _tell(retrained, watch)
        version = retrained.version
        if version is None:
            return self._plans.end(plan, "refused", retrained.decision.body.reason)
        if version.id == champion.id:
            return self._end(plan, "refused", f"The same data gave the same model, {version.body.label}.", watch)
        if version.attributes["status"] != "registered":
            return self._end(plan, "refused", f"It gave {version.body.label} again, which was refused before.", watch)
        return self._plans.on_trial(plan, version)

    def _judge(self, plan: Record[Plan], champion: Record[ModelVersion], now: datetime, watch: Watcher) -> None:
        """Promote or refuse the challenger once its trial is over, or at once where it does harm."""
        challenger = graph.load(self._workspace, str(plan.attributes["challenger"]), ModelVersion)
        verdict = self._trials.verdict(plan)
        at_once = plan.body.strategy == "all"
        is_champion = champion.id == challenger.id
        if is_champion or challenger.attributes["status"] != "registered":
            # Decided before: by a turn that was cut off, or by a person.
            outcome: Outcome = "promoted" if is_champion else "refused"
            by_hand = _AT_ONCE if at_once and is_champion else f"{challenger.body.label} was {outcome} by hand."
            self._end(plan, outcome, verdict.body.reason if verdict else by_hand, watch)
        elif at_once:
            self._promote(plan, champion, challenger, _AT_ONCE, watch)
        elif verdict := verdict or self._trials.hold(plan, champion, challenger, now):
            if verdict.body.promoted:
                self._promote(plan, champion, challenger, verdict.body.reason, watch)
            else:
                self._release.refuse(challenger, verdict.body.reason)
                self._end(plan, "refused", verdict.body.reason, watch, verdict.id)

    def _promote(
        self,
        plan: Record[Plan],
        champion: Record[ModelVersion],
        challenger: Record[ModelVersion],
        reason: str,
        watch: Watcher,
    ) -> None:
        try:
            self._release.promote(challenger, reason, expected=champion)
        except RefusedError as waiting:
            # People have to approve first; the plan stays on trial, and every turn asks again.
            if plan.attributes.get("waits") != waiting.problem:
                graph.set_attributes(self._workspace, plan.id, {"waits": waiting.problem}, "lifecycle.plan_waits")
                watch(Happening(step="lifecycle", sentence=f"waiting: {waiting.problem}", record=challenger.id))
            return
        self._end(plan, "promoted", reason, watch, challenger.id)

    def _end(self, plan: Record[Plan], outcome: Outcome, reason: str, watch: Watcher, record: Id = "") -> Record[Plan]:
        ended = self._plans.end(plan, outcome, reason)
        watch(Happening(step="lifecycle", sentence=f"{outcome}: {reason}", record=record or plan.id))
        return ended

    def deploy_what_follows(self, watch: Watcher) -> Record[Deployment] | None:
        """Deploy the routes that the champion and the plan ask for, where they are not in force already."""
        champion = self._release.champion()
        if champion is None:
            return None
        plan = self._plans.current()
        tried = str(plan.attributes.get("challenger", "")) if plan else ""
        # Promoted already, and its plan not ended yet, it answers alone.
        challenger = graph.load(self._workspace, tried, ModelVersion) if tried not in {"", champion.id} else None
        routes = desired_routes(self._serving, champion, plan, challenger)
        current = self._serving.current()
        if current is not None and current.body.routes == routes:
            return current
        reason = f"trial of {plan.id}" if plan and challenger else f"{routes[0].label} is the champion"
        deployment = self._serving.deploy(routes, reason)
        answers = ", ".join(f"{route.label} ({route.role})" for route in routes)
        watch(
            Happening(
                step="serving", sentence=f"generation {deployment.body.generation}: {answers}", record=deployment.id
            )
        )
        return deployment


def _tell(retrained: Retrained, watch: Watcher) -> None:
    for candidate in retrained.candidates:
        metric = candidate.body.evaluation.value(candidate.body.evaluation.metric)
        figure = f"{metric.name} {metric.value:.3f}" if metric else "no figure"
        sentence = f"trained on {candidate.body.window} ({candidate.body.split.train_rows:,} rows): {figure}"
        watch(Happening(step="training", sentence=sentence, record=candidate.id))
    decision = retrained.decision
    watch(Happening(step="release", sentence=decision.body.reason, record=decision.id))


def desired_routes(
    serving: Serving, champion: Record[ModelVersion], plan: Record[Plan] | None, challenger: Record[ModelVersion] | None
) -> list[Route]:
    """Who should answer: the champion, and beside it the challenger of a plan on trial."""
    if plan is None or challenger is None:
        return [serving.route(champion, "live", 1.0)]
    if plan.body.strategy == "canary":
        share = serving.settings.canary_share
        return [serving.route(champion, "live", 1.0 - share), serving.route(challenger, "canary", share)]
    return [serving.route(champion, "live", 1.0), serving.route(challenger, "shadow", 1.0)]


def in_a_line(report: Record[MonitoringReport]) -> str:
    """A report as one line: the week, its rows, the live version's figure, and how many alerts are new."""
    body = report.body
    live = next((one for one in body.performance if one.role == "live" and one.metrics), None)
    figure = f", {live.version} {live.metrics[0].name} {live.metrics[0].value:.3f}" if live else ""
    alerts = f", {len(body.alerts)} alerts" if body.alerts else ""
    return f"week of {body.start:%d %b}: {body.rows:,} predictions{figure}{alerts}"
