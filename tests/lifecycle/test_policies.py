"""Policies: rules are read strictly, fire on what is new, once, and never while a plan runs or cools down."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import SettingsError
from heptad.core.records import Record
from heptad.lifecycle.policies import Every, History, OnAlert, OnMetric, Policies, read_rules
from heptad.monitoring import Alert, MonitoringReport, Performance
from heptad.training import Metric

APRIL = datetime(2013, 4, 1, tzinfo=UTC)
DAY = timedelta(days=1)
WEEK = 7 * DAY


def metric(value, name="roc_auc", rows=6_000, better="higher"):
    return Metric(name=name, value=value, low=value - 0.01, high=value + 0.01, rows=rows, better=better)


def alert(kind="drift", column="temp"):
    sentence = f"`{column}` moved by PSI 0.41 from training, since 2013-04-01."
    return Alert(
        id=f"alert-{kind}-{column}", kind=kind, column=column, value=0.41, limit=0.2, since=APRIL, sentence=sentence
    )


def report(week, *, alerts=(), ongoing=(), measured=(), landed=(), reference="model-1"):
    """The report of the week that begins `week` weeks after April 1."""
    start = APRIL + week * WEEK
    live = Performance(version="flights@1", role="live", rows=6_500, labelled=6_000, metrics=list(measured))
    shadow = Performance(version="flights@2", role="shadow", rows=6_500, labelled=6_000, metrics=[metric(0.1)])
    body = MonitoringReport(
        endpoint="flights",
        start=start,
        end=start + WEEK,
        known_at=start + WEEK,
        rows=6_500,
        version="flights@1",
        reference=reference,
        performance=[shadow, live],
        landed=list(landed),
        alerts=list(alerts),
        ongoing=list(ongoing),
    )
    return Record(id=f"report-{week}", kind=body.kind, scope="flights", at=start + WEEK, actor="test", body=body)


def due(when, *reports, now, cooldown="7d", **known):
    history = History(champion="model-1", champion_since=APRIL, reports=reports, **known)
    return Policies(when, cooldown, minimum_rows=200).due(history, now)


def test_rules_are_read():
    """Each kind of rule becomes what it says, spaces notwithstanding."""
    texts = ["every 28d", "drift", "loss", "roc_auc < 0.6", "roc_auc<reference-0.03", "rmse  >  reference + 2"]
    every, drift, loss, absolute, relative, lower = read_rules(texts, 200)
    assert isinstance(every, Every)
    assert every.interval == 28 * DAY
    assert isinstance(drift, OnAlert)
    assert drift.kinds == {"drift", "prediction_drift"}
    assert isinstance(loss, OnAlert)
    assert loss.kinds == {"loss"}
    assert absolute == OnMetric("roc_auc < 0.6", "roc_auc", 0.6, relative=False, minimum_rows=200)
    assert isinstance(relative, OnMetric)
    assert (relative.limit, relative.relative) == (-0.03, True)
    assert isinstance(lower, OnMetric)
    assert (lower.metric, lower.limit) == ("rmse", 2.0)


def test_all_mistakes_are_named_at_once():
    """Every rule that cannot be read is named with its mistake and with what would be right."""
    wrong = [
        "every fortnight",
        "drfit",
        "roc_acu < 0.6",
        "rmse < 5",
        "roc_auc < reference + 0.1",
        "f1 < low",
        "every 0d",
    ]
    with pytest.raises(SettingsError) as caught:
        read_rules([*wrong, "drift"], 200)
    error = caught.value
    assert len(error.problems) == len(wrong)
    for text, problem, hint in zip(
        wrong,
        error.problems,
        ["30s, 90m", "'drift'", "'roc_auc'", "rmse > reference", "reference - ", "0.03", "28d"],
        strict=True,
    ):
        assert repr(text) in problem
        assert hint in problem
    assert "METRIC < reference - NUMBER" in str(error)


def test_every_counts_from_the_champion_and_then_from_the_last_plan():
    """`every 28d` is due 28 days after the champion came; later, 28 days after the last plan began."""
    assert due(["every 28d"], now=APRIL + 27 * DAY) == []
    (trigger,) = due(["every 28d"], now=APRIL + 28 * DAY)
    assert trigger.rule == "every 28d"
    assert "28 days" in trigger.sentence
    began = APRIL + 28 * DAY
    last = {"plan_started": began, "plan_ended": began + WEEK}
    assert due(["every 28d"], now=began + 27 * DAY, **last) == []
    assert len(due(["every 28d"], now=began + 28 * DAY, **last)) == 1


def test_an_alert_fires_once():
    """A drift alert starts a plan; the same report does not start another one after that plan."""
    seen = report(0, alerts=[alert()])
    (trigger,) = due(["drift"], seen, now=APRIL + WEEK)
    assert (trigger.rule, trigger.report) == ("drift", "report-0")
    assert "`temp` moved by PSI 0.41" in trigger.sentence
    began = APRIL + WEEK
    assert due(["drift"], seen, now=began + 8 * WEEK, plan_started=began, plan_ended=began + WEEK) == []


def test_alerts_during_a_plan_wait_for_the_end_of_its_cooldown():
    """An alert raised while a plan ran is not lost: it fires as soon as the cooldown is over."""
    began = APRIL + WEEK
    reports = [report(0), report(1, alerts=[alert("loss", "")])]
    plan = {"plan_started": began, "plan_ended": began + WEEK}
    assert due(["loss"], *reports, now=began + 2 * WEEK - DAY, **plan) == []
    assert len(due(["loss"], *reports, now=began + 2 * WEEK, **plan)) == 1


def test_nothing_is_due_while_a_plan_runs():
    """A plan that has not ended keeps every rule quiet, however long it takes."""
    rules = ["every 7d", "drift", "roc_auc < 0.9"]
    reports = [report(5, alerts=[alert()], measured=[metric(0.5)])]
    assert due(rules, *reports, now=APRIL + 9 * WEEK, plan_started=APRIL + DAY) == []


def test_a_clock_that_is_set_back_does_not_silence_the_rules():
    """A plan that ended before it began, by the clock, is over: what was reported since then counts."""
    ahead = {"plan_started": APRIL + 30 * WEEK, "plan_ended": APRIL + WEEK}
    reports = [report(week, alerts=[alert()] if week == 1 else []) for week in range(3)]
    assert due(["every 14d", "drift"], *reports, now=APRIL + 2 * WEEK - DAY, **ahead) == []
    fired = due(["every 14d", "drift"], *reports, now=APRIL + 3 * WEEK, **ahead)
    assert [trigger.rule for trigger in fired] == ["every 14d", "drift"]
    assert "14 days have passed since the last plan began on 2013-04-08" in fired[0].sentence


@pytest.mark.parametrize("kind", ["drift", "loss", "estimated_loss"])
def test_what_lasts_after_a_plan_that_did_not_help_is_planned_for_again(kind):
    """A drift or loss that a refused plan has left as it was starts the next one once the cooldown is over."""
    began = APRIL + WEEK
    plan = {"plan_started": began, "plan_ended": began}
    reports = [report(0, alerts=[alert(kind)]), *(report(week, ongoing=[alert(kind)]) for week in (1, 2))]
    assert due([kind], *reports, now=began + 2 * WEEK, cooldown="21d", **plan) == []
    (trigger,) = due([kind], *reports, now=began + 3 * WEEK, cooldown="21d", **plan)
    assert (trigger.rule, trigger.report) == (kind, "report-2")
    assert due([kind], *reports, report(3), now=began + 4 * WEEK, cooldown="21d", **plan) == []


def test_alerts_about_an_earlier_champion_are_ignored():
    """What drifted from the training rows of a model that has gone says nothing about the present one."""
    assert due(["drift"], report(0, alerts=[alert()], reference="model-0"), now=APRIL + WEEK) == []


def test_only_the_kinds_of_a_rule_fire_it():
    """A quality alert fires neither `drift` nor `loss`; a drift of the predictions is drift."""
    assert due(["drift", "loss"], report(0, alerts=[alert("quality")]), now=APRIL + WEEK) == []
    assert due(["loss"], report(0, alerts=[alert("estimated_loss", "")]), now=APRIL + WEEK) == []
    assert len(due(["drift", "loss"], report(0, alerts=[alert("prediction_drift", "")]), now=APRIL + WEEK)) == 1


def test_many_alerts_are_one_trigger():
    """Five columns that drift at once are one trigger, which tells of the first three and counts the rest."""
    columns = [alert(column=name) for name in ("a", "b", "c", "d", "e")]
    (trigger,) = due(["drift"], report(0, alerts=columns), now=APRIL + WEEK)
    assert trigger.sentence.count("moved") == 3
    assert trigger.sentence.endswith("And 2 more.")


def test_a_metric_below_its_limit_fires():
    """The newest measured value is compared, and the sentence says value, rows, window, limit and release."""
    reports = [report(1, measured=[metric(0.655)]), report(0, measured=[metric(0.72)])]
    (trigger,) = due(["roc_auc < reference - 0.03"], *reports, now=APRIL + 2 * WEEK, reference=[metric(0.7)])
    assert trigger.report == "report-1"
    for words in ("0.655", "6,000 labelled rows", "2013-04-08", "below 0.67", "0.7 at release"):
        assert words in trigger.sentence
    assert due(["roc_auc < reference - 0.05"], *reports, now=APRIL + 2 * WEEK, reference=[metric(0.7)]) == []


def test_metrics_where_lower_is_better_fire_above():
    """`rmse > 5` fires at 6 and not at 4."""
    for value, count in ((6.0, 1), (4.0, 0)):
        reports = [report(0, measured=[metric(value, "rmse", better="lower")])]
        assert len(due(["rmse > 5"], *reports, now=APRIL + WEEK)) == count


def test_few_labels_and_other_versions_do_not_count():
    """A value on few rows is passed over for an older one on enough, and a shadow's value never counts."""
    reports = [report(0, measured=[metric(0.5)]), report(1, measured=[metric(0.9, rows=20)])]
    (trigger,) = due(["roc_auc < 0.6"], *reports, now=APRIL + 2 * WEEK)
    assert trigger.report == "report-0"
    assert due(["roc_auc < 0.6"], report(0), now=APRIL + WEEK) == []


