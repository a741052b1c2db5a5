"""One turn of the loop: what happened is measured, what is due is done, what follows is deployed."""

from datetime import datetime

from heptad.core import graph
from heptad.core.errors import RefusedError
from heptad.core.identity import acting_as
from heptad.core.records import Record
from heptad.core.settings import duration
from heptad.core.workspace import Workspace
from heptad.data import Data
from heptad.lifecycle.happenings import Happening, Watcher
from heptad.lifecycle.plans import Plans
from heptad.lifecycle.policies import History, Policies
from heptad.lifecycle.records import Plan
from heptad.lifecycle.retraining import Retraining
from heptad.lifecycle.sentences import sentence_of
from heptad.lifecycle.settings import RetrainSettings
from heptad.lifecycle.trials import Trials
from heptad.monitoring import Monitoring, MonitoringReport
from heptad.release import ModelVersion, Release
from heptad.serving import Deployment, Route, Serving
from heptad.training import Candidate


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
        self._policies = Policies(settings, monitoring.settings.minimum_rows)
        self._retraining = retraining
        self._trials = trials
        self._data = data
        self._release = release
        self._serving = serving
        self._monitoring = monitoring

    def turn(self, watch: Watcher) -> None:
        """Do everything that is due now."""
        now = self._workspace.clock.now()
        champion = self._release.champion()
        if champion is None:
            return
        self._serving.collect_log()
        for window in self._monitoring.due(now):
            report = self._monitoring.report(window.start, window.end, known_at=now)
            watch(Happening(step="monitoring", sentence=in_a_line(report), record=report.id))
        self._collect(now, watch)
        plan = self._plans.current()
        if plan is None:
            triggers = self._policies.due(self._history(champion), now)
            if not triggers:
                return
            strategy = self._serving.settings.strategy
            plan = self._plans.begin(triggers, champion, self._settings.train_on, strategy, now)
            watch(Happening(step="lifecycle", sentence=f"plan: {triggers[0].sentence}", record=plan.id))
        with acting_as(f"plan:{plan.id}"):
            self._advance(plan, champion, now, watch)

    def _advance(self, plan: Record[Plan], champion: Record[ModelVersion], now: datetime, watch: Watcher) -> None:
        if plan.attributes["stage"] == "retraining":
            plan = self._retrain(plan, champion, watch)
        if plan.attributes["stage"] == "trial":
            self._judge(plan, now, watch)
        self.deploy_what_follows(watch)

    def _collect(self, now: datetime, watch: Watcher) -> None:
        """A new version of the data, where the settings ask for one by now; plans collect their own besides."""
        latest = self._data.latest()
        if not self._data.every or (latest and now < latest.body.until + duration(self._data.every)):
            return
        version = self._data.collect(until=now)
        watch(Happening(step="data", sentence=sentence_of(version), record=version.id))

    def _history(self, champion: Record[ModelVersion]) -> History:
        """What the policies are asked about: the champion, the last plan, the reports."""
        last = next(iter(self._plans.recent(limit=1)), None)
        ended = str(last.attributes.get("ended") or "") if last else ""
        candidate = graph.load(self._workspace, champion.body.candidate, Candidate)
        return History(
            champion=champion.id,
            champion_since=datetime.fromisoformat(str(champion.attributes["champion_since"])),
            plan_started=last.at if last else None,
            plan_ended=datetime.fromisoformat(ended) if ended else None,
            reports=self._monitoring.list(),
            reference=candidate.body.evaluation.metrics,
        )

    def _retrain(self, plan: Record[Plan], champion: Record[ModelVersion], watch: Watcher) -> Record[Plan]:
        retrained = self._retraining.retrain(champion, plan.at)
        for candidate in retrained.candidates:
            metric = candidate.body.evaluation.value(candidate.body.evaluation.metric)
            figure = f"{metric.name} {metric.value:.3f}" if metric else "no figure"
            sentence = f"trained on {candidate.body.window} ({candidate.body.split.train_rows:,} rows): {figure}"
            watch(Happening(step="training", sentence=sentence, record=candidate.id))
        decision = retrained.decision
        watch(Happening(step="release", sentence=decision.body.reason, record=decision.id))
        if retrained.version is None:
            return self._plans.end(plan, "refused", decision.body.reason)
        return self._plans.on_trial(plan, retrained.version)

    def _judge(self, plan: Record[Plan], now: datetime, watch: Watcher) -> None:
        """Promote or refuse the challenger once its trial is over, or at once where it does harm."""
        challenger = graph.load(self._workspace, str(plan.attributes["challenger"]), ModelVersion)
        champion = graph.load(self._workspace, plan.body.champion, ModelVersion)
        if plan.body.strategy == "all":
            reason = "The strategy is to deploy at once what the gates accept."
            self._promote(plan, champion, challenger, reason, watch)
            return
        verdict = self._trials.hold(plan, champion, challenger, now)
        if verdict is None:
            return
        if verdict.body.promoted:
            self._promote(plan, champion, challenger, verdict.body.reason, watch)
        else:
            self._release.refuse(challenger, verdict.body.reason)
            self._plans.end(plan, "refused", verdict.body.reason)
            watch(Happening(step="lifecycle", sentence=f"refused: {verdict.body.reason}", record=verdict.id))

    def _promote(
        self,
        plan: Record[Plan],
        champion: Record[ModelVersion],
        challenger: Record[ModelVersion],
        reason: str,
        watch: Watcher,
    ) -> None:
        present = self._release.champion()
        if present is None or present.id != challenger.id:
            try:
                self._release.promote(challenger, reason, expected=champion)
            except RefusedError as waiting:
                # People have to approve first; the plan stays on trial, and every turn asks again.
                watch(Happening(step="lifecycle", sentence=f"waiting: {waiting.problem}", record=challenger.id))
                return
        self._plans.end(plan, "promoted", reason)
        watch(Happening(step="lifecycle", sentence=f"promoted {challenger.body.label}: {reason}", record=challenger.id))

    def deploy_what_follows(self, watch: Watcher) -> Record[Deployment] | None:
        """Deploy the routes that the champion and the plan ask for, where they are not in force already."""
        champion = self._release.champion()
        if champion is None:
            return None
        plan = self._plans.current()
        on_trial = plan is not None and plan.attributes["stage"] == "trial"
        challenger = (
            graph.load(self._workspace, str(plan.attributes["challenger"]), ModelVersion) if plan and on_trial else None
        )
        routes = desired_routes(self._serving, champion, plan, challenger)
        current = self._serving.current()
        if current is not None and current.body.routes == routes:
            return current
        reason = plan_reason(plan) if challenger else f"{routes[0].label} is the champion"
        deployment = self._serving.deploy(routes, reason)
        answers = ", ".join(f"{route.label} ({route.role})" for route in routes)
        watch(
            Happening(
                step="serving", sentence=f"generation {deployment.body.generation}: {answers}", record=deployment.id
            )
        )
        return deployment


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


def plan_reason(plan: Record[Plan] | None) -> str:
    return f"trial of {plan.id}" if plan else ""


def in_a_line(report: Record[MonitoringReport]) -> str:
    """A report as one line: the week, its rows, the live version's figure, and how many alerts are new."""
    body = report.body
    live = next((one for one in body.performance if one.role == "live" and one.metrics), None)
    figure = f", {live.version} {live.metrics[0].name} {live.metrics[0].value:.3f}" if live else ""
    alerts = f", {len(body.alerts)} alerts" if body.alerts else ""
    return f"week of {body.start:%d %b}: {body.rows:,} predictions{figure}{alerts}"
