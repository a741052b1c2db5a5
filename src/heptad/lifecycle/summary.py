"""What a rehearsal came to: by month and in all, the loop beside the first model left as it was."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import polars as pl

from heptad.core import graph
from heptad.core.records import Record
from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.data import Data, Schema, row_ids
from heptad.lifecycle.plans import Plans
from heptad.lifecycle.records import Plan, Rehearsal
from heptad.monitoring import Monitoring
from heptad.release import ModelVersion, Release
from heptad.serving import Serving
from heptad.training import MEASURES, Sample, Scores, Training, sample_of


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


SIDES = ("loop", "frozen")
"""What really answered, and the first model left as it was."""


@dataclass(frozen=True)
class Answered:
    """Rows that were answered, in order of time: when, and their label (null where none came)."""

    rows: pl.DataFrame
    """Columns `at` and `value`."""
    metric: str
    samples: dict[str, Sample]
    """The rows with a label, in the same order, as each of `SIDES` answered them."""

    def score(self, side: str, rows: pl.Expr | None = None) -> float | None:
        """The metric of one side over all labelled rows, or some of them; `None` where it is undefined on them."""
        sample = self.samples[side]
        if rows is not None:
            sample = sample.take(self.rows.filter(pl.col("value").is_not_null()).select(rows).to_series().to_numpy())
        return MEASURES[self.metric].value(sample) if len(sample) else None


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
        self._scored: tuple[object, Answered] | None = None

    def of(self, rehearsal: Record[Rehearsal]) -> Summary:
        answered = self.scored(rehearsal)
        plans = [plan for plan in self._plans.recent() if plan.at >= rehearsal.body.start]
        alerts = self._alert_times(rehearsal)
        outcomes = Counter(str(plan.attributes.get("outcome", "")) for plan in plans)
        return Summary(
            metric=answered.metric,
            frozen=answered.score("frozen"),
            loop=answered.score("loop"),
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
        """Every row that was answered, with its label and what the first model would have answered.

        Kept as long as the rehearsal does not go on: the summary and the report are about the same rows.
        """
        played = rehearsal.id, rehearsal.attributes.get("sent_until")
        if self._scored is None or self._scored[0] != played:
            self._scored = played, self._score(rehearsal.body)
        return self._scored[1]

    def _score(self, body: Rehearsal) -> Answered:
        first = graph.load(self._workspace, body.first_version, ModelVersion)
        rows = self._data.history(body.start, body.end)
        schema = self._data.version("latest").body.schema
        scores = self._training.score(self._release.package(first).model, rows)
        # Of two classes the score says it all, of a number too; of more each class has its own probability.
        many = len(schema.classes) > 2
        frozen = {"frozen": scores.scores, "frozen_label": pl.Series(scores.labels).cast(pl.String)}
        beside = pl.DataFrame(
            {"id": row_ids(rows, schema)} | frozen | ({"frozen_probabilities": scores.probabilities} if many else {})
        )
        known = self._serving.labels(known_at=body.end).select("id", "value")
        loop = {"loop": "score", "loop_label": "label"} | ({"loop_probabilities": "probabilities"} if many else {})
        answers = self._serving.predictions(body.start, body.end).select("id", "at", **loop)
        joined = answers.join(beside.lazy(), on="id", how="left").join(known, on="id", how="left")
        answered = joined.sort("at", "id").collect()
        labelled = answered.filter(pl.col("value").is_not_null())
        return Answered(
            rows=answered.select("at", "value"),
            metric=first.body.metric,
            samples={side: _sample(labelled, side, schema) for side in SIDES},
        )

    def _alert_times(self, rehearsal: Record[Rehearsal]) -> list[datetime]:
        """When each alert was first raised."""
        first: dict[str, datetime] = {}
        for report in sorted(self._monitoring.list(), key=lambda one: one.body.end, reverse=True):
            if rehearsal.body.start <= report.body.start < rehearsal.body.end:
                first |= {alert.id: report.body.end for alert in report.body.alerts}
        return sorted(first.values())


def _sample(labelled: pl.DataFrame, side: str, schema: Schema) -> Sample:
    """The labelled rows with the answers of one side, as training's metrics take them."""
    answers = labelled[f"{side}_label"].to_list()
    shape = labelled.height, len(schema.classes)
    probabilities = (
        np.array(labelled[f"{side}_probabilities"].to_list()).reshape(shape) if len(schema.classes) > 2 else None
    )
    return sample_of(schema, labelled["value"].to_list(), Scores(answers, labelled[side].to_numpy(), probabilities))


def _by_month(
    answered: Answered, alerts: Sequence[datetime], plans: Sequence[Record[Plan]], zone: ZoneInfo
) -> list[Month]:
    def month_of(moment: datetime) -> str:
        return f"{moment.astimezone(zone):%Y-%m}"

    ends = [
        (plan, datetime.fromisoformat(str(plan.attributes["ended"]))) for plan in plans if "ended" in plan.attributes
    ]
    months = []
    calendar = pl.col("at").dt.convert_time_zone(zone.key).dt.strftime("%Y-%m")
    for (month,), rows in answered.rows.group_by(calendar, maintain_order=True):
        begun = [plan for plan in plans if month_of(plan.at) == month]
        ended = Counter(str(plan.attributes["outcome"]) for plan, end in ends if month_of(end) == month)
        months.append(
            Month(
                month=str(month),
                predictions=rows.height,
                labels=rows["value"].drop_nulls().len(),
                frozen=answered.score("frozen", calendar == month),
                loop=answered.score("loop", calendar == month),
                alerts=sum(month_of(alert) == month for alert in alerts),
                plans=len(begun),
                promoted=ended["promoted"],
                refused=ended["refused"],
            )
        )
    return months
