"""A table five times larger than the memory a process may use: every operation on it must finish.

Each operation is a process of its own, nearly all of them commands of the program, and what it answers is compared
with what is known of the table. The limit is a control group's, where this user may make one; else a `ulimit -v`, which
is stricter than memory is: mapped files and unused address space count too, and the first operation does not come
through. HEPTAD_BENCH_MEMORY_MB changes the limit, and the table with it.
"""

import json
import os
import shlex
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import polars as pl

from bench.figures import Figure

T = TypeVar("T")
LIMIT_MB = int(os.environ.get("HEPTAD_BENCH_MEMORY_MB", "2000"))
TIMES = 5
ROW_BYTES = 8 * 12 + 12 + 14 + 220
"""What a row of the table takes in memory: numbers, times and codes, two short texts, a remark."""
FILES = 40
LATER = 4
"""So many of the files come after the first version."""
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
[features.people]
source = "rows"
on = ["who"]
columns = ["n0", "kind"]
make.recent = { call = "mean", of = "n2", rows = 5 }
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
TEXT_SETTINGS = """
[project]
name = "text"
[sources.rows]
SOURCE
[data]
target = "y"
key = ["id"]
time = "at"
"""
CALLED = """
import json
from datetime import UTC, datetime, timedelta
import heptad
data = heptad.open(".").data
latest = data.version("latest")
def at(second):
    return datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
"""
GROUPS = (("memory", "memory.limit_in_bytes"), ("", "memory.max"))
"""Of both versions of control groups, the folder below /sys/fs/cgroup and the file of the limit."""


class Operation(NamedTuple):
    """What a process does, and whether what it answers is right; it is told the answer and the folder."""

    name: str
    program: Sequence[str]
    right: Callable[[Any, Path], bool]


def command(name: str, text: str, right: Callable[[Any, Path], bool]) -> Operation:
    """A command of the program."""
    return Operation(name, ["-m", "heptad", "data", *shlex.split(text), "--json"], right)


def called(name: str, asked: str, right: Callable[[Any, Path], bool]) -> Operation:
    """What no command stands for, asked from Python."""
    return Operation(name, ["-c", CALLED + f"print(json.dumps({asked}))"], right)


