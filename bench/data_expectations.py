"""Expectations over ten million rows of Parquet, beside one hand-written query that counts the same.

HEPTAD_BENCH_EXPECT_ROWS changes the number of rows. The table is made when the benchmark runs.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl

from bench.figures import Figure

ROWS = int(os.environ.get("HEPTAD_BENCH_EXPECT_ROWS", "10_000_000"))
FILES = 10
ROUNDS = 5
LIMIT_MB = 1000
SETTINGS = """
[expect]
infer = false
[expect.columns]
id = { missing = 0, min = 0 }
amount = { min = 0, max = 1000, missing = 0.02, mean = { min = 400, max = 600 } }
rate = { above = -1, below = 2 }
kind = { allowed = [KINDS], missing = 0 }
code = { matches = "^K[0-9]+$", length = { min = 2, max = 8 } }
at = { not_before = "2019-12-31", not_after = "2040-01-01" }
level = { min = -10, max = 10, deviation = { min = 0.1, max = 5 } }
count = { max = 99 }
[[expect.table]]
check = "low <= high"
[[expect.table]]
rows = { min = 1 }
"""
KINDS = [f"kind {number}" for number in range(12)]
"""Twenty expectations, of values, texts, sets, times, figures, pairs and the table."""
STEPS = r"""
import json, sys, time
from datetime import UTC, datetime
from pathlib import Path
import polars as pl
from heptad.core.memory import peak_rss_mb

folder, ours, rounds = sys.argv[1], sys.argv[2] == "ours", int(sys.argv[3])
kinds = json.loads(sys.argv[4])
rows = pl.scan_parquet(f"{folder}/*.parquet")
c = pl.col

def by_hand():
    start, end = datetime(2019, 12, 31, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
    found = rows.select(
        c("id").is_null().sum().alias("a"), (c("id") < 0).sum().alias("b"),
        (c("amount") < 0).sum().alias("c"), (c("amount") > 1000).sum().alias("d"),
        c("amount").is_null().sum().alias("e"), c("amount").mean().alias("f"),
        (c("rate") <= -1).sum().alias("g"), (c("rate") >= 2).sum().alias("h"),
        (~c("kind").is_in(kinds)).sum().alias("i"), c("kind").is_null().sum().alias("j"),
        (~c("code").str.contains("^K[0-9]+$")).sum().alias("k"),
        (~c("code").str.len_chars().is_between(2, 8)).sum().alias("l"),
        (c("at") < start).sum().alias("m"), (c("at") > end).sum().alias("n"),
        (c("level") < -10).sum().alias("o"), (c("level") > 10).sum().alias("p"), c("level").std().alias("q"),
        (c("count") > 99).sum().alias("s"),
        (c("low") > c("high")).sum().alias("t"), pl.len().alias("u"),
    ).collect(engine="streaming")
    return sum(value for name, value in found.row(0, named=True).items() if name not in "efqu")

def expected():
    import tomllib
    import msgspec
    from heptad.data import ExpectSettings
    from heptad.data.expectations.checks import Expectations
    from heptad.data.expectations.definitions import Context
    from heptad.data.passes import ask
    text = Path(folder, "heptad.toml").read_text()
    settings = msgspec.convert(tomllib.loads(text)["expect"], ExpectSettings)
    context = Context(types=rows.collect_schema(), now=datetime(2026, 1, 1, tzinfo=UTC))
    (found,) = ask(rows, Expectations(context, ["_row"], settings, None))
    assert len(found) == 20, len(found)
    return sum(not one.passed for one in found)

run = expected if ours else by_hand
times = []
for _ in range(rounds):
    began = time.perf_counter()
    broken = run()
    times.append(time.perf_counter() - began)
print(json.dumps([broken == 0, min(times), peak_rss_mb()]))
"""


def measure() -> list[Figure]:
    """Time beside the hand-written query's, the quickest of some rounds each, and the largest resident size."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _generate(folder)
        # In turn, so that a busy machine is as busy for both.
        rounds = [(_run(folder, "hand"), _run(folder, "ours")) for _ in range(2)]
    hand, ours = min(one[0][1] for one in rounds), min(one[1][1] for one in rounds)
    right, peak = all(one[0][0] and one[1][0] for one in rounds), max(one[1][2] for one in rounds)
    what = f"20 expectations over {ROWS / 1e6:g}M rows x 12 columns"
    return [
        Figure(
            name=f"data, {what} (by hand {hand:.2f} s)",
            value=ours,
            unit="s",
            limit=1.3 * hand,
            ratio=ours / hand,
            floor="within 1.3x of one hand-written query",
            holds=right and ours <= 1.3 * hand,
        ),
        Figure(
            name=f"data, {what}: memory",
            value=peak,
            unit="MB",
            limit=LIMIT_MB,
            ratio=peak / LIMIT_MB,
            floor="under 1 GB",
            holds=peak < LIMIT_MB,
        ),
    ]


def _run(folder: Path, who: str) -> tuple[bool, float, float]:
    done = subprocess.run(
        [sys.executable, "-c", STEPS, str(folder), who, str(ROUNDS), json.dumps(KINDS)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    right, seconds, peak = json.loads(done.stdout.splitlines()[-1])
    return right, seconds, peak


def _generate(folder: Path) -> None:
    kinds = ", ".join(f'"{kind}"' for kind in KINDS)
    (folder / "heptad.toml").write_text(SETTINGS.replace("KINDS", kinds), encoding="utf-8")
    each = ROWS // FILES
    for place in range(FILES):
        number = pl.col("id")
        amount = number.hash(1) % 1000
        rows = pl.select(id=pl.int_range(place * each, (place + 1) * each)).with_columns(
            amount=pl.when(number.hash(9) % 100 > 0).then(amount.cast(pl.Float64)),
            rate=(number.hash(2) % 1000) / 1000,
            kind=pl.concat_str(pl.lit("kind "), number.hash(3) % 12),
            code=pl.concat_str(pl.lit("K"), number.hash(4) % 100_000),
            at=(number * 30_000_000 + 1_577_836_800_000_000).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
            level=(number.hash(5) % 10_000) / 2_500 - 2,
            count=(number.hash(6) % 100).cast(pl.Int64),
            low=(number.hash(7) % 1000) / 1000,
            high=(number.hash(8) % 1000) / 1000 + 1,
            flag=number.hash(10) % 2 == 0,
            y=(number.hash(11) % 3).cast(pl.Int64),
        )
        rows.write_parquet(folder / f"{place:02}.parquet", compression="lz4", row_group_size=100_000)


if __name__ == "__main__":
    for figure in measure():
        print(figure)
