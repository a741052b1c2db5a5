"""Twenty cleaning rules over ten million rows to Parquet, every changed cell counted, against one query by hand.

HEPTAD_BENCH_ROWS changes the number of rows.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from bench.figures import Figure
from heptad.data import CleanRule, CleanSettings, clean_file

ROWS = int(os.environ.get("HEPTAD_BENCH_ROWS", "10000000"))
ROUNDS = 3
RATIO = 1.5
CITIES = {"Bonn": ["bonn", "BONN"], "Kiel": ["kiel"], "Köln": ["koeln", "Cologne"], "Ulm": ["ulm"]}
SETTINGS = CleanSettings(
    columns={
        "n0": CleanRule(min=-3, max=3, outside="cap"),
        "n1": CleanRule(min=-2.5),
        "n2": CleanRule(missing=[999], max=4),
        "n3": CleanRule(min=-4, max=4, fill=0),
        "i0": CleanRule(missing=[-1], min=0, max=90),
        "i1": CleanRule(max=95, outside="cap", fill=50),
        "city": CleanRule(strip=True, canonical=CITIES, unlisted="null"),
        "code": CleanRule(case="upper", regex="[A-Z]{2}[0-9]"),
        "kind": CleanRule(lower=True, missing=["N/A", "?"], replace={"regulr": "regular"}, fill="other"),
        "note": CleanRule(strip=True),
    }
)
"""Twenty of them: a minimum with its maximum is one, and so is each other setting that says what a rule does."""


def measure() -> list[Figure]:
    """Seconds, in processes of their own, in turn."""
    with tempfile.TemporaryDirectory() as folder:
        _generate(Path(folder) / "rows.parquet")
        taken = {way: [_seconds(way, folder) for _ in range(ROUNDS)] for way in ("by_hand", "by_rule")}
    limit, value = (float(np.median(taken[way])) for way in ("by_hand", "by_rule"))
    return [
        Figure(
            name=f"20 cleaning rules over {ROWS:,} rows x 12 columns to Parquet, every cell counted",
            value=value, unit="s", limit=limit, ratio=value / limit,
            floor=f"within {RATIO}x of a query by hand that counts nothing", holds=value <= RATIO * limit,
        )
    ]  # fmt: skip


def _seconds(way: str, folder: str) -> float:
    script = f"import bench.data_cleaning as b; print(b.timed(b.{way}, {folder!r}))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


def timed(way, folder: str) -> float:  # type: ignore[no-untyped-def] # called by its name only
    rows = pl.scan_parquet(f"{folder}/rows.parquet")
    began = time.perf_counter()
    way(rows, Path(folder) / f"{way.__name__}.parquet")
    return time.perf_counter() - began


def by_rule(rows: pl.LazyFrame, into: Path) -> None:
    """As the settings say it."""
    clean_file(rows, SETTINGS, into)


def by_hand(rows: pl.LazyFrame, into: Path) -> None:
    """The same in one query of polars."""
    finite = [pl.when(pl.col(f"n{one}").is_finite()).then(f"n{one}").alias(f"n{one}") for one in range(4)]
    huge = [pl.when(pl.col(f"n{one}").abs() <= 1e38).then(f"n{one}").alias(f"n{one}") for one in range(4)]
    every = {name: name for name in CITIES} | {one: name for name, written in CITIES.items() for one in written}
    n2 = pl.when(pl.col("n2") != 999).then("n2")
    i0 = pl.when(pl.col("i0") != -1).then("i0")
    kind = pl.when(~pl.col("kind").is_in(["N/A", "?"])).then(pl.col("kind")).str.to_lowercase()
    code = pl.col("code").str.to_uppercase()
    rows.with_columns(finite).with_columns(huge).with_columns(
        pl.col("n0").clip(-3, 3),
        pl.when(pl.col("n1") >= -2.5).then("n1").alias("n1"),
        pl.when(n2 <= 4).then(n2).alias("n2"),
        pl.when(pl.col("n3").is_between(-4, 4)).then("n3").fill_null(0).alias("n3"),
        pl.when(i0.is_between(0, 90)).then(i0).alias("i0"),
        pl.col("i1").clip(None, 95).fill_null(50),
        pl.col("city").str.strip_chars().replace_strict(every, default=None),
        pl.when(code.str.contains("^[A-Z]{2}[0-9]$")).then(code).alias("code"),
        kind.replace({"regulr": "regular"}).fill_null("other").alias("kind"),
        pl.col("note").str.strip_chars(),
    ).sink_parquet(into)


def _generate(path: Path) -> None:
    rng = np.random.default_rng(1)
    spelled = [*CITIES, *(one for written in CITIES.values() for one in written), " Bonn ", "Atlantis"]
    part = ROWS // 10
    parts = []
    for number in range(10):
        ids = np.arange(number * part, (number + 1) * part)
        notes = pl.select(
            pl.format("note {}{}", pl.lit(pl.Series(ids % 5000)), pl.lit(pl.Series(rng.choice(["", " "], part))))
        )
        frame = pl.DataFrame(
            {
                "id": ids,
                **{f"n{one}": np.where(rng.random(part) < 0.01, 999.0, rng.normal(size=part)) for one in range(4)},
                "i0": rng.integers(-1, 100, part),
                "i1": pl.Series(rng.integers(0, 100, part)).set(pl.Series(rng.random(part) < 0.02), None),
                "city": rng.choice(spelled, part),
                "code": rng.choice(["ab1", "AB2", "xy", "Cd3"], part),
                "kind": rng.choice(["Regular", "regulr", "N/A", "?", "large"], part),
                "note": notes.to_series(),
                "flag": rng.random(part) < 0.5,
            }
        )
        parts.append(path.with_name(f"part-{number}.parquet"))
        frame.write_parquet(parts[-1])
    pl.scan_parquet(parts).sink_parquet(path)
