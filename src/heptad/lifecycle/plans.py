"""Plans as records: one at a time an endpoint, from its triggers to its outcome."""

from collections.abc import Sequence
from datetime import datetime

from heptad.core import graph
from heptad.core.query import All, Compare, Order, Query
from heptad.core.records import Record, Scalar
from heptad.core.workspace import Workspace
from heptad.lifecycle.records import Outcome, Plan, Stage, Trigger
from heptad.release import ModelVersion
from heptad.serving import Strategy


class Plans:
    """Begins plans, moves them from stage to stage, and ends them; each act is one transaction with its event."""

    def __init__(self, workspace: Workspace, endpoint: str) -> None:
        self._workspace = workspace
        self._endpoint = endpoint

    def begin(
        self,
        triggers: Sequence[Trigger],
        champion: Record[ModelVersion],
        windows: Sequence[str],
        strategy: Strategy,
        now: datetime,
    ) -> Record[Plan]:
        """A new plan; asked again for the same moment, the plan that is there."""
        plan = Plan(
            endpoint=self._endpoint,
            triggers=list(triggers),
            windows=list(windows),
            champion=champion.id,
            strategy=strategy,
        )
        reports = dict.fromkeys(trigger.report for trigger in triggers if trigger.report)
        return graph.save(
            self._workspace,
            plan,
            scope=self._endpoint,
            key=[self._endpoint, now],
            made_from=[("champion", champion.id), *(("report", report) for report in reports)],
            attributes={"stage": "retraining"},
            event="lifecycle.plan_started",
            event_body={"why": [trigger.sentence for trigger in triggers]},
        )

    def on_trial(self, plan: Record[Plan], challenger: Record[ModelVersion]) -> Record[Plan]:
        return self._move(plan, "trial", "lifecycle.trial_started", challenger=challenger.id)

    def end(self, plan: Record[Plan], outcome: Outcome, reason: str) -> Record[Plan]:
        ended = self._workspace.clock.now().isoformat()
        return self._move(plan, "ended", "lifecycle.plan_finished", outcome=outcome, reason=reason, ended=ended)

    def current(self) -> Record[Plan] | None:
        """The plan that has not ended."""
        open_plans = self._find(Compare("stage", "!=", "ended"), limit=1)
        return open_plans[0] if open_plans else None

    def recent(self, limit: int = 1000) -> list[Record[Plan]]:
        """Newest first."""
        return self._find(All(), limit=limit)

    def _find(self, where: All | Compare, limit: int) -> list[Record[Plan]]:
        query = Query(kind=Plan.kind, scopes=[self._endpoint], where=where, order=[Order("@at", descending=True)])
        return graph.find(self._workspace, Plan, query, limit)

    def _move(self, plan: Record[Plan], stage: Stage, event: str, **values: Scalar) -> Record[Plan]:
        graph.set_attributes(self._workspace, plan.id, {"stage": stage, **values}, event)
        return graph.load(self._workspace, plan.id, Plan)
