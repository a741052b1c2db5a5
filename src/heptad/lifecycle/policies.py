"""When a model is trained again: rules read from settings, held against what is known at a moment."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

import msgspec

from heptad.core.errors import InputError, SettingsError, nearest
from heptad.core.records import Id, Record
from heptad.core.settings import duration
from heptad.lifecycle.records import Trigger
from heptad.monitoring import AlertKind, MonitoringReport
from heptad.training import Metric

ALERT_RULES: dict[str, frozenset[AlertKind]] = {
    "drift": frozenset({"drift", "prediction_drift"}),
    "loss": frozenset({"loss"}),
    "estimated_loss": frozenset({"estimated_loss"}),
}
"""Rule to the alerts that fire it. An estimate is no measurement, so `loss` does not wait for it."""

ALLOWED = (
    f"every DURATION (every 28d), {', '.join(ALERT_RULES)}, METRIC < NUMBER, METRIC < reference - NUMBER "
    "(> and + for metrics where lower is better)"
)
_COMPARISON = re.compile(
    r"(?P<metric>\w+)\s*(?P<sign>[<>])\s*(?:(?P<reference>reference)\s*(?P<by>[-+])\s*)?(?P<n>\S+)"
)


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an endpoint at a moment; all values, nothing to ask.

    `reports` are those that may matter, in any order: all since the last plan began are enough, older ones are
    ignored. `reference` are the champion's metrics at release.
    """

    champion: Id
    champion_since: datetime
    plan_started: datetime | None = None
    plan_ended: datetime | None = None
    """End of the last plan; `None` also while it runs."""
    reports: Sequence[Record[MonitoringReport]] = ()
    reference: Sequence[Metric] = ()

    @property
    def planned(self) -> datetime | None:
        """When the last plan began; where the clock was set back while it ran, when it ended."""
        return min(self.plan_started, self.plan_ended or self.plan_started) if self.plan_started else None

    def news(self) -> list[Record[MonitoringReport]]:
        """Reports about the present champion that the last plan did not know, oldest first."""
        news = [
            report
            for report in self.reports
            if report.body.reference == self.champion and (self.planned is None or report.body.end > self.planned)
        ]
        return sorted(news, key=lambda report: (report.body.end, report.id))

    def is_quiet(self, cooldown: timedelta, now: datetime) -> bool:
        """Whether a plan is running, or the last one ended less than the cooldown ago."""
        if self.plan_started is None:
            return False
        return self.plan_ended is None or now < self.plan_ended + cooldown


class Every(msgspec.Struct, frozen=True):
    """`every DURATION`: since the last plan began, or since the champion came where there was none."""

    text: str
    interval: timedelta

    def check(self, history: History, now: datetime) -> Trigger | None:
        since = history.planned or history.champion_since
        if now < since + self.interval:
            return None
        what = "the last plan began" if history.planned else "the champion came"
        passed = (now - since) / timedelta(days=1)
        return Trigger(rule=self.text, sentence=f"{passed:.3g} days have passed since {what} on {since:%Y-%m-%d}.")


class OnAlert(msgspec.Struct, frozen=True):
    """`drift`, `loss`: an alert of these kinds about the present champion that no plan has answered.

    What goes on after a plan that did not help is a reason for the next one: there is more data by then.
    """

    text: str
    kinds: frozenset[AlertKind]

    def check(self, history: History, now: datetime) -> Trigger | None:  # noqa: ARG002 - rules are asked alike
        news = history.news()
        raised = [(alert, report.id) for report in news for alert in report.body.alerts if alert.kind in self.kinds]
        if not raised and news:
            raised = [(alert, news[-1].id) for alert in news[-1].body.ongoing if alert.kind in self.kinds]
        if not raised:
            return None
        shown = " ".join(alert.sentence for alert, _ in raised[:3])
        more = f" And {len(raised) - 3} more." if len(raised) > 3 else ""
        return Trigger(rule=self.text, sentence=shown + more, report=raised[-1][1])


