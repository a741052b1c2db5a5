"""Memory: the kernel's own count of what a process has needed, and limits that tables keep to."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from heptad.core import memory
from heptad.core.memory import SHARE, allowance, peak_rss_mb, return_freed_memory


def printed(code: str, **environment: str) -> list[str]:
    """What a process of its own prints."""
    free = {name: value for name, value in os.environ.items() if not name.startswith(("POLARS_", "_RJEM_"))}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=free | environment
    )
    return done.stdout.splitlines()


def test_the_peak_grows_with_what_was_used() -> None:
    """A process that holds 100 MB has a peak of at least that."""
    code = "from heptad.core.memory import peak_rss_mb; held = b'1' * 100_000_000; print(peak_rss_mb())"
    assert float(printed(code)[0]) > 95


def test_a_process_that_is_gone_counts_nothing() -> None:
    """Asking for a process that does not exist is no error."""
    assert peak_rss_mb(2**30) == 0
    assert peak_rss_mb() > 0


def test_the_c_library_can_be_told_to_give_memory_back() -> None:
    """On Linux with glibc it takes the settings; anywhere else nothing happens."""
    assert return_freed_memory() in {True, False}
    if "glibc" in platform.libc_ver():
        assert return_freed_memory()


@pytest.mark.parametrize("kind", ["RLIMIT_AS", "RLIMIT_DATA"])
def test_a_ulimit_is_what_may_be_used(kind: str) -> None:
    """The address space or the data that a `ulimit` leaves is the allowance, and tables take their share of it."""
    code = (
        "import resource; from pathlib import Path; from heptad.core.memory import allowance, budget, limit_memory\n"
        f"resource.setrlimit(resource.{kind}, (10**9, 10**9))\n"
        "limit_memory('', Path('spill')); print(allowance(), budget())"
    )
    allowed, tables = map(int, printed(code)[0].split())
    assert allowed == 10**9
    assert 0 <= SHARE * 10**9 - tables < 2**20


@pytest.mark.parametrize(
    ("own", "files", "limit"),
    [
        ("0::/a/b\n", {"a/b/memory.max": "max", "a/memory.max": "50000000"}, 50_000_000),
        ("0::/\n", {"memory.max": "60000000"}, 60_000_000),
        ("4:memory,cpu:/c\n0::/\n", {"memory/c/memory.limit_in_bytes": "70000000"}, 70_000_000),
        ("1:cpu:/\n", {"memory.max": "5"}, None),
    ],
)
def test_a_control_group_is_what_may_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str, files: dict[str, str], limit: int | None
) -> None:
    """The least limit of a process's groups and those around them counts, in both versions of control groups."""
    for name, text in files.items():
        path = tmp_path / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "own").write_text(own)
    monkeypatch.setattr(memory, "_CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(memory, "_OWN_CGROUPS", tmp_path / "own")
    assert allowance() == limit if limit else allowance() > 10**8
    monkeypatch.setattr(memory, "_OWN_CGROUPS", tmp_path / "missing")
    assert allowance() > 10**8


LIMITED = "from pathlib import Path; from heptad.core.memory import budget, limit_memory\n"


def test_settings_win_over_the_environment_and_that_over_the_machine() -> None:
    """`[execute] memory` says how much; without it what somebody set stays; processes started later inherit it."""
    given = LIMITED + "limit_memory('2GB', Path('s')); print(budget())"
    assert 0 <= 0.25 * 2 * 10**9 - int(printed(given, POLARS_OOC_MEMORY_BUDGET_MB="77")[0]) < 2**20
    kept = LIMITED + "limit_memory('', Path('s')); print(budget())"
    assert printed(kept, POLARS_OOC_MEMORY_BUDGET_MB="77") == [str(77 * 2**20)]
    inherited = (
        LIMITED + "limit_memory('100MB', Path('s'))\n"
        "import subprocess, sys\n"
        "code = 'from heptad.core.memory import budget; print(budget())'\n"
        "print(subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout.strip())"
    )
    assert printed(inherited) == [str(23 * 2**20)]


@pytest.mark.parametrize("first", ["", "import polars as pl\n"])
def test_more_than_the_budget_is_spilled_and_nothing_stays(tmp_path: Path, first: str) -> None:
    """A sort of more than the budget writes into the folder and leaves it empty, also where Polars was there before."""
    code = (
        first + LIMITED + f"limit_memory('80MB', Path({str(tmp_path / 'spill')!r}))\n"
        "import os, polars as pl\n"
        "rows = pl.LazyFrame({'a': range(6_000_000)}).with_columns(b=pl.col('a').hash(), c=pl.col('a') * 2)\n"
        "seen = []\n"
        f"looked = lambda rows: seen.append(len(list(Path({str(tmp_path)!r}).rglob('spill/*/*'))))\n"
        "rows.sort('b').sink_batches(looked, chunk_size=500_000)\n"
        "print(len(seen), max(seen))"
    )
    batches, files = map(int, printed(code)[0].split())
    assert batches == 12
    assert files > 0
    assert not (tmp_path / "spill").exists()


def test_limiting_is_for_the_whole_process() -> None:
    """The first folder stays, whatever is opened later; a later setting changes the amount."""
    code = (
        LIMITED + "import os\n"
        "limit_memory('1GB', Path('first')); limit_memory('', Path('second')); print(budget() >> 20)\n"
        "limit_memory('2GB', Path('third')); print(budget() >> 20, os.environ['POLARS_OOC_SPILL_DIR'])"
    )
    assert printed(code) == ["238", "476 first"]


def test_what_is_spilled_has_a_folder_of_its_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside the folder that is set; none where none is."""
    monkeypatch.setenv("POLARS_OOC_SPILL_DIR", str(tmp_path))
    assert memory.spill_folder() == tmp_path / str(os.getpid())
    monkeypatch.delenv("POLARS_OOC_SPILL_DIR")
    assert memory.spill_folder() is None
