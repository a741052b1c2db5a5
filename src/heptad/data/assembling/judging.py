"""Judges sources as a whole before anything is made of them: how new they are, and how much there is."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from statistics import median

import msgspec
import polars as pl

from heptad.core.errors import DataError, SettingsError
from heptad.core.settings import duration
from heptad.data.assembling.inputs import Input
from heptad.data.expectations.aggregates import check_range
from heptad.data.expectations.definitions import range_text
from heptad.data.expectations.settings import Range
from heptad.data.expectations.tables import GROWN, VERSIONS
from heptad.data.records import Finding, SourceRead
from heptad.data.sources.settings import SourceSettings

LEAST = 0.5
"""Rows as a multiple of the usual below which a source without a stated volume is warned about."""


def counted_rows(read: SourceRead) -> int:
    """The rows of a source by which its volume is told: without those of the future, where it says when they are."""
    return read.rows if read.happened is None else read.happened


class Judging:
    """Asked about the sources of a version of the moment `now`; `until` where only rows before a moment count.

    `volumes`: source to how many rows had happened at the versions of earlier moments, newest first. `today`: what the
    machine's clock says, after which no row can have happened; `None` where time is played, and sources hold what is
    to come.
    """

    def __init__(
        self,
        now: datetime,
        until: datetime | None,
        volumes: Mapping[str, Sequence[int]],
        today: datetime | None = None,
    ) -> None:
        self._now = now
        self._until = until
        self._volumes = volumes
        self._today = today

    def __call__(self, inputs: Mapping[str, Input], settings: Mapping[str, SourceSettings]) -> list[Finding]:
        """What was found; raises `DataError` with everything for which a source is refused."""
        found = [
            finding
            for name, one in inputs.items()
            for judge in (self._fresh, self._ahead, self._volume, self._whole)
            for finding in judge(name, one, settings[name])
        ]
        failed = [one for one in found if not one.passed and one.severity == "error"]
        if failed:
            listed = "".join(f"\n  {one.sentence}" for one in failed)
            raise DataError(
                f"What the sources hold is refused as a whole:{listed}",
                remedy="mend the source, or change [sources.NAME] fresh or volume; nothing was written",
            )
        return found

    def counted(self, inputs: Mapping[str, Input], settings: Mapping[str, SourceSettings]) -> dict[str, Input]:
        """The sources with how many of their rows had happened by the moment of the version."""
        return {name: self._counted(one, settings[name].time) for name, one in inputs.items()}

    def _counted(self, held: Input, time: str) -> Input:
        if not time or (self._until is None and self._today is None):
            return held
        happened = pl.col(time) <= self._today if self._until is None else pl.col(time) < self._until
        rows = int(held.rows.select(happened.sum()).collect(engine="streaming").item())
        return msgspec.structs.replace(held, read=msgspec.structs.replace(held.read, happened=rows))

    def _fresh(self, name: str, held: Input, settings: SourceSettings) -> Iterator[Finding]:
        if not settings.fresh:
            return
        if not settings.time:
            raise SettingsError(
                f"[sources.{name}] fresh asks how new its rows are, and nothing says when they happened.",
                allowed=f'[sources.{name}] time = "COLUMN", or no fresh',
            )
        time = pl.col(settings.time)
        # A row of the future makes nothing fresh, or one wrong clock would hide that all others are silent.
        rows = held.rows.filter(time <= self._now if self._until is None else time < self._until)
        newest: datetime | None = rows.select(time.max()).collect(engine="streaming").item()
        fits = newest is not None and self._now - newest <= duration(settings.fresh)
        age = "there is no row with a time" if newest is None else f"the newest row is of {newest:%Y-%m-%d %H:%M} UTC"
        yield Finding(
            expectation="source_fresh",
            severity="error",
            passed=fits,
            observed=f"{newest:%Y-%m-%dT%H:%M:%SZ}" if newest else None,
            expected=settings.fresh,
            sentence=""
            if fits
            else f"{name} is stale: {age}, and {self._now:%Y-%m-%d %H:%M} is more than {settings.fresh} later",
        )

    def _ahead(self, name: str, held: Input, settings: SourceSettings) -> Iterator[Finding]:
        if settings.time:
            yield from self.ahead(name, held.rows, settings.time)

    def ahead(self, name: str, rows: pl.LazyFrame, column: str) -> Iterator[Finding]:
        """That rows, by a column of moments, are of the future; whoever leaves them out asks before."""
        if self._today is None:
            return
        time = pl.col(column)
        asked = rows.select((time > self._today).sum().alias("rows"), time.max().alias("last"))
        count, last = asked.collect(engine="streaming").row(0)
        if count:
            yield Finding(
                expectation="source_ahead",
                severity="warning",
                passed=False,
                observed=count,
                expected="0",
                sentence=f"{name} has {count:,} {'row' if count == 1 else 'rows'} of the future, up to "
                f"{last:%Y-%m-%d %H:%M} UTC: a clock may be ahead, or a time zone missing"
                + ("" if self._until is None else "; until then they are left out"),
            )

    def _volume(self, name: str, held: Input, settings: SourceSettings) -> Iterator[Finding]:
        if settings.volume is not None:
            check_range(settings.volume, f"[sources.{name}] volume")
        before = self._volumes.get(name, ())[:VERSIONS]
        usual = median(before) if before else 0
        if not usual:
            return
        wanted = settings.volume or Range(min=LEAST)
        rows = counted_rows(held.read)
        share = rows / usual
        above = wanted.max is not None and share > wanted.max
        fits = not above and (wanted.min is None or share >= wanted.min)
        of_all = (
            "" if rows == held.read.rows else f" up to {self._now:%Y-%m-%d %H:%M} UTC, of {held.read.rows:,} in all"
        )
        yield Finding(
            expectation="source_volume",
            severity="warning" if settings.volume is None else "error",
            passed=fits,
            observed=share,
            expected=range_text(wanted),
            sentence=""
            if fits
            else f"{name} has {rows:,} rows{of_all}, {share:.3g} times the usual {usual:,.0f} and not "
            f"{range_text(wanted)} times{GROWN if above and settings.volume is not None else ''}",
        )

    def _whole(self, name: str, held: Input, _settings: SourceSettings) -> Iterator[Finding]:
        for doubt in held.doubts:
            yield Finding(
                expectation="source_whole", severity="warning", passed=False, sentence=f"{name} may lack rows: {doubt}"
            )
