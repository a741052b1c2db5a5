"""A table five times larger than the memory a process may use: every operation on it must finish.

The limit is a control group's, where this user may make one; else a `ulimit -v`, which is stricter than memory is:
mapped files and unused address space count too, and the first step does not come through.
HEPTAD_BENCH_MEMORY_MB changes it, and the table with it.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from bench.figures import Figure

LIMIT_MB = int(os.environ.get("HEPTAD_BENCH_MEMORY_MB", "2000"))
TIMES = 5
ROW_BYTES = 8 * 12 + 12 + 14 + 220
"""What a row of the table takes in memory: numbers, times and codes, two short texts, a remark."""
FILES = 40
TEXT_TIMES = 2
TEXT_ROW_BYTES = 450
"""What a row takes as CSV."""
SETTINGS = """
[project]
name = "large"
[sources.rows]
uri = "rows/*.parquet"
time = "at"
[sources.readings]
uri = "readings.parquet"
time = "at"
[data]
source = "rows"
target = "y"
key = ["id"]
time = "at"
label_delay = "1h"
[features.readings]
source = "readings"
on = ["place"]
columns = ["level", "flow"]
ttl = "30d"
[clean.columns.n0]
min = -3
max = 3
outside = "cap"
[clean.columns.kind]
strip = true
lower = true
[expect.columns.n1]
missing = 0.5
[expect.columns.kind]
allowed = [KINDS]
"""
LIMITED = """
import json, resource, sys, time
if sys.argv[4]:
    with open(sys.argv[4], "w") as members:
        members.write("0")
else:
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]) * 10**6,) * 2)
"""
GROUPS = (("memory", "memory.limit_in_bytes"), ("", "memory.max"))
"""Of both versions of control groups, the folder below /sys/fs/cgroup and the file of the limit."""

STEPS = """
from datetime import UTC, datetime, timedelta
import heptad
from heptad.core.memory import peak_rss_mb
data, rows = heptad.open(sys.argv[1]).data, int(sys.argv[3])
def at(share):
    return datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=int(rows * share))
steps = {
    "collect, clean, join, expect, profile, version": lambda: data.collect(until=at(0.9)).body.rows > 0.85 * rows,
    "the next version, of a tenth more": lambda: data.collect().body.rows == rows,
    "digest of a version": lambda: data.digest(data.version(2)) == data.version(2).body.digest,
    "diff of two versions": lambda: data.diff(data.version(1), data.version(2)).rows_added > 0.09 * rows,
    "rows of a window": lambda: data.scan(data.version(2), start=at(0.5), end=at(0.5001)).collect().height > 0,
    "history of a window": lambda: data.history(at(0.5), at(0.5001)).height > 0,
}
for name, step in steps.items():
    began = time.perf_counter()
    right = step()
    print(json.dumps([name, right, time.perf_counter() - began, peak_rss_mb()]), flush=True)
