"""Takes people out of what streams have landed in the workspace, whether heptad.toml still names them or not."""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from deltalake import DeltaTable

from heptad.data.erasing.kept import ForgetKept
from heptad.data.erasing.subjects import Subjects
from heptad.data.streams.landed import MESSAGE, LandedTable, keep_rows
from heptad.data.streams.landing import POISON, poison_folder
from heptad.data.streams.locks import changing_alone


def forget_landed(folder: Path, subjects: Subjects, entities: Sequence[Subjects] = (), *, dry_run: bool = False) -> int:
    """Remove their rows, and messages in quarantine that name them; see `ForgetKept`.

    Raises `ConflictError` where another process lands one of the streams.
    """
    act = _counted if dry_run else _removed
    return sum(act(one, subjects, entities) for one in _landed(folder / "tables"))


def naming(named: Sequence[Subjects], payloads: pl.Series) -> pl.Series:
    """Which messages that nobody could read name all that names one of the people, each as a word."""
    people = [
        [re.compile(rb"(?<!\w)" + re.escape(text.encode()) + rb"(?!\w)") for text in key]
        for one in named
        for key in one.keys
    ]
    found = [any(all(word.search(payload) for word in key) for key in people) for payload in payloads.to_list()]
    return pl.Series(payloads.name, found, dtype=pl.Boolean)


def _landed(tables: Path) -> Iterator[Path]:
    """The folders of all tables that streams landed in; they are known by their columns."""
    for folder in sorted(tables.glob("stream-*")):
        if DeltaTable.is_deltatable(str(folder)):
            names = {field.name for field in DeltaTable(folder).schema().fields}
            if names >= {*MESSAGE} and not names >= {*POISON}:
                yield folder


def _counted(folder: Path, subjects: Subjects, entities: Sequence[Subjects]) -> int:
    rows = LandedTable(folder, MESSAGE).scan()
    condition = subjects.condition_or(entities, rows.collect_schema())
    theirs = rows.select(condition.sum()).collect(engine="streaming").item() or 0
    poison = LandedTable(poison_folder(folder), POISON)
    if not poison.exists():
        return int(theirs)
    named = pl.col("payload").map_batches(
        partial(naming, [subjects, *entities]), return_dtype=pl.Boolean, is_elementwise=True
    )
    return int(theirs) + int(poison.scan().select(named.sum()).collect(engine="streaming").item())


def _removed(folder: Path, subjects: Subjects, entities: Sequence[Subjects]) -> int:
    named = partial(naming, [subjects, *entities])
    with changing_alone(folder, folder.name, "stop it, then: heptad data erase --resume"):
        gone = keep_rows(
            LandedTable(folder, MESSAGE),
            lambda rows: rows.filter(~subjects.condition_or(entities, rows.collect_schema())),
        )
        # No filter: Polars would ask it of the limits of a file, too.
        return gone + keep_rows(
            LandedTable(poison_folder(folder), POISON),
            lambda rows: rows.map_batches(
                lambda batch: batch.filter(~named(batch["payload"])), predicate_pushdown=False, streamable=True
            ),
        )


if TYPE_CHECKING:
    _: ForgetKept = forget_landed
