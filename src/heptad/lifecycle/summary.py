"""What a rehearsal came to: by month and in all, the loop beside the first model left as it was."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import polars as pl

from heptad.core import graph
from heptad.core.records import Record
from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.data import Data, row_ids
from heptad.lifecycle.plans import Plans
from heptad.lifecycle.records import Plan, Rehearsal
from heptad.monitoring import Monitoring
from heptad.release import ModelVersion, Release
from heptad.serving import Serving
from heptad.training import MEASURES, Sample, Training


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """One calendar month in the project's time zone. A score is `None` where the month has labels of one class only."""

    month: str
    predictions: int
    labels: int
    frozen: float | None
    loop: float | None
    alerts: int
    plans: int
    promoted: int
    refused: int


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Figures that are equal in every run on the same versions."""

    metric: str
    frozen: float | None
    loop: float | None
    predictions: int
    labels: int
    alerts: int
    retrained: int
    promoted: int
    refused: int
    failed_requests: int
    months: list[Month]

    def table(self) -> list[dict[str, object]]:
        """A row a month, and one of all, as people read it."""
        return [
            {
                "month": one.month,
                "rows": one.predictions,
                "frozen": one.frozen,
                "loop": one.loop,
                "alerts": one.alerts,
                "plans": one.plans,
                "promoted": one.promoted,
                "refused": one.refused,
            }
            for one in [*self.months, self._all()]
        ]

    def result(self) -> dict[str, object]:
        """The documented keys of `summary.json`; the score's keys carry the metric's short name."""
        short = {"roc_auc": "auc"}.get(self.metric, self.metric)
        values = msgspec.structs.asdict(self)
        named = {f"{short}_frozen": values.pop("frozen"), f"{short}_loop": values.pop("loop")}
        months = [msgspec.structs.asdict(month) for month in self.months]
        return named | values | {"months": months}

    def _all(self) -> Month:
        return Month(
            month="all",
            predictions=self.predictions,
            labels=self.labels,
            frozen=self.frozen,
            loop=self.loop,
            alerts=self.alerts,
            plans=self.retrained,
            promoted=self.promoted,
            refused=self.refused,
        )


class Rehearsed(msgspec.Struct, frozen=True, kw_only=True):
    """A rehearsal that was played: its record, its figures, and its report as an HTML page."""

    rehearsal: Record[Rehearsal]
    summary: Summary
    report: str

    @property
    def observed(self) -> dict[str, object]:
        """Figures of this machine: seconds by step, memory of all processes, latency of single rows."""
        found = {key: value for key, value in self.rehearsal.attributes.items() if key.startswith(_OBSERVED)}
        spent = {
            key.removeprefix("seconds."): round(float(value or 0), 1)
            for key, value in found.items()
            if key.startswith("seconds.")
        }
        return {"by_step": spent} | {key: value for key, value in found.items() if not key.startswith("seconds.")}


_OBSERVED = ("seconds.", "latency_", "peak_")


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """Answered rows (`id`, `at`, `version`, `loop`, `frozen`, and `value`, the label as text, null where none came)."""

    rows: pl.DataFrame
    metric: str
    positive: str | None
    """The class that scores are the probability of; `None` for a regression."""


class Summaries:
    """Reads the records of a rehearsal and scores the first model on the same rows."""

    def __init__(
        self,
        workspace: Workspace,
        project: ProjectSettings,
        data: Data,
        training: Training,
        release: Release,
        serving: Serving,
        monitoring: Monitoring,
        plans: Plans,
    ) -> None:
        self._workspace = workspace
        self._project = project
        self._data = data
        self._training = training
        self._release = release
        self._serving = serving
        self._monitoring = monitoring
        self._plans = plans

    def of(self, rehearsal: Record[Rehearsal]) -> Summary:
        answered = self.scored(rehearsal)
        plans = [plan for plan in self._plans.recent() if plan.at >= rehearsal.body.start]
        alerts = self._alert_times(rehearsal)
        outcomes = Counter(str(plan.attributes.get("outcome", "")) for plan in plans)
        return Summary(
            metric=answered.metric,
            frozen=score_of(answered.rows, "frozen", answered),
            loop=score_of(answered.rows, "loop", answered),
            predictions=answered.rows.height,
            labels=answered.rows["value"].drop_nulls().len(),
            alerts=len(alerts),
            retrained=len(plans),
            promoted=outcomes["promoted"],
            refused=outcomes["refused"],
            failed_requests=int(float(rehearsal.attributes.get("failed_requests") or 0)),
            months=_by_month(answered, alerts, plans, ZoneInfo(self._project.timezone)),
        )

    def scored(self, rehearsal: Record[Rehearsal]) -> Answered:
        """Every row that was answered, with its label and the score that the first model would have given."""
        body = rehearsal.body
        first = graph.load(self._workspace, body.first_version, ModelVersion)
        rows = self._data.history(body.start, body.end)
        schema = self._data.version("latest").body.schema
        model = self._release.package(first).model
        frozen = self._training.score(model, rows)
        beside = pl.DataFrame({"id": row_ids(rows, schema), "frozen": frozen.scores})
        known = self._serving.labels(known_at=body.end).select("id", "value")
        answers = self._serving.predictions(body.start, body.end).select("id", "at", "version", loop="score")
        joined = answers.join(beside.lazy(), on="id", how="left").join(known, on="id", how="left")
        return Answered(
            rows=joined.sort("at", "id").collect(),
            metric=first.body.metric,
            positive=schema.classes[-1] if schema.classes else None,
        )

    def _alert_times(self, rehearsal: Record[Rehearsal]) -> list[datetime]:
        """When each alert was first raised."""
        first: dict[str, datetime] = {}
        for report in sorted(self._monitoring.list(), key=lambda one: one.body.end, reverse=True):
            if rehearsal.body.start <= report.body.start < rehearsal.body.end:
                first |= {alert.id: report.body.end for alert in report.body.alerts}
        return sorted(first.values())


def score_of(rows: pl.DataFrame, column: str, answered: Answered) -> float | None:
    """The metric of one column of scores over the labelled rows; `None` where it is undefined on them."""
    return MEASURES[answered.metric].value(sample_of_column(rows, column, answered))


def sample_of_column(rows: pl.DataFrame, column: str, answered: Answered) -> Sample:
    """The labelled rows with one column of scores, as training's metrics take them."""
    labelled = rows.filter(pl.col("value").is_not_null())
    scores = labelled[column].to_numpy()
    nothing = np.empty((labelled.height, 0))
    if answered.positive is None:
        truth = labelled["value"].cast(pl.Float64).to_numpy()
        return Sample(truth, scores, np.zeros(labelled.height), nothing)
    outcome = (labelled["value"].cast(pl.String) == answered.positive).cast(pl.Int64).to_numpy()
    return Sample(outcome, scores, (scores >= 0.5).astype(np.int64), nothing, 2)


def _by_month(
    answered: Answered, alerts: Sequence[datetime], plans: Sequence[Record[Plan]], zone: ZoneInfo
) -> list[Month]:
    def month_of(moment: datetime) -> str:
        return f"{moment.astimezone(zone):%Y-%m}"

    ends = [
        (plan, datetime.fromisoformat(str(plan.attributes["ended"]))) for plan in plans if "ended" in plan.attributes
    ]
    months = []
    for (month,), rows in answered.rows.group_by(
        pl.col("at").dt.convert_time_zone(zone.key).dt.strftime("%Y-%m"), maintain_order=True
    ):
        begun = [plan for plan in plans if month_of(plan.at) == month]
        ended = Counter(str(plan.attributes["outcome"]) for plan, end in ends if month_of(end) == month)
        months.append(
            Month(
                month=str(month),
                predictions=rows.height,
                labels=rows["value"].drop_nulls().len(),
                frozen=score_of(rows, "frozen", answered),
                loop=score_of(rows, "loop", answered),
                alerts=sum(month_of(alert) == month for alert in alerts),
                plans=len(begun),
                promoted=ended["promoted"],
                refused=ended["refused"],
            )
        )
    return months