class OnMetric(msgspec.Struct, frozen=True):
    """`METRIC < NUMBER` or `METRIC < reference - NUMBER`: `limit` alone, or added to the value at release.

    `minimum_rows` is the number of labelled rows from which a measured metric counts.
    """

    text: str
    metric: str
    limit: float
    relative: bool
    minimum_rows: int

    def check(self, history: History, now: datetime) -> Trigger | None:  # noqa: ARG002 - rules are asked alike
        found = self._newest(history)
        reference = next((metric.value for metric in history.reference if metric.name == self.metric), None)
        if found is None or (self.relative and reference is None):
            return None
        metric, window, report = found
        limit = self.limit + (reference or 0.0) if self.relative else self.limit
        if metric.value >= limit if metric.better == "higher" else metric.value <= limit:
            return None
        side = "below" if metric.better == "higher" else "above"
        released = f" ({reference:.4g} at release)" if reference is not None else ""
        sentence = (
            f"{self.metric} was {metric.value:.4g} on {metric.rows:,} labelled rows {window}: "
            f"{side} {limit:.4g}{released}."
        )
        return Trigger(rule=self.text, sentence=sentence, report=report)

    def _newest(self, history: History) -> tuple[Metric, str, Id] | None:
        """The metric of the version in force in the newest window with enough labels, the window, and its report."""
        for report in reversed(history.news()):
            for performance in (*report.body.performance, *reversed(report.body.landed)):
                for metric in performance.metrics if performance.version == report.body.version else ():
                    if metric.name == self.metric and metric.rows >= self.minimum_rows:
                        start, end = performance.start or report.body.start, performance.end or report.body.end
                        return metric, f"from {start:%Y-%m-%d} to {end:%Y-%m-%d}", report.id
        return None


Rule: TypeAlias = Every | OnAlert | OnMetric


class Policies:
    """The rules of `[retrain]`, from their texts; `SettingsError` names every one that cannot be read.

    `cooldown` is a duration, `minimum_rows` the number of labelled rows from which a measured metric counts.
    """

    def __init__(self, when: Sequence[str], cooldown: str, minimum_rows: int) -> None:
        self.rules = read_rules(when, minimum_rows)
        self.cooldown = duration(cooldown)

    def due(self, history: History, now: datetime) -> list[Trigger]:
        """Every rule that fires, in the order of the settings; nothing while a plan runs or cools down.

        What a report showed counts once: reports of windows that were over when the last plan began were its
        business, and alerts about an earlier champion are nobody's. Alerts that were raised during a plan or its
        cooldown are kept for the first moment after it.
        """
        if history.is_quiet(self.cooldown, now):
            return []
        fired = [rule.check(history, now) for rule in self.rules]
        return [trigger for trigger in fired if trigger is not None]


def read_rules(when: Sequence[str], minimum_rows: int) -> list[Rule]:
    """Rules from their texts; raises `SettingsError` with all mistakes, each with what is allowed."""
    rules: list[Rule] = []
    problems: list[str] = []
    for text in when:
        try:
            rules.append(read_rule(text, minimum_rows))
        except InputError as error:
            problems.append(f"{text!r}: {error.problem}" + (f" Allowed: {error.allowed}" if error.allowed else ""))
    if problems:
        raise SettingsError("[retrain] when has rules that cannot be read.", problems=problems, allowed=ALLOWED)
    return rules


def read_rule(text: str, minimum_rows: int) -> Rule:
    """The rule that `text` says; raises `InputError`."""
    words = " ".join(text.split())
    if words in ALERT_RULES:
        return OnAlert(words, ALERT_RULES[words])
    if words.startswith("every "):
        return _every(words)
    comparison = _COMPARISON.fullmatch(words)
    if comparison:
        return _on_metric(words, comparison, minimum_rows)
    raise InputError("this is no rule.", allowed=nearest(words, [*ALERT_RULES, "every 28d"]))


def _every(words: str) -> Every:
    interval = duration(words.removeprefix("every "))
    if interval <= timedelta():
        raise InputError("a duration of nothing would always be due.", allowed="a duration above zero, such as 28d")
    return Every(words, interval)


def _on_metric(words: str, comparison: re.Match[str], minimum_rows: int) -> OnMetric:
    from heptad.training import MEASURES  # noqa: PLC0415 - settings with no such rule are read without numpy

    metric, sign, by = comparison["metric"], comparison["sign"], comparison["by"]
    if metric not in MEASURES:
        raise InputError(f"there is no metric {metric!r}.", allowed=nearest(metric, sorted(MEASURES)))
    higher = MEASURES[metric].better == "higher"
    if (sign == "<") != higher or (by is not None and (by == "-") != higher):
        worse = f"{metric} < reference - 0.03" if higher else f"{metric} > reference + 0.03"
        raise InputError(f"{metric} is better when it is {MEASURES[metric].better}.", allowed=worse)
    try:
        number = float(comparison["n"])
    except ValueError:
        raise InputError(f"{comparison['n']!r} is not a number.", allowed="a number such as 0.03") from None
    limit = -number if by == "-" else number
    return OnMetric(words, metric, limit, relative=by is not None, minimum_rows=minimum_rows)
