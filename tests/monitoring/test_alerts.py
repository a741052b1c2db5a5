"""Alerts begin once, go on under one name, end, and may begin again."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from heptad.monitoring.alerts import Condition, advance

APRIL = datetime(2013, 4, 1, tzinfo=UTC)
WEEK = timedelta(days=7)


def condition(week, holds, *, column="temp", kind="drift", value=0.4):
    sentence = f"`{column}` moved by {value}"
    start = APRIL + week * WEEK
    return Condition(kind=kind, column=column, holds=holds, value=value, limit=0.2, start=start, sentence=sentence)


def played(weeks, reference="model-a"):
    """The alerts of each week, where each week's conditions follow on the alerts before."""
    found, active = [], []
    for conditions in weeks:
        alerts = advance(active, conditions, "flights", reference)
        active = [*alerts.raised, *alerts.ongoing]
        found.append(alerts)
    return found


def test_an_ongoing_condition_is_raised_once():
    """Three weeks of drift are one alert, raised in the first week and known by the same id in the others."""
    first, second, third = played([[condition(week, True, value=0.3 + week)] for week in range(3)])
    assert [alert.since for alert in first.raised] == [APRIL]
    assert second.raised == third.raised == []
    assert second.ongoing[0].id == third.ongoing[0].id == first.raised[0].id
    assert third.ongoing[0].value == 2.3
    assert third.ongoing[0].sentence == "`temp` moved by 2.3, since 2013-04-01."


def test_what_ended_may_begin_again_as_another_alert():
    """After a quiet week the same drift is a new alert, with a new start and a new id."""
    first, quiet, again = played([[condition(week, week != 1)] for week in range(3)])
    assert quiet.raised == quiet.ongoing == []
    assert again.raised[0].since == APRIL + 2 * WEEK
    assert again.raised[0].id != first.raised[0].id


def test_a_window_that_cannot_be_judged_changes_nothing():
    """A week with too few rows neither ends an alert nor raises it again."""
    first, small, third = played([[condition(0, True)], [condition(1, None)], [condition(2, True)]])
    assert small.ongoing == first.raised
    assert third.raised == []
    assert third.ongoing[0].since == APRIL


def test_a_new_champion_starts_afresh():
    """The same drift seen from another reference version is another alert."""
    a = advance([], [condition(0, True)], "flights", "model-a")
    b = advance([], [condition(0, True)], "flights", "model-b")
    assert a.raised[0].id != b.raised[0].id


def test_windows_that_landed_together_are_followed_in_order():
    """Labels of three windows at once: bad, good, bad are two alerts, and only the second goes on."""
    (alerts,) = played([[condition(week, week != 1, kind="loss", column="") for week in range(3)]])
    assert [(alert.since, alert.over) for alert in alerts.raised] == [(APRIL, True), (APRIL + 2 * WEEK, False)]
    assert alerts.ongoing == []
    assert alerts.since("loss", "") == APRIL + 2 * WEEK


def test_columns_and_kinds_are_apart():
    """Each column and each kind has its own alert, and its own beginning."""
    alerts = advance(
        [], [condition(0, True), condition(0, True, column="dewp"), condition(0, False, kind="quality")], "f", "m"
    )
    assert [(alert.kind, alert.column) for alert in alerts.raised] == [("drift", "temp"), ("drift", "dewp")]
    assert alerts.since("drift", "dewp") == APRIL
    assert alerts.since("quality", "temp") is None


@given(st.lists(st.sampled_from([True, False, None]), max_size=30))
def test_one_alert_for_each_unbroken_run(history):
    """Whatever the weeks bring, alerts raised are the runs of bad weeks, where unjudged weeks break no run."""
    found = played([[condition(week, holds)] for week, holds in enumerate(history)])
    judged = [holds for holds in history if holds is not None]
    runs = sum(holds and not before for before, holds in zip([False, *judged], judged, strict=False))
    raised = [alert.id for alerts in found for alert in alerts.raised]
    assert len(raised) == len(set(raised)) == runs
    for week, (alerts, holds) in enumerate(zip(found, history, strict=True)):
        if holds is not None:
            assert (alerts.since("drift", "temp") is not None) == holds, week
