"""Privacy against its limits: erasing a person from all versions of a table, and looking for personal data."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from bench.figures import Figure
from heptad.data import find_personal
from heptad.data.privacy.kinds_of_data import SHAPES
from heptad.data.versions.rewriting import rewrite
from heptad.data.versions.tables import Table

ROWS, VERSIONS, ROUNDS = 2_000_000, 4, 3
ERASE_RATIO, FIND_RATIO = 2.0, 4.0
LOOKED_AT, TEXTS = 500_000, 6


def measure() -> list[Figure]:
    """Every figure of privacy."""
    return [erased(), found()]


def erased() -> Figure:
    """One row of versions that grow, of which each has more files than the one before."""
    with tempfile.TemporaryDirectory() as folder:
        old, numbers, before = Table(Path(folder) / "old"), list[int](), None
        for version in range(1, VERSIONS + 1):
            rows = _frame(ROWS * version // VERSIONS)
            last = ROWS * (version - 1) // VERSIONS
            kept = old.kept(before, last, rows.height) if before is not None else 0
            before = old.write(rows.lazy().slice(kept), before, kept)
            numbers.append(before)
        whole = _frame(ROWS).lazy()
        places = iter(range(100))

        def anew() -> None:
            Table(Path(folder) / f"anew-{next(places)}").write(whole)

        def without() -> None:
            new = Table(Path(folder) / f"new-{next(places)}")
            rewrite(old, new, numbers, lambda rows: rows.filter(pl.col("k") != "person 1000"), ["k"])

        limit, value = _in_turn(anew, without)
    return _figure(
        f"a person erased from {VERSIONS} versions, the last of {ROWS:,} rows x 10 columns",
        value, limit, ERASE_RATIO, "writing the last version once",
    )  # fmt: skip


def found() -> Figure:
    """Texts of which some are e-mails, against a query that counts the same patterns and nothing else."""
    texts = pl.DataFrame(
        {f"t{one}": [f"word {number % 999} x{one}" for number in range(LOOKED_AT)] for one in range(TEXTS)}
    )
    rows = texts.lazy().with_columns(mail=pl.col("t0").str.replace_all(" ", ".") + "@mail.example")
    counts = [
        pl.col(name).str.contains(shape.pattern).sum().alias(f"{name}{place}")
        for name in rows.collect_schema().names()
        for place, shape in enumerate(SHAPES)
    ]
    limit, value = _in_turn(lambda: rows.select(counts).collect(engine="streaming"), lambda: find_personal(rows))
    return _figure(
        f"personal data looked for in {LOOKED_AT:,} rows x {TEXTS + 1} texts", value, limit, FIND_RATIO,
        "a query by hand that counts the patterns",
    )  # fmt: skip


def _frame(rows: int) -> pl.DataFrame:
    numbers = np.random.default_rng(1).normal(size=(9, ROWS))[:, :rows]
    return pl.DataFrame(
        {"k": [f"person {one}" for one in range(rows)]} | {f"n{at}": one for at, one in enumerate(numbers)}
    )


def _in_turn(limit: Callable[[], object], value: Callable[[], object]) -> tuple[float, float]:
    """Seconds of both, taken in turn so that what else the machine does falls on both alike."""
    taken = [[_seconds(act) for act in (limit, value)] for _ in range(ROUNDS)]
    first, second = (statistics.median(one) for one in zip(*taken, strict=True))
    return first, second


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _figure(name: str, value: float, limit: float, ratio: float, than: str) -> Figure:
    return Figure(
        name=name, value=value, unit="s", limit=limit, ratio=value / limit,
        floor=f"within {ratio:g}x of {than}", holds=value <= ratio * limit,
    )  # fmt: skip
