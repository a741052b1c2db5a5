"""Runs side by side: the parameters in which they differ, their metrics, and what else was not the same."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

import msgspec
import polars as pl

from heptad.core.records import Id, Record, Scalar
from heptad.core.shown import Shown
from heptad.experiments.records import Environment, Run

FOLD = "fold."
"""A series of this beginning has a point for each part of the rows on which the metric behind it was measured."""
_STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""Student's t at 97.5% for 1 to 9 degrees of freedom; beyond, the normal's, with the usual correction."""

FEWEST = 5
"""Runs of which it can be said what their differences go with."""

Interval: TypeAlias = tuple[float, float]


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a run besides its attributes."""

    environment: Environment | None = None
    data: Sequence[str] = ()
    """Labels of the data sets that it read, `NAME@VERSION`."""
    folds: Mapping[str, Sequence[float]] = {}
    """By metric, its values on each part of the rows."""


class RunComparison(Shown, msgspec.Struct, frozen=True, kw_only=True):
    """Each table maps a name to its value in each run, in the order of `runs`; `None`: the run has none."""

    runs: list[Id]
    names: list[str]
    params: dict[str, list[Scalar]]
    """Only the parameters in which the runs differ."""
    metrics: dict[str, list[Scalar]]
    status: list[Scalar]
    started: list[str] = []
    """ISO 8601, UTC."""
    seconds: list[float | None] = []
    """How long each took; none of those that go on."""
    intervals: dict[str, list[Interval | None]] = {}
    """95% of the mean over folds, for metrics that were measured on several; folds share rows, so it is a rough one."""
    surroundings: dict[str, list[Scalar]] = {}
    """Code, data, packages and machine, where they differ."""

    def frame(self) -> pl.DataFrame:
        """One row a run."""
        columns = {f"params.{name}": values for name, values in self.params.items()}
        columns |= {f"metrics.{name}": values for name, values in self.metrics.items()}
        return pl.DataFrame(
            {"run": self.runs, "name": self.names, "status": self.status, **columns},
            strict=False,
            infer_schema_length=None,
        )

    def labels(self) -> list[str]:
        """What each run is called beside the others."""
        return _labels(self.names)


def compare_runs(runs: Sequence[Record[Run]], surroundings: Sequence[Surroundings] = ()) -> RunComparison:
    """The runs side by side."""
    params = attribute_table(runs, "params.")
    around = surroundings or [Surroundings()] * len(runs)
    metrics = {name: values for name, values in attribute_table(runs, "metrics.").items() if not name.startswith(FOLD)}
    return RunComparison(
        runs=[run.id for run in runs],
        names=[_name(run) for run in runs],
        params=_differing(params),
        metrics=metrics,
        status=[run.attributes.get("status") for run in runs],
        started=[started_at(run).isoformat(timespec="seconds") for run in runs],
        seconds=[_seconds(run) for run in runs],
        intervals=_intervals(around),
        surroundings=_differing(_around(around)),
    )


def labelled(runs: Sequence[Record[Run]]) -> list[tuple[str, Record[Run]]]:
    """Runs with what each is called beside the others: its number, and its name."""
    return list(zip(_labels([_name(run) for run in runs]), runs, strict=True))


def started_at(run: Record[Run]) -> datetime:
    """When a run began: it may have done so elsewhere, long before it was recorded here."""
    began = run.attributes.get("started")
    return datetime.fromtimestamp(began, UTC) if isinstance(began, int | float) else run.at


def importance(values: Mapping[str, Sequence[Scalar]], metric: Sequence[Scalar]) -> dict[str, float]:
    """By parameter, the share of the differences between runs' ranks in a metric that goes with it; largest first.

    For numbers it is the squared rank correlation, for others the share that lies between their values, both less what
    chance alone gives. Parameters that change together share what they explain. A parameter that only some runs have is
    judged among those; one that fewer than 5 have, not at all.
    """
    found: dict[str, float] = {}
    for name, every in values.items():
        there = [(value, result) for value, result in zip(every, metric, strict=True) if value is not None]
        there = [(value, result) for value, result in there if _is_number(result)]
        if len(there) >= FEWEST:
            ranks = pl.Series([result for _, result in there], dtype=pl.Float64).rank()
            found[name] = _explained([value for value, _ in there], ranks)
    return dict(sorted(found.items(), key=lambda one: -one[1]))


def attribute_table(runs: Sequence[Record[Run]], prefix: str) -> dict[str, list[Scalar]]:
    """Attributes whose key starts with `prefix`, by the rest of the key, a value for each run."""
    names = sorted({key for run in runs for key in run.attributes if key.startswith(prefix)})
    return {name.removeprefix(prefix): [run.attributes.get(name) for run in runs] for name in names}


def _name(run: Record[Run]) -> str:
    return str(run.attributes.get("name") or run.body.name)


def _labels(names: Sequence[str]) -> list[str]:
    return [f"[{number}] {name}" for number, name in enumerate(names, 1)]


def _explained(values: Sequence[Scalar], ranks: pl.Series) -> float:
    count = len(values)
    if all(map(_is_number, values)):
        numbers = pl.Series(values, dtype=pl.Float64).rank()
        share, freedom = (pl.DataFrame({"a": numbers, "b": ranks}).select(pl.corr("a", "b")).item() or 0.0) ** 2, 1
    else:
        groups = pl.DataFrame({"value": [repr(value) for value in values], "rank": ranks}).group_by("value")
        means = groups.agg(pl.col("rank").mean(), pl.len())
        whole = float(((ranks - ranks.mean()) ** 2).sum())
        between = float(((means["rank"] - ranks.mean()) ** 2 * means["len"]).sum())
        share, freedom = between / whole if whole else 0.0, means.height - 1
    if not math.isfinite(share) or freedom < 1 or count - freedom - 1 < 1:
        return 0.0
    return max(0.0, 1 - (1 - share) * (count - 1) / (count - freedom - 1))


def _intervals(around: Sequence[Surroundings]) -> dict[str, list[Interval | None]]:
    names = sorted({name for one in around for name in one.folds})
    found = {name: [_interval(one.folds.get(name, ())) for one in around] for name in names}
    return {name: values for name, values in found.items() if any(values)}


def _interval(values: Sequence[float]) -> Interval | None:
    count = len(values)
    if count < 2 or not all(map(math.isfinite, values)):
        return None
    mean = math.fsum(values) / count
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1))
    student = _STUDENT[count - 2] if count - 2 < len(_STUDENT) else 1.96 + 2.4 / (count - 1)
    half = student * deviation / math.sqrt(count)
    return mean - half, mean + half


def _around(around: Sequence[Surroundings]) -> dict[str, list[Scalar]]:
    """A table of what surrounded each run; of a run whose environment is not known, nothing is."""
    found: list[dict[str, Scalar]] = []
    for one in around:
        env = one.environment
        row: dict[str, Scalar] = {"data": ", ".join(sorted(one.data))} if one.data else {}
        if env is not None:
            row |= {
                "commit": env.commit[:12] or None,
                "branch": env.branch or None,
                "uncommitted changes": env.diff[:12] or "none",
                "command": " ".join(env.command) or None,
                "python": env.python,
                "platform": env.platform,
                "cores": env.cores,
            }
            row |= env.threads
            row |= {f"package {name}": version for name, version in env.packages.items()}
        found.append(row)
    names = dict.fromkeys(name for row in found for name in row)
    return {name: [row.get(name) for row in found] for name in names}


def _differing(table: Mapping[str, list[Scalar]]) -> dict[str, list[Scalar]]:
    return {name: values for name, values in table.items() if not all(_same(value, values[0]) for value in values)}


def _same(one: Scalar, other: Scalar) -> bool:
    """Equal, or both no number: a parameter that is NaN in every run is no difference."""
    return one == other or (one != one and other != other)  # noqa: PLR0124 - NaN is not itself


def _seconds(run: Record[Run]) -> float | None:
    ended = run.attributes.get("ended")
    return ended - started_at(run).timestamp() if isinstance(ended, int | float) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