"""

CSV_STEPS = """
from pathlib import Path
from heptad.core.memory import limit_memory, peak_rss_mb
folder, rows = Path(sys.argv[1]), int(sys.argv[3])
limit_memory("", folder / "spill")
import polars as pl
from heptad.data import Place, SourceSettings, open_source
began = time.perf_counter()
source = open_source(SourceSettings(uri="rows.csv"), Place(root=folder, cache=folder / "cache"))
source.digest()
found = source.read().rows.select(pl.len(), pl.col("id").sum(), pl.col("at").count()).collect(engine="streaming")
right = found.row(0) == (rows, rows * (rows - 1) // 2, rows)
print(json.dumps(["a CSV file, read and typed", right, time.perf_counter() - began, peak_rss_mb()]), flush=True)
"""


def measure() -> list[Figure]:
    """Each operation's largest resident size beside the limit; it holds where the operation came to its right end."""
    rows = LIMIT_MB * 10**6 * TIMES // ROW_BYTES // FILES * FILES
    with tempfile.TemporaryDirectory() as name:
        size = _generate(Path(name), rows) / 10**6
        figures = _measured(STEPS, name, rows, size)
    return [*figures, *measure_csv()]


def measure_csv() -> list[Figure]:
    """The same for a CSV file that is twice as large as the limit."""
    rows = LIMIT_MB * 10**6 * TEXT_TIMES // TEXT_ROW_BYTES // FILES * FILES
    with tempfile.TemporaryDirectory() as name:
        with (Path(name) / "rows.csv").open("wb") as file:
            for place in range(FILES):
                made = _rows(place * (rows // FILES), rows // FILES, rows)
                made.write_csv(file, include_header=not place)
            size = file.tell() / 10**6
        return _measured(CSV_STEPS, name, rows, size)


def _measured(steps: str, folder: str, rows: int, size: float) -> list[Figure]:
    with _control_group() as members:
        script = [sys.executable, "-c", LIMITED + steps, folder, str(LIMIT_MB), str(rows), members]
        done = subprocess.run(script, capture_output=True, text=True, check=False)
    given = f"{size / 1000:.1f} GB in {LIMIT_MB} MB{'' if members else ' of address space'}"
    figures = [_figure(*json.loads(line), given) for line in done.stdout.splitlines() if line.startswith("[")]
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
        figures.append(_figure("the rest", False, 0.0, 0.0, given))
    return figures


@contextmanager
def _control_group() -> Iterator[str]:
    """The file that takes the processes of a group with this limit; empty where none can be made."""
    group = next((made for folder, limit in GROUPS if (made := _made_group(folder, limit))), None)
    try:
        yield str(group / "cgroup.procs") if group else ""
    finally:
        if group:
            group.rmdir()


def _made_group(folder: str, limit: str) -> Path | None:
    group = Path("/sys/fs/cgroup", folder, f"heptad-bench-{os.getpid()}")
    try:
        group.mkdir()
    except OSError:
        return None
    try:
        (group / limit).write_text(str(LIMIT_MB * 10**6))
    except OSError:
        group.rmdir()
        return None
    return group


def _generate(folder: Path, rows: int) -> int:
    """Writes the table in files, out of order; answers about how many bytes it takes in memory."""
    (folder / "rows").mkdir()
    kinds = ", ".join(f'"kind {number}"' for number in range(300))
    (folder / "heptad.toml").write_text(SETTINGS.replace("KINDS", kinds), encoding="utf-8")
    each, size = rows // FILES, 0
    for place in range(FILES):
        made = _rows(place * each, each, rows)
        made.write_parquet(folder / "rows" / f"{place:03}.parquet", compression="lz4", row_group_size=50_000)
        size += 8 * made.height * 12 + sum(int(made[name].str.len_bytes().sum()) for name in ("kind", "who", "remark"))
    readings = pl.select(n=pl.int_range(100_000)).select(
        place=pl.col("n") % 50,
        at=_moment(pl.col("n") // 50 * (rows // 2000)),
        level=pl.col("n").hash(1) % 1000 / 10,
        flow=pl.col("n").hash(2) % 1000 / 10,
    )
    readings.write_parquet(folder / "readings.parquet")
    return size


def _rows(start: int, count: int, rows: int) -> pl.DataFrame:
    number = pl.col("id")
    spread = {f"n{place}": (number.hash(place) % 100_000) / 20_000 - 2.5 for place in range(8)}
    return pl.select(id=pl.int_range(start, start + count)).with_columns(
        at=_moment(number * 7_919 % rows),
        place=number.hash(90).mod(50).cast(pl.Int64),
        kind=pl.concat_str(pl.lit(" Kind "), number.hash(91) % 300),
        who=pl.concat_str(pl.lit("customer "), number % 1000),
        remark=pl.concat_str(pl.lit("what was said "), *(pl.lit("about it and again ") for _ in range(10)), number),
        y=(number.hash(92) % 5 < 2).cast(pl.Int64),
        **spread,
    )


def _moment(seconds: pl.Expr) -> pl.Expr:
    micros = seconds.cast(pl.Int64) * 1_000_000 + 1_577_836_800_000_000
    return micros.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _figure(name: str, right: bool, seconds: float, peak: float, given: str) -> Figure:
    return Figure(
        name=f"data, {given}: {name} ({seconds:.0f} s)",
        value=peak,
        unit="MB",
        limit=LIMIT_MB,
        ratio=peak / LIMIT_MB,
        floor="it finishes",
        holds=right,
    )


if __name__ == "__main__":
    for figure in measure_csv() if sys.argv[1:] == ["csv"] else measure():
        print(figure)
