"""Columns that teach a model nothing, or too much: ids, constants, copies, and those that know the target."""

import re
from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from heptad.core.settings import Task
from heptad.data.columns.schema import is_prose
from heptad.data.versions.digests import column_digest

DISTINCT = 0.95
"""A column of names is an id where at least this share of its values is different."""
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

_ID_NAME = re.compile(
    r"(^|[_\W])(id|ids|uuid|guid|index|idx|key|pk|row|rownum|serial|instant|unnamed: 0)$", re.IGNORECASE
)
_CAMEL_ID = re.compile(r"[a-z](ID|Id|Key|No)$")


def left_out(frame: pl.DataFrame, features: Collection[str], kept: Collection[str]) -> dict[str, str]:
    """Name and reason of each feature that nothing can be learnt from; those in `kept` are left alone.

    Where ids are all there is to learn from, they are not taken for ids.
    """
    useless: dict[str, str] = {}
    ids: dict[str, str] = {}
    alike: dict[str, list[pl.Series]] = {}
    for values in frame:
        name = values.name
        if name not in features or name in kept:
            continue
        reason = _empty_or_constant(values)
        if not reason:
            # Only columns that begin alike are compared in full.
            candidates = alike.setdefault(f"{values.dtype} {column_digest(values.head(FEWEST))}", [])
            twin = next((one.name for one in candidates if values.equals(one, null_equal=True)), "")
            candidates.append(values)
            reason = f"the same as {twin!r} in every row" if twin else ""
        if reason:
            useless[name] = reason
        elif _is_id(values.drop_nulls()):
            ids[name] = f"an id: {values.drop_nulls().n_unique():,} different values in {values.count():,} rows"
    found = useless if len(useless) + len(ids) == len(features) else useless | ids
    return {name: found[name] for name in frame.columns if name in found}


def _empty_or_constant(values: pl.Series) -> str:
    present = values.count()
    if not present:
        return "empty in every row"
    if present < EMPTY * len(values):
        return f"empty in all but {present:,} of {len(values):,} rows"
    constant = not values.null_count() and values.n_unique() == 1
    return f"{values[0]!r} in every row" if constant else ""


def _is_id(present: pl.Series) -> bool:
    """Names that hardly repeat; whole numbers that count the rows, or hardly repeat and are called an id."""
    if len(present) < FEWEST or not (present.dtype == pl.String or present.dtype.is_integer()):
        return False
    different = present.n_unique()
    if different < DISTINCT * len(present):
        return False
    if present.dtype == pl.String:
        return not is_prose(present)
    counts = different == len(present) and abs(int(present[-1]) - int(present[0])) + 1 == different
    return _named_id(present.name) or (counts and (present.is_sorted() or present.is_sorted(descending=True)))


def _named_id(name: str) -> bool:
    return bool(_ID_NAME.search(name) or _CAMEL_ID.search(name))


def leaks(frame: pl.DataFrame, features: Sequence[str], target: str, task: Task) -> dict[str, str]:
    """Name and reason of features that seem to know the target; suspects, to be judged by a person.

    Looked for: one column that gives the target by itself, on at most 5,000 rows, so that a wide table costs seconds;
    what holds only outside of them is not found.
    """
    rows = _some_labelled(frame, target)
    if len(rows) < FEWEST:
        return {}
    return _telling_classes(rows, features, target) if task == "classification" else _correlated(rows, features, target)


def summands(frame: pl.DataFrame, features: Sequence[str], target: str) -> dict[str, str]:
    """Name and reason of numbers of which the target is a weighted sum: they are the answer, not a reason for it.

    Least squares on standardised columns, on at most 5,000 rows.
    """
    rows = _some_labelled(frame, target)
    return _summands(rows, features, target) if len(rows) >= FEWEST else {}


def _some_labelled(frame: pl.DataFrame, target: str) -> pl.DataFrame:
    labelled = frame.filter(pl.col(target).is_not_null())
    return labelled.gather_every(max(1, len(labelled) // SAMPLE)).head(SAMPLE)


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