def test_labels_that_landed_late_count():
    """Where labels take longer than a window, the value of the window they belong to fires the rule."""
    start = APRIL - WEEK
    late = Performance(
        version="flights@1", role="live", rows=6_500, labelled=6_000, metrics=[metric(0.5)], start=start, end=APRIL
    )
    (trigger,) = due(["roc_auc < 0.6"], report(0, landed=[late]), now=APRIL + WEEK)
    assert "2013-03-25" in trigger.sentence


@given(
    st.lists(st.booleans(), min_size=1, max_size=20),
    st.integers(0, 3),
    st.integers(0, 2),
)
def test_a_loop_never_answers_an_alert_twice(weeks, trial, cooldown):
    """Week by week, whatever comes: plans do not overlap, keep their cooldown, and answer each alert at most once."""
    policies = Policies(("drift",), f"{cooldown}w", minimum_rows=200)
    reports, plans = [], []
    for week, raised in enumerate(weeks):
        now = APRIL + (week + 1) * WEEK
        reports.append(report(week, alerts=[alert(column=str(week))] if raised else []))
        started, ended = plans[-1] if plans else (None, None)
        history = History(
            champion="model-1",
            champion_since=APRIL,
            plan_started=started,
            plan_ended=ended if ended is not None and ended <= now else None,
            reports=reports,
        )
        if policies.due(history, now):
            assert started is None or now >= ended + cooldown * WEEK
            assert any(
                weeks[number] and (started is None or APRIL + (number + 1) * WEEK > started)
                for number in range(week + 1)
            )
            plans.append((now, now + trial * WEEK))
    assert len(plans) <= sum(weeks)
