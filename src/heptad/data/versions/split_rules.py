"""The rule by which rows of a data set are dealt into parts: fitted once, and the same for every later version."""

from collections.abc import Sequence

import polars as pl

from heptad.core import graph
from heptad.core.errors import NotFoundError
from heptad.core.records import Record, derived_id
from heptad.core.workspace import Workspace
from heptad.data.columns.keys import key_text
from heptad.data.records import DatasetVersion, SplitRule
from heptad.data.versions.splits import Sides, fit_cuts, mixed, part_number, sums, with_given

GONE = "\0"
"""What stands for a missing label or group: no real one is called so."""
_SUM = "\0sum"


def sides_of(rule: SplitRule) -> list[Sides]:
    """For each part, that it is judged and all others are learnt from; every row is judged exactly once."""
    (*_, (hashed, _)) = given = _hashed(rule.by, rule.key, rule.seed)
    part = f"\0part {rule.seed} {rule.shares}"
    number = part_number(pl.col(hashed), _stratum(rule.stratum), rule.shares, rule.cuts)
    return [
        Sides(pl.col(part) != one, pl.col(part) == one, (*given, (part, number))) for one in range(len(rule.shares))
    ]


def split_rule(
    workspace: Workspace,
    version: Record[DatasetVersion],
    rows: pl.LazyFrame,
    *,
    shares: Sequence[float],
    group: Sequence[str] = (),
    stratum: str = "",
    seed: int = 0,
) -> Record[SplitRule]:
    """The rule of a data set for these wishes: the one that is kept, or one fitted now to `rows` and kept from now on.

    Two processes that fit at once end with the same rule: the first that is written. Raises `NotFoundError` for a
    column that the rows do not have.
    """
    columns = rows.collect_schema().names()
    for column in group:
        if column not in columns:
            raise NotFoundError("column to group by", column, columns, remedy="Change [validate] group.")
    named = version.body.schema.named("key")
    by, name = list(group) or named, version.body.name
    key = [by, named, list(shares), stratum, seed]
    try:
        return graph.load(workspace, derived_id(SplitRule.prefix, name, *key), SplitRule)
    except NotFoundError:
        pass
    (*_, (hashed, _)) = given = _hashed(by, named, seed)
    hashes = with_given(rows, given).select(hash=hashed, stratum=_stratum(stratum))
    body = SplitRule(
        name=name,
        version=version.body.version,
        by=by,
        key=named,
        stratum=stratum,
        seed=seed,
        shares=list(shares),
        cuts=fit_cuts(hashes, shares),
    )
    return graph.save(workspace, body, scope=name, key=key, made_from=[("data", version.id)])


def _hashed(by: Sequence[str], key: Sequence[str], seed: int) -> tuple[tuple[str, pl.Expr], tuple[str, pl.Expr]]:
    """The columns of what decides where a row goes: a sum for all rules, and a number in [0, 1) for those of a seed.

    A row without a group is one by itself, and no group is called like it.
    """
    own = key_text(list(by))
    named = own if by == key else pl.coalesce(own, pl.concat_str(pl.lit(GONE), key_text(list(key))))
    summed = named.map_batches(lambda ids: pl.Series(sums(ids)), return_dtype=pl.UInt32, is_elementwise=True)
    hashed = pl.col(_SUM).map_batches(
        lambda of: pl.Series(mixed(of, seed)), return_dtype=pl.Float64, is_elementwise=True
    )
    return (_SUM, summed), (f"\0hash {seed}", hashed)


def _stratum(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String).fill_null(GONE) if column else pl.lit("")