def operations(rows: int) -> list[Operation]:
    """What is done to the table, in this order, once the first version is there and all its files are."""
    before, kinds, judged = rows * (FILES - LATER) // FILES, 15_000, round(rows * 0.2)
    theirs = sum(len(range(7, count, 1_000)) for count in (rows, before))
    first, end = rows // 2, rows // 2 + 3_000
    window = f"at({first}), at({end})"

    def counted(file: str, wanted: int) -> Callable[[Any, Path], bool]:
        return lambda _, folder: pl.scan_parquet(folder / file).select(pl.len()).collect().item() == wanted

    return [
        command("the next version, of a tenth more", "collect", lambda made, _: made["body"]["rows"] == rows),
        called("digest of a version", "data.digest(latest) == latest.body.digest", lambda same, _: same),
        called("rows of a window", f"data.scan(latest, start={window.replace(', ', ', end=')}).collect().height",
               lambda found, _: found == end - first),
        called("what the sources hold of a window", f"data.history({window}).height",
               lambda found, _: found == end - first),
        command("diff of two versions", "diff 1 2",
                lambda found, _: (found["rows_added"], found["rows_removed"]) == (rows - before, 0)),
        command("expectations", "expect check", lambda found, _: found["passed"] and found["rows"] == rows),
        command("page of the profile", "profile --html profile.html",
                lambda found, folder: found["profile"]["rows"] == rows and (folder / "profile.html").exists()),
        command("rules suggested", "suggest", lambda cells, _: cells == []),
        command("personal data", "pii",
                lambda found, _: {one["column"] for one in found["personal"]} == {"id", "remark"}),
        command("anonymity measured", "anonymity --quasi place,kind --sensitive y",
                lambda found, _: (found["measured"]["rows"], found["measured"]["classes"]) == (rows, kinds)),
        command("anonymity reached", "anonymity --quasi place,kind --sensitive y --k 5 --write safe.parquet",
                lambda found, folder: counted("safe.parquet", rows - found["reached"]["suppressed"])(found, folder)),
        command("statistics with noise", "dp-statistics --column n0=-3:3 --epsilon 0.1",
                lambda made, _: abs(made["body"]["figures"][0]["value"] - rows) < 1_000),
        command("split by time", "split --out parts.parquet",
                lambda found, folder: found["parts"][1]["rows"] == judged
                and counted("parts.parquet", rows)(found, folder)),
        command("leakage report", "features leaks", lambda found, _: all(one["passed"] for one in found)),
        command("features known then", "features join entities.parquet known.parquet --time at",
                counted("known.parquet", rows // FILES)),
        command("feature views in force", "features apply --yes",
                lambda found, _: {one["name"] for one in found["plan"]["changes"]} == {"people", "readings"}),
        command("features brought online", "features materialise",
                lambda found, _: [one["entities"] for one in found] == [1_000, 50]),
        command("parity of features", "parity",
                lambda found, _: all(one["compared"] and not one["different"] for one in found)),
        command("a version written to a file", "get latest all.parquet", counted("all.parquet", rows)),
        command("people looked for", "erase --where 'who=customer 7' --dry-run",
                lambda found, _: found["found"]["data versions"] == theirs),
        command("a person erased", "erase --key id=5 --reason 'they asked for it' --yes",
                lambda made, _: [(one["certificate"]["removed"]["data versions"], one["certificate"]["still_holding"])
                                 for one in made] == [(2, [])]),
        command("old rows deleted", "prune --keep 1 --reason 'nobody needs them' --yes",
                lambda found, _: [one["goes"] for one in found["versions"]] == [False, True]),
        command("a folder added", "add rows", lambda made, _: made[0]["version"]["body"]["files"] == FILES),
    ]  # fmt: skip


def measure() -> list[Figure]:
    """Each operation's largest resident size beside the limit; it holds where the operation came to its right end."""
    with tempfile.TemporaryDirectory() as name, _control_group() as group:
        folder = Path(name)
        rows = LIMIT_MB * 10**6 * TIMES // ROW_BYTES // FILES * FILES
        size = _apart(generate, folder, rows)
        given = f"{size / 10**9:.1f} GB in {LIMIT_MB} MB{'' if group else ' of address space'}"
        before = rows * (FILES - LATER) // FILES
        first = command(
            "collect, clean, join, expect, profile, version", "collect", lambda made, _: made["body"]["rows"] == before
        )
        figures = [measured(first, folder, group, given)]
        bring_later(folder)
        figures += (measured(operation, folder, group, given) for operation in operations(rows))
        figures += _measured_text(group)
    return figures


def _measured_text(group: Path | None) -> Iterator[Figure]:
    """The first version of a CSV file that is twice as large as the limit, and of the same rows in a database."""
    rows = LIMIT_MB * 10**6 * TEXT_TIMES // TEXT_ROW_BYTES // FILES * FILES
    collect = command("collect, profile, version", "collect", lambda made, _: made["body"]["rows"] == rows)
    for name, source, write in (
        ("a CSV file", 'uri = "rows.csv"', _write_csv),
        ("a database", 'uri = "sqlite:///rows.db"\ntable = "rows"', _write_database),
    ):
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            (folder / "heptad.toml").write_text(TEXT_SETTINGS.replace("SOURCE", source), encoding="utf-8")
            path = _apart(write, folder, rows)
            yield measured(collect, folder, group, f"{name}, {path.stat().st_size / 10**9:.1f} GB in {LIMIT_MB} MB")


def _apart(act: Callable[[Path, int], T], folder: Path, rows: int) -> T:
    """What makes a table needs much memory, and who starts a process passes on what it ever had."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(act, folder, rows).result()


def _write_csv(folder: Path, rows: int) -> Path:
    path = folder / "rows.csv"
    with path.open("wb") as file:
        for place, part in enumerate(_parts(rows)):
            part.write_csv(file, include_header=not place)
    return path


def _write_database(folder: Path, rows: int) -> Path:
    path = folder / "rows.db"
    with closing(sqlite3.connect(path)) as database:
        for place, part in enumerate(_parts(rows)):
            if not place:
                database.execute(f"create table rows ({', '.join(part.columns)})")
            texts = part.with_columns(pl.col("at").dt.to_string("iso"))
            database.executemany(f"insert into rows values ({', '.join('?' * part.width)})", texts.iter_rows())
            database.commit()
    return path


def measured(operation: Operation, folder: Path, group: Path | None, given: str) -> Figure:
    """Runs an operation under the limit."""
    enter = f"echo $$ > {group}/cgroup.procs" if group else f"ulimit -v {LIMIT_MB * 10**6 // 1024}"
    entered = ["sh", "-c", f'{enter} && exec "$@"', "sh", sys.executable, *operation.program]
    began = time.perf_counter()
    with (folder / "answer.json").open("w+b") as answer, (folder / "errors.txt").open("w+b") as errors:
        started = subprocess.Popen(entered, cwd=folder, stdout=answer, stderr=errors)
        _, status, used = os.wait4(started.pid, 0)
        started.returncode = os.waitstatus_to_exitcode(status)
        answer.seek(0)
        errors.seek(0)
        text, said = answer.read(), errors.read().decode(errors="replace")
    right = started.returncode == 0 and bool(operation.right(json.loads(text), folder))
    if not right:
        print(f"{operation.name}: exit code {started.returncode}: {said[-2000:]}", file=sys.stderr)
    return _figure(operation.name, right, time.perf_counter() - began, used.ru_maxrss / 1024, given)


@contextmanager
def _control_group() -> Iterator[Path | None]:
    """A group with this limit; `None` where none can be made."""
    group = next((made for folder, limit in GROUPS if (made := _made_group(folder, limit))), None)
    try:
        yield group
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


def generate(folder: Path, rows: int) -> int:
    """Writes the table in files, out of order; answers about how many bytes it takes in memory.

    The last files are put aside, for `bring_later`.
    """
    for name in ("rows", "later"):
        (folder / name).mkdir()
    kinds = ", ".join(f'"kind {number}"' for number in range(300))
    (folder / "heptad.toml").write_text(SETTINGS.replace("KINDS", kinds), encoding="utf-8")
    size = 0
    for place, made in enumerate(_parts(rows)):
        path = folder / ("rows" if place < FILES - LATER else "later") / f"{place:03}.parquet"
        made.write_parquet(path, compression="lz4", row_group_size=50_000)
        size += 8 * made.height * 12 + sum(int(made[name].str.len_bytes().sum()) for name in ("kind", "who", "remark"))
    readings = pl.select(n=pl.int_range(100_000)).select(
        place=pl.col("n") % 50,
        at=_moment(pl.col("n") // 50 * (rows // 2000)),
        level=pl.col("n").hash(1) % 1000 / 10,
        flow=pl.col("n").hash(2) % 1000 / 10,
    )
    readings.write_parquet(folder / "readings.parquet")
    made.select("id", "at", "place", "who").write_parquet(folder / "entities.parquet")
    return size


def bring_later(folder: Path) -> None:
    """Puts the files that were kept aside where the source looks."""
    for path in (folder / "later").iterdir():
        path.rename(folder / "rows" / path.name)


def _parts(rows: int) -> Iterator[pl.DataFrame]:
    each = rows // FILES
    return (_rows(place * each, each, rows) for place in range(FILES))


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
