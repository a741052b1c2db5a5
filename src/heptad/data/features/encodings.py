"""Categories as numbers that depend on other entities: out of fold, and from what was known by then only."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from heptad.data.features.expressions import Step
from heptad.data.features.functions import KNOWN, hashed
from heptad.data.features.timelines import Timeline
from heptad.data.features.views import View

_CATEGORY = "\0category"
_FOLD = "\0fold"
_WHEN = "\0when"
_OUTCOME = "\0outcome"

Floats = npt.NDArray[np.float64]


class Encodings:
    """What one view's encodings know, read once of all rows of its source.

    Held are, for each encoding, a few narrow columns with a row for each row of the source.
    """

    def __init__(self, view: View, prepared: pl.LazyFrame) -> None:
        self._steps: dict[str, _TargetMean | _Frequency] = {
            step.name: (_TargetMean if step.made.call == "target_mean" else _Frequency)(view, step, prepared)
            for step in view.steps
            if step.expression is None
        }

    def applied(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Prepared rows with a column for each encoding, as of when each row became known."""
        made = [step.at(rows).alias(name) for name, step in self._steps.items()]
        return rows.with_columns(made) if made else rows


class _TargetMean:
    """The mean outcome of a category over entities in other folds, drawn to the mean over all categories.

    With n rows of the category whose outcomes, of sum s, were known by then, the mean p of all rows, and smoothing m:
    (s + m p) / (n + m) (Micci-Barreca 2001, "A preprocessing scheme for high-cardinality categorical attributes").
    An entity's fold is a hash of its keys, so none of its own outcomes is in its own value.
    """

    def __init__(self, view: View, step: Step, prepared: pl.LazyFrame) -> None:
        self._keys, self._category, self._made = view.keys, step.reads[0], step.made
        known = pl.max_horizontal(KNOWN, step.made.known) if step.made.known else pl.col(KNOWN)
        rows = prepared.select(
            *view.keys,
            pl.col(self._category).alias(_CATEGORY),
            # Where no time says that an outcome became known, it never did.
            pl.when(pl.col(step.made.known or KNOWN).is_not_null()).then(known).alias(_WHEN),
            pl.col(step.made.target).cast(pl.Float64).alias(_OUTCOME),
        )
        held = rows.drop_nulls([_WHEN, _OUTCOME]).sort(_WHEN, maintain_order=True).collect(engine="streaming")
        held = held.select(_CATEGORY, _WHEN, _OUTCOME, self._fold(held))
        self._sums = [_Sums(held, by) for by in ([_CATEGORY], [_CATEGORY, _FOLD], [], [_FOLD])]

    def at(self, rows: pl.DataFrame) -> pl.Series:
        asked = rows.select(pl.col(self._category).alias(_CATEGORY), KNOWN, self._fold(rows))
        of_category, of_own, of_all, of_fold = (one.at(asked, KNOWN) for one in self._sums)
        count, total = of_category - of_own
        all_count, all_total = of_all - of_fold
        weight = count + self._made.smoothing
        known = (all_count > 0) & (weight > 0)
        mean = np.divide(all_total, all_count, out=np.zeros_like(total), where=known)
        values = np.divide(total + self._made.smoothing * mean, weight, out=np.zeros_like(total), where=known)
        return pl.Series(values).set(pl.Series(~known), None)

    def _fold(self, rows: pl.DataFrame) -> pl.Series:
        """The fold of each row's entity, the same wherever and whenever it is asked for."""
        texts = pl.concat_str([pl.col(key).cast(pl.String) for key in self._keys], separator="|")
        return hashed(rows.select(texts.alias(_FOLD)).to_series(), self._made.folds)


class _Frequency:
    """Which share of the rows that were known by then, its own included, has the row's category."""

    def __init__(self, _view: View, step: Step, prepared: pl.LazyFrame) -> None:
        self._category = step.reads[0]
        rows = prepared.select(
            pl.col(self._category).alias(_CATEGORY), pl.col(KNOWN).alias(_WHEN), pl.lit(1.0).alias(_OUTCOME)
        )
        held = rows.sort(_WHEN, maintain_order=True).collect(engine="streaming")
        self._of_category, self._of_all = _Sums(held.drop_nulls(_CATEGORY), [_CATEGORY]), _Sums(held, [])

    def at(self, rows: pl.DataFrame) -> pl.Series:
        asked = rows.select(pl.col(self._category).alias(_CATEGORY), KNOWN)
        count, everything = self._of_category.at(asked, KNOWN)[0], self._of_all.at(asked, KNOWN)[0]
        return pl.Series(np.divide(count, everything, out=np.zeros_like(count), where=everything > 0))


class _Sums:
    """How many rows a group had, and their outcomes' total, as of any moment. Rows come in order of time."""

    def __init__(self, rows: pl.DataFrame, by: Sequence[str]) -> None:
        self._by = list(by)
        running = rows.select(*by, count=pl.lit(1.0), total=_OUTCOME)
        sums = pl.col("count", "total").cum_sum()
        running = running.with_columns(sums.over(by) if by else sums)
        self._values: Floats = running.select("count", "total").to_numpy().T
        self._timeline = Timeline(rows.select(by), rows[_WHEN])

    def at(self, rows: pl.DataFrame, moment: str) -> Floats:
        """Count and total, shape (2, n), of each row's group at its moment: 0 where nothing was known."""
        places = self._timeline.find(rows.select(self._by), rows[moment])
        if not len(self._timeline):
            return np.zeros((2, len(places)))
        found: Floats = np.where(places >= 0, self._values[:, places], 0.0)
        return found
