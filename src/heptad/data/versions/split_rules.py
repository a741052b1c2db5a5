"""The rule by which rows of a data set are dealt into parts: fitted once, and the same for every later version."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from heptad.core import graph
from heptad.core.errors import NotFoundError
from heptad.core.records import Record, derived_id
from heptad.core.workspace import Workspace
from heptad.data.columns.keys import key_text
from heptad.data.records import DatasetVersion, SplitRule
from heptad.data.versions.splits import fit_cuts, part_numbers, unit_hashes

GONE = "\0"
"""What stands for a missing label or group: no real one is called so."""


def numbers_of(rule: SplitRule, frame: pl.DataFrame) -> npt.NDArray[np.int64]:
    """The part of each row of a frame, from 0, `(n,)`."""
    hashes = unit_hashes(_ids(frame, rule.by, rule.key), rule.seed)
    return part_numbers(hashes, _strata(frame, rule.stratum), rule.shares, rule.cuts)


def split_rule(
    workspace: Workspace,
    version: Record[DatasetVersion],
    frame: pl.DataFrame,
    *,
    shares: Sequence[float],
    group: Sequence[str] = (),
    stratum: str = "",
    seed: int = 0,
) -> Record[SplitRule]:
    """The rule of a data set for these wishes: the one that is kept, or one fitted now to `frame` and kept from now on.

    Two processes that fit at once end with the same rule: the first that is written. Raises `NotFoundError` for a
    column that the frame does not have.
    """
    for column in group:
        if column not in frame.columns:
            raise NotFoundError("column to group by", column, frame.columns, remedy="Change [validate] group.")
    named = version.body.schema.named("key")
    by, name = list(group) or named, version.body.name
    key = [by, named, list(shares), stratum, seed]
    try:
        return graph.load(workspace, derived_id(SplitRule.prefix, name, *key), SplitRule)
    except NotFoundError:
        pass
    hashes = unit_hashes(_ids(frame, by, named), seed)
    body = SplitRule(
        name=name,
        version=version.body.version,
        by=by,
        key=named,
        stratum=stratum,
        seed=seed,
        shares=list(shares),
        cuts=fit_cuts(hashes, _strata(frame, stratum), shares),
    )
    return graph.save(workspace, body, scope=name, key=key, made_from=[("data", version.id)])


def _ids(frame: pl.DataFrame, by: Sequence[str], key: Sequence[str]) -> pl.Series:
    """What is hashed of each row. A row without a group is one by itself, and no group is called like it."""
    own = key_text(list(by))
    alone = pl.concat_str(pl.lit(GONE), key_text(list(key)))
    return frame.select(pl.coalesce(own, alone).alias("id")).to_series()


def _strata(frame: pl.DataFrame, stratum: str) -> list[str]:
    if not stratum:
        return [""] * len(frame)
    return frame.get_column(stratum).cast(pl.String).fill_null(GONE).to_list()
