"""The rule by which rows of a data set are dealt into parts: fitted once, and the same for every later version."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl

from heptad.core import graph
from heptad.core.errors import NotFoundError
from heptad.core.records import Body, Record, derived_id
from heptad.core.workspace import Workspace
from heptad.data.columns.keys import key_text
from heptad.data.records import DatasetVersion
from heptad.data.versions.splits import Cuts, fit_cuts, part_numbers, unit_hashes

GONE = "\0"
"""What stands for a missing label or group: no real one is called so."""


class SplitRule(Body, frozen=True, kw_only=True):
    """How rows of a data set are dealt into parts. Each row's part follows from its own key and stratum for ever."""

    kind: ClassVar[str] = "split_rule"
    prefix: ClassVar[str] = "split"

    name: str
    """The data set."""
    version: int
    """The version that the cuts were fitted to."""
    by: list[str]
    """The columns whose hash decides: the key, or those that name a group, whose rows then stay together."""
    key: list[str]
    """What names a row; it stands in where a row has no group."""
    stratum: str = ""
    """The column of which every part gets its share of each value; empty: none."""
    seed: int
    shares: list[float]
    """What each part shall have of the rows; 1 together."""
    cuts: Cuts
    """Value of the stratum to the hashes at which parts end."""

    def numbers(self, frame: pl.DataFrame) -> npt.NDArray[np.int64]:
        """The part of each row of a frame, from 0, `(n,)`."""
        hashes = unit_hashes(_ids(frame, self.by, self.key), self.seed)
        return part_numbers(hashes, _strata(frame, self.stratum), self.shares, self.cuts)


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
