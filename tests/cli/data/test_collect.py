"""`heptad data collect` makes a version, says what is odd, and makes none of what is not new."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest
from tests.cli.conftest import Shell

ROWS = pl.DataFrame({"k": range(40), "a": [x * 0.5 for x in range(40)], "y": ["u", "v"] * 20})
SETTINGS = '[sources.rows]\nuri = "rows.csv"\n[data]\ntarget = "y"\nkey = ["k"]\n'


@pytest.fixture
def project(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[[pl.DataFrame], Shell]:
    def written(rows: pl.DataFrame) -> Shell:
        rows.write_csv(tmp_path / "rows.csv")
        (tmp_path / "heptad.toml").write_text(SETTINGS)
        return Shell(capsys, tmp_path)

    return written


def test_a_version_is_made_once(project: Callable[[pl.DataFrame], Shell]):
    """Again, it says that nothing is new."""
    shell = project(ROWS)
    assert "@1: 40 rows, 40 with labels\n" in shell("data", "collect").out
    assert "@1: 40 rows, 40 with labels; nothing is new" in shell("data", "collect").out
    assert shell("data", "collect", "--json").json["body"]["version"] == 1
    assert shell("data", "collect", "--sample", "10", "--json").json["body"]["rows"] == 10


def test_rows_that_were_put_aside_are_counted_by_rule(project: Callable[[pl.DataFrame], Shell]):
    """Duplicates are no surprise that one has to look for, also where nothing is new; a line that is short stays."""
    shell = project(pl.concat([ROWS, ROWS.head(3)]))
    with (shell.project / "rows.csv").open("a") as file:
        file.write("40\n")
    with (shell.project / "heptad.toml").open("a") as file:
        file.write('[clean.rows.large]\nwhere = "a > 18"\n')
    for more in ("", "; nothing is new"):
        told = " ".join(shell("data", "collect").out.split())
        assert "rows, 37 with labels; put aside: 3 by rows large, 3 by duplicate, 1 by missing_target" + more in told


def test_the_layout_is_named_or_refused(project: Callable[[pl.DataFrame], Shell]):
    """`data show` says how rows lie where they do not lie in their order; what cannot be names what could."""
    shell = project(ROWS)
    shell("data", "collect")
    assert "\nlayout  " not in shell("data", "show").out
    wrong = {
        '["b"]': "There is no column 'b'",
        '["a", "a"]': "'a' is named twice",
        '["a", "b", "c", "d", "e"]': "a list of at most four columns",
    }
    for columns, said in wrong.items():
        (shell.project / "heptad.toml").write_text(f"{SETTINGS}cluster = {columns}\n")
        refused = shell("data", "collect")
        assert refused.code == 2
        assert said in " ".join(refused.err.split())
    (shell.project / "heptad.toml").write_text(f'{SETTINGS}cluster = ["y", "a"]\n')
    assert "the table is now clustered by y, a, and was in order" in " ".join(shell("data", "collect").out.split())
    assert "clustered by y, a\n" in shell("data", "show").out


def test_changed_columns_are_told_or_refused(project: Callable[[pl.DataFrame], Shell]):
    """What was done is listed; what is refused ends with code 2 and the setting that would take it."""
    project(ROWS)("data", "collect")
    assert "rows.b: new, integer; kept" in project(ROWS.with_columns(b=pl.lit(1)))("data", "collect").out
    asked = project(ROWS.drop("a"))("data", "collect")
    assert asked.code == 2
    assert "a: was number, is gone" in asked.err
    assert '[sources.rows.on_change] columns.a = "accept"' in " ".join(asked.err.split())


def test_a_terminal_sees_how_far_each_source_is(project: Callable[[pl.DataFrame], Shell]):
    """In a pseudo-terminal: a bar with its share while it goes on, and the screen is left clean."""
    folder = project(ROWS).project
    program = "import sys, heptad.cli.progress as p; p.SHORT = 0.0; from heptad.cli.app import run; run(sys.argv[1:])"
    ours, theirs = os.openpty()
    command = [sys.executable, "-c", program, "data", "collect", "--project", str(folder)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=theirs, env={**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    ) as process:
        os.close(theirs)
        drawn = b""
        with suppress(OSError):  # which is how the end of a pseudo-terminal looks
            while part := os.read(ours, 65_536):
                drawn += part
        out = process.stdout.read().decode() if process.stdout else ""
    os.close(ours)
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", drawn.decode())
    assert "@1: 40 rows" in out
    assert "Collecting" in shown
    assert re.search(r"rows .*100 %, 40 rows", shown)
    assert re.search(r"the version .*100 %, 40 rows", shown)
