"""Plans as records: one at a time an endpoint, from its triggers to its outcome."""

from collections.abc import Sequence
from datetime import datetime

from heptad.core import graph
from heptad.core.errors import ConflictError
from heptad.core.identity import current_actor
from heptad.core.query import Query
from heptad.core.records import AliasMove, Attribute, Change, NewEvent, Record, Scalar
from heptad.core.workspace import Workspace
from heptad.lifecycle.records import Outcome, Plan, Stage, Trigger
from heptad.release import ModelVersion
from heptad.serving import Strategy

OPEN = "open"
"""Alias of the plan that has not ended; it moves with each act, so that of two acts at once one fails."""


class Plans:
    """Begins plans, moves them from stage to stage, and ends them; each act is one transaction with its event.

    An act on a plan that somebody else has moved or ended meanwhile raises `ConflictError` and changes nothing.
    """

    def __init__(self, workspace: Workspace, endpoint: str) -> None:
        self._workspace = workspace
        self._endpoint = endpoint
        self._scope = f"plans:{endpoint}"

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
            aliases=[AliasMove(scope=self._scope, name=OPEN, target="@", expected=0)],
            event="lifecycle.plan_started",
            event_body={"why": [trigger.sentence for trigger in triggers]},
        )

    def on_trial(self, plan: Record[Plan], challenger: Record[ModelVersion]) -> Record[Plan]:
        """The challenger is tried from now on."""
        since = self._workspace.clock.now().isoformat()
        return self._move(plan, "trial", "lifecycle.trial_started", challenger=challenger.id, tried_since=since)

    def end(self, plan: Record[Plan], outcome: Outcome, reason: str) -> Record[Plan]:
        ended = self._workspace.clock.now().isoformat()
        return self._move(plan, "ended", "lifecycle.plan_finished", outcome=outcome, reason=reason, ended=ended)

    def current(self) -> Record[Plan] | None:
        """The plan that has not ended."""
        return graph.find_alias(self._workspace, self._scope, OPEN, Plan)

    def recent(self, limit: int = 1000) -> list[Record[Plan]]:
        """Newest first, in the order in which they were begun, which a clock that is set back does not change."""
        return graph.find(self._workspace, Plan, Query(kind=Plan.kind, scopes=[self._endpoint]), limit)

    def _move(self, plan: Record[Plan], stage: Stage, event: str, **values: Scalar) -> Record[Plan]:
        if OPEN not in plan.aliases:
            raise ConflictError(f"{plan.id} has ended.", remedy=f"see how: heptad lifecycle show {plan.id}")
        now: dict[str, Scalar] = {"stage": stage, **values}
        target = None if stage == "ended" else plan.id
        self._workspace.store.write(
            Change(
                attributes=[Attribute(plan.id, key, value) for key, value in now.items()],
                aliases=[AliasMove(scope=self._scope, name=OPEN, target=target, expected=plan.aliases[OPEN])],
                events=[NewEvent(kind=event, subject=plan.id, body=now)],
                at=self._workspace.clock.now(),
                actor=current_actor(),
            )
        )
        return graph.load(self._workspace, plan.id, Plan)
