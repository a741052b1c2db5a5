"""A rule is fitted once and kept; later versions of a data set follow it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest
from tests.data.conftest import Open

from heptad.core.errors import NotFoundError
from heptad.core.records import Record
from heptad.core.workspace import Workspace
from heptad.data import DataSettings, SplitRule, sides_of, split_rule, with_given

SETTINGS = DataSettings(target="y", key=["k"])


def rows(count: int, first: int = 0) -> pl.DataFrame:
    """One row in ten is of the rare class; four rows a household, some of none."""
    numbers = range(first, first + count)
    return pl.DataFrame(
        {
            "k": numbers,
            "x": [0.1 * (n * 7919 % 1013) for n in numbers],
            "house": [None if n % 11 == 0 else f"h{n // 4}" for n in numbers],
            "y": ["rare" if n % 10 == 3 else "often" for n in numbers],
        }
    )


def parts_of(frame: pl.DataFrame, rule: Record[SplitRule]) -> list[int]:
    """The part that judges each row; every other one learns from it."""
    sides = sides_of(rule.body)
    rows = with_given(frame.lazy(), (one for side in sides for one in side.given))
    numbered = list(enumerate(sides))
    judged = rows.select(side.judged.alias(f"{part}") for part, side in numbered).collect().rows()
    learnt = rows.select((~side.learnt).alias(f"{part}") for part, side in numbered).collect().rows()
    assert judged == learnt
    assert all(sum(one) == 1 for one in judged)
    return [one.index(True) for one in judged]


def test_a_rule_is_the_same_for_later_versions_and_in_the_other_process(
    open_data: Open, write: Callable[..., object], workspace: Workspace
) -> None:
    """No row changes sides, and the shares of both classes are those asked for, to the row."""
    write(rows(100))
    data = open_data(SETTINGS)
    first = data.collect()
    old = data.scan(first).collect()
    rule = split_rule(workspace, first, old.lazy(), shares=[0.2, 0.8], stratum="y")
    judged = pl.Series(parts_of(old, rule)) == 0
    assert [int((judged & (old["y"] == one)).sum()) for one in ("rare", "often")] == [2, 18]
    write(pl.concat([rows(100), rows(900, 100)]))
    second = data.collect()
    new = data.scan(second).collect()
    again = split_rule(workspace, second, new.lazy(), shares=[0.2, 0.8], stratum="y")
    assert again.id == rule.id
    before = dict(zip(old["k"], parts_of(old, rule), strict=True))
    after = dict(zip(new["k"], parts_of(new, again), strict=True))
    assert {key: after[key] for key in before} == before
    assert sum(one == 0 for one in after.values()) == pytest.approx(200, abs=60)


def test_a_group_is_on_one_side_and_rows_without_one_stand_alone(
    open_data: Open, write: Callable[..., object], workspace: Workspace
) -> None:
    """Households stay together; those who have none are not taken for one large household."""
    write(rows(400))
    data = open_data(SETTINGS)
    version = data.collect()
    frame = data.scan(version).collect()
    rule = split_rule(workspace, version, frame.lazy(), shares=[0.25, 0.75], group=["house"])
    parts = frame.with_columns(part=pl.Series(parts_of(frame, rule)))
    sides = parts.drop_nulls("house").group_by("house").agg(pl.col("part").n_unique())
    assert sides["part"].max() == 1
    assert parts.filter(pl.col("house").is_null())["part"].n_unique() == 2
    assert (parts["part"] == 0).mean() == pytest.approx(0.25, abs=0.02)


def test_many_at_once_end_with_one_rule(open_data: Open, write: Callable[..., object], workspace: Workspace) -> None:
    """Whoever is first decides for all."""
    write(rows(60))
    data = open_data(SETTINGS)
    version = data.collect()
    frame = data.scan(version).collect()
    parts = [frame.head(count) for count in (20, 30, 40, 50, 60)]
    with ThreadPoolExecutor(5) as pool:
        made = list(pool.map(lambda one: split_rule(workspace, version, one.lazy(), shares=[0.5, 0.5]), parts))
    assert len({str(one.body.cuts) for one in made}) == 1


def test_a_column_that_does_not_exist_is_refused(
    open_data: Open, write: Callable[..., object], workspace: Workspace
) -> None:
    """Before a rule is kept."""
    write(rows(20))
    data = open_data(SETTINGS)
    version = data.collect()
    with pytest.raises(NotFoundError, match="hause"):
        split_rule(workspace, version, data.scan(version), shares=[0.5, 0.5], group=["hause"])
