"""Columns that teach a model nothing, or too much: ids, constants, copies, and those that know the target."""

import re
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from heptad.core.settings import Task
from heptad.data.columns.dialogues import Asking, Dialogue, Rows, converse
from heptad.data.columns.schema import PROSE_SAMPLE, is_prose
from heptad.data.versions.digests import column_digest

DISTINCT = 0.95
"""A column of names is an id where at least this share of its values is different."""
ABOUT = 0.9
"""Where even an estimate finds less than this share of the different values that make an id, they are not counted."""
FEWEST = 20
"""Below this many rows, different values prove nothing."""
EMPTY = 0.001
"""A column is empty where less than this share of the rows has a value."""
SAMPLE = 5_000
"""Rows that the search for leaks looks at, every n-th one."""
NUMBERS = 60
"""The most numeric columns among which a sum that gives the target is looked for."""
EXPLAINED = 0.9999
"""A linear combination is the target where it explains this share of its variance."""
ALONE = 0.98
"""One number tells the target where their rank correlation is this strong, either way."""
PURE = 0.99
"""One column tells the class where it alone is right this often, and guessing is wrong twice as often."""

_PLACE = "\0place"
_ID_NAME = re.compile(
    r"(^|[_\W])(id|ids|uuid|guid|index|idx|key|pk|row|rownum|serial|instant|unnamed: 0)$", re.IGNORECASE
)
_CAMEL_ID = re.compile(r"[a-z](ID|Id|Key|No)$")


def left_out(rows: Rows, features: Collection[str], kept: Collection[str]) -> dict[str, str]:
    """Name and reason of each feature that nothing can be learnt from; those in `kept` are left alone.

    Where ids are all there is to learn from, they are not taken for ids.
    """
    types = rows.lazy().collect_schema()
    judged = {name: kind for name, kind in types.items() if name in features and name not in kept}
    found = converse(rows, [_useless(name, kind) for name, kind in judged.items()])
    useless = {name: reason for name, reason in zip(judged, found, strict=True) if reason}
    rest = {name: kind for name, kind in judged.items() if name not in useless}
    copies: dict[str, str] = converse(rows, [_copies(rest)])[0]
    useless |= {name: f"the same as {twin!r} in every row" for name, twin in copies.items()}
    rest = {name: kind for name, kind in rest.items() if name not in copies}
    ids = dict(zip(rest, converse(rows, [_id(name, kind) for name, kind in rest.items()]), strict=True))
    ids = {name: reason for name, reason in ids.items() if reason}
    every = useless if len(useless) + len(ids) == len(features) else useless | ids
    return {name: every[name] for name in types if name in every}


def _useless(name: str, kind: pl.DataType) -> Dialogue[str]:
    value = pl.col(name)
    not_a_number = value.is_nan().sum() if kind.is_float() else pl.lit(0)
    told = yield Asking(
        {"rows": pl.len(), "count": value.count(), "low": value.min(), "high": value.max(), "undefined": not_a_number}
    )
    rows, present, undefined = told.values["rows"], told.values["count"], told.values["undefined"] or 0
    if not present:
        return "empty in every row"
    if present < EMPTY * rows:
        return f"empty in all but {present:,} of {rows:,} rows"
    constant = undefined == rows or (not undefined and told.values["low"] == told.values["high"])
    low = f"{told.values['low']}" if kind.is_temporal() else f"{told.values['low']!r}"
    return f"{low} in every row" if constant and present == rows else ""


def _copies(types: Mapping[str, pl.DataType]) -> Dialogue[dict[str, str]]:
    """Columns that hold the same as one before them, and which that is."""
    told = yield Asking(tables={"head": lambda rows: rows.select(list(types)).head(FEWEST)})
    head = told.tables["head"]
    alike: dict[str, list[str]] = {}
    for values in head:
        alike.setdefault(f"{values.dtype} {column_digest(values)}", []).append(values.name)
    # Only columns that begin alike are compared in full: by a sum over hashes of place and value, then value by value.
    suspected = [name for group in alike.values() if len(group) > 1 for name in group]
    if not suspected:
        return {}
    place = pl.int_range(pl.len(), dtype=pl.UInt64) * 2 + 1
    told = yield Asking({name: (pl.col(name).hash() * place).sum() for name in suspected})
    twins: dict[tuple[str, int], str] = {}
    pairs = {}
    for group, names in alike.items():
        for name in names if len(names) > 1 else ():
            first = twins.setdefault((group, told.values[name]), name)
            if first != name:
                pairs[name] = first
    told = yield Asking({name: pl.col(name).ne_missing(pl.col(first)).any() for name, first in pairs.items()})
    return {name: first for name, first in pairs.items() if not told.values[name]}


def _id(name: str, kind: pl.DataType) -> Dialogue[str]:
    """Why a column is an id: names that hardly repeat; whole numbers that count the rows, or are called an id too."""
    value = pl.col(name)
    if not (kind == pl.String or kind.is_integer()):
        return ""
    told = yield Asking({"count": value.count(), "about": value.approx_n_unique()})
    count = told.values["count"]
    if count < FEWEST or told.values["about"] < ABOUT * DISTINCT * count:
        return ""
    if kind == pl.String:
        told = yield Asking(samples={"texts": value.drop_nulls().head(PROSE_SAMPLE)})
        if is_prose(told.samples["texts"]):
            return ""
    # Hashes of long texts take a fraction of them; two of a billion texts share one in one table of forty.
    told = yield Asking({"different": value.drop_nulls().hash().n_unique()})
    different = told.values["different"]
    if different < DISTINCT * count:
        return ""
    is_id = kind == pl.String or _named_id(name) or (different == count and (yield from _counts_rows(value)))
    return f"an id: {different:,} different values in {count:,} rows" if is_id else ""


