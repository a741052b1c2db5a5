"""Expectations of times: when they are, how new the newest is, whether a stretch is empty."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from heptad.core.settings import duration
from heptad.data.columns.conditions import as_utc, moment
from heptad.data.expectations.definitions import (
    Definition,
    ExpectationError,
    Kind,
    Outcome,
    Subject,
    Test,
    Told,
    before,
    of_values,
    range_text,
)
from heptad.data.expectations.settings import Hours, Weekday

_TIMES: tuple[Kind, ...] = ("time",)
_DAYS: Sequence[Weekday] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EPOCH = _DAYS.index("thu")
"""The day of 1970-01-01."""


def _not_before(subject: Subject, text: str) -> Test:
    limit = moment(text, f"{subject.name}.not_before")
    return of_values(subject, lambda value: as_utc(value, subject.type) >= limit, f"times before {text}")


def _not_after(subject: Subject, text: str) -> Test:
    limit = moment(text, f"{subject.name}.not_after")
    return of_values(subject, lambda value: as_utc(value, subject.type) <= limit, f"times after {text}")


def _not_future(subject: Subject, wanted: bool) -> Test:
    if not wanted:
        raise ExpectationError("not_future = false expects nothing.", allowed="not_future = true, or leaving it out")
    now = subject.context.now
    return of_values(
        subject, lambda value: as_utc(value, subject.type) <= now, f"times in the future of {now:%Y-%m-%d %H:%M} UTC"
    )


def _fresh(subject: Subject, wanted: str) -> Test:
    now, most = subject.context.now, duration(wanted)

    def judge(told: Told) -> Outcome:
        newest: datetime | None = told.values["newest"]
        if newest is None:
            return Outcome(sentence=f"{before(subject)}there is no time up to now, and one within {wanted} is expected")
        age = now - newest
        said = f"{before(subject)}the newest time is {newest:%Y-%m-%d %H:%M} UTC, more than {wanted} ago"
        return Outcome(observed=f"{newest:%Y-%m-%dT%H:%M:%SZ}", sentence=said if age > most else "")

    time = as_utc(subject.value, subject.type)
    # A time of the future makes nothing fresh, or one wrong clock would hide that all others are silent.
    return Test(values={"newest": pl.when(time <= now).then(time).max()}, judge=judge)


def _weekdays(subject: Subject, wanted: Sequence[Weekday]) -> Test:
    numbers = [_DAYS.index(one) + 1 for one in wanted]
    return of_values(
        subject,
        lambda value: as_utc(value, subject.type).dt.weekday().is_in(numbers),
        f"times on other days than {', '.join(wanted)}",
    )


def _hours(subject: Subject, wanted: Hours) -> Test:
    low, high = (0 if wanted.min is None else wanted.min), (23 if wanted.max is None else wanted.max)

    def held(value: pl.Expr) -> pl.Expr:
        hour = as_utc(value, subject.type).dt.hour()
        return hour.is_between(low, high) if low <= high else (hour >= low) | (hour <= high)

    return of_values(subject, held, f"times whose hour is not {range_text(wanted)}")


def _every(subject: Subject, wanted: str) -> Test:
    """Stretches are counted from 1970-01-01 00:00 UTC; few of them are kept, however many rows there are.

    Where times are on some days of the week only, so are stretches that are a day or a part of one.
    """
    length = duration(wanted) // timedelta(microseconds=1)
    a_day, rest = divmod(timedelta(days=1) // timedelta(microseconds=1), length)
    days = sorted({_DAYS.index(one) for one in subject.weekdays}) if a_day and not rest else []
    place = as_utc(pl.col(subject.name), subject.type).dt.epoch("us").floordiv(length).alias("place")

    def gaps(rows: pl.LazyFrame) -> pl.LazyFrame:
        places = subject.looked_at(rows).select(place).drop_nulls().unique()
        if days:
            places = places.filter(((pl.col("place").floordiv(a_day) + _EPOCH) % 7).is_in(days))
        return places.select(
            pl.len().alias("there"), pl.col("place").min().alias("first"), pl.col("place").max().alias("last")
        )

    def judge(told: Told) -> Outcome:
        there, first, last = told.tables["gaps"].row(0)
        if not there:
            return Outcome(observed=0)
        every = _on_days(last + 1, a_day, days) - _on_days(first, a_day, days) if days else last - first + 1
        lacking = every - there
        of = f" on {', '.join(_DAYS[day] for day in days)}" if days else ""
        said = f"{before(subject)}{lacking:,} of {every:,} stretches of {wanted}{of} have no row" if lacking else ""
        return Outcome(observed=lacking, sentence=said)

    return Test(tables={"gaps": gaps}, judge=judge)


def _on_days(place: int, a_day: int, days: Sequence[int]) -> int:
    """How many stretches on these days come before one, counted from some Monday; `a_day` are in a day."""
    weeks, rest = divmod(place + _EPOCH * a_day, 7 * a_day)
    return weeks * a_day * len(days) + sum(min(max(rest - day * a_day, 0), a_day) for day in days)


DEFINITIONS = [
    Definition("not_before", "times", _not_before, _TIMES),
    Definition("not_after", "times", _not_after, _TIMES),
    Definition("not_future", "times", _not_future, _TIMES),
    Definition("fresh", "times", _fresh, _TIMES, by_row=False),
    Definition("weekdays", "times", _weekdays, _TIMES),
    Definition("hours", "times", _hours, _TIMES),
    Definition("every", "times", _every, _TIMES, by_row=False),
]