def _counts_rows(value: pl.Expr) -> Dialogue[bool]:
    """Whether values rise by one from row to row, or fall by one, those that are missing left out."""
    place = value.cum_count().cast(pl.Int64)
    up, down = pl.when(value.is_not_null()).then(value - place), pl.when(value.is_not_null()).then(value + place)
    told = yield Asking({"up": up.min() == up.max(), "down": down.min() == down.max()})
    return bool(told.values["up"] or told.values["down"])


def _named_id(name: str) -> bool:
    return bool(_ID_NAME.search(name) or _CAMEL_ID.search(name))


def leaks(rows: Rows, features: Sequence[str], target: str, task: Task) -> dict[str, str]:
    """Name and reason of features that seem to know the target; suspects, to be judged by a person.

    Looked for: one column that gives the target by itself, on at most 5,000 rows, so that a wide table costs seconds;
    what holds only outside of them is not found.
    """
    sample = converse(rows, [_some_labelled(features, target)])[0]
    if len(sample) < FEWEST:
        return {}
    if task == "classification":
        return _telling_classes(sample, features, target)
    return _correlated(sample, features, target)


def summands(rows: Rows, features: Sequence[str], target: str) -> dict[str, str]:
    """Name and reason of numbers of which the target is a weighted sum: they are the answer, not a reason for it.

    Least squares on standardised columns, on at most 5,000 rows.
    """
    sample = converse(rows, [_some_labelled(features, target)])[0]
    return _summands(sample, features, target) if len(sample) >= FEWEST else {}


def _some_labelled(features: Sequence[str], target: str) -> Dialogue[pl.DataFrame]:
    told = yield Asking({"labelled": pl.col(target).count()})
    every = max(1, told.values["labelled"] // SAMPLE)

    def sampled(rows: pl.LazyFrame) -> pl.LazyFrame:
        labelled = rows.select(*features, target).filter(pl.col(target).is_not_null()).with_row_index(_PLACE)
        return labelled.filter(pl.col(_PLACE) % every == 0).head(SAMPLE).drop(_PLACE)

    told = yield Asking(tables={"sample": sampled})
    return told.tables["sample"]


def _telling_classes(rows: pl.DataFrame, features: Sequence[str], target: str) -> dict[str, str]:
    guess = float(rows[target].value_counts(sort=True)["count"][0]) / len(rows)
    needed = max(PURE, 1 - (1 - guess) / 2)
    found = {}
    for name in features:
        groups = _groups(rows[name])
        if groups.n_unique() > len(rows) / 5:
            continue
        pairs = pl.DataFrame({"group": groups, "target": rows[target]}).group_by("group", "target").len()
        right = float(pairs.group_by("group").agg(pl.col("len").max())["len"].sum()) / len(rows)
        if right >= needed:
            found[name] = f"it alone tells the target in {right:.1%} of the rows; guessing in {guess:.1%}"
    return found


def _groups(values: pl.Series) -> pl.Series:
    """Values as they are, or the fiftieths of a number with many values."""
    if not values.dtype.is_numeric() or values.n_unique() <= 50:
        return values
    ranks = values.rank("max").cast(pl.Float64)
    return (ranks * 50 / len(values)).ceil()


def _correlated(rows: pl.DataFrame, features: Sequence[str], target: str) -> dict[str, str]:
    numbers = [name for name in features if rows[name].dtype.is_numeric() and rows[name].null_count() < len(rows) / 2]
    ranks = {name: pl.corr(name, target, method="spearman").alias(name) for name in numbers}
    if not ranks:
        return {}
    found = rows.select(ranks.values()).row(0, named=True)
    return {
        name: f"it rises and falls with the target (rank correlation {value:.3f})"
        for name, value in found.items()
        if value is not None and abs(value) >= ALONE
    }


def _summands(rows: pl.DataFrame, features: Sequence[str], target: str) -> dict[str, str]:
    names = [name for name in features if rows[name].dtype.is_numeric()][:NUMBERS]
    complete = rows.select([*names, target]).drop_nulls()
    if len(names) < 2 or len(complete) < 2 * len(names) + FEWEST:
        return {}
    x, scale = _standardised(complete.select(names).cast(pl.Float64).to_numpy())
    y, _ = _standardised(complete.select(target).cast(pl.Float64).to_numpy())
    weights = np.linalg.lstsq(x, y[:, 0], rcond=None)[0]
    if 1 - float(np.var(y[:, 0] - x @ weights)) < EXPLAINED:
        return {}
    parts = [name for name, weight, spread in zip(names, weights, scale, strict=True) if spread and abs(weight) > 0.01]
    return dict.fromkeys(parts, f"the target is a weighted sum of {', '.join(map(repr, parts))}")


def _standardised(columns: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    scale = columns.std(axis=0)
    return (columns - columns.mean(axis=0)) / np.where(scale > 0, scale, 1.0), scale
