"""`heptad data expect`: exit codes, reports for people and for CI, translations."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from heptad.cli.app import run
from heptad.project import open_project

PROGRAM = "from heptad.cli import main; main()"
SETTINGS = """
[sources.rows]
uri = "rows.csv"
[data]
target = "y"
key = ["k"]
[expect.columns]
x = {{ max = {limit}, severity = "{severity}" }}
"<script>" = {{ allowed = ["a", "b"] }}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Ten rows, x from 0 to 9, a column with the name of an element; x above 8 only warns."""
    folder = tmp_path / "project"
    folder.mkdir()
    lines = [f"{n},{n},{'ab'[n % 2]},{'uv'[n % 3 == 0]}" for n in range(10)]
    (folder / "rows.csv").write_text("\n".join(["k,x,<script>,y", *lines, ""]))
    settle(folder)
    return folder


def settle(folder: Path, limit: int = 8, severity: str = "warning") -> None:
    (folder / "heptad.toml").write_text(SETTINGS.format(limit=limit, severity=severity))


def expect(project: Path, *words: str | Path) -> int:
    return run(["data", "expect", *map(str, words), "--project", str(project)])


def test_a_version_that_holds_ends_with_0(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Broken warnings are shown with rows, and do not count."""
    assert expect(project, "check") == 2
    assert "There is no data version" in capsys.readouterr().err
    open_project(project).data.collect()
    assert expect(project, "check") == 0
    out = capsys.readouterr().out
    assert "project@1: 3 of 4 expectations hold in 10 rows" in out
    assert "x: 1 value above 8" in out
    assert "k 9, x 9" in out


def test_a_broken_error_ends_with_1_and_is_reported(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In text, as JSON, as JUnit XML, and as HTML in which a column's name stays a name."""
    open_project(project).data.collect()
    settle(project, severity="error")
    junit, html = project / "out.xml", project / "out.html"
    assert expect(project, "check", "--version", "1", "--junit", junit, "--html", html, "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["passed"], told["what"], told["rows"]) == (False, "project@1", 10)
    broken = [one for one in told["findings"] if not one["passed"]]
    assert [(one["column"], one["failing_rows"], one["share"]) for one in broken] == [("x", 1, 0.1)]
    assert list(told["samples"].values()) == [[{"k": 9, "x": 9}]]
    assert ET.parse(junit).getroot().get("failures") == "1"
    page = html.read_text()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_file_is_checked_by_the_real_program(project: Path) -> None:
    """In a process of its own, as CI runs it."""
    new = project / "new.csv"
    command = [sys.executable, "-c", PROGRAM, "data", "expect", "check", str(new), "--project", str(project)]
    new.write_text((project / "rows.csv").read_text().replace("9,9,b", "9,9,z"))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "<script>: 1 value other than a, b" in done.stdout
    new.write_text((project / "rows.csv").read_text())
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    new.unlink()
    gone = subprocess.run(command, capture_output=True, text=True, check=False)
    assert gone.returncode == 2
    assert "new.csv" in gone.stderr


def test_mistakes_of_the_settings_end_with_2(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All of them at once, with line and nearest name, in tables and in lists of tables."""
    with (project / "heptad.toml").open("a") as file:
        file.write('k = [{ mn = 1 }, { mostly = 2 }]\n[[expect.table]]\nchek = "x > 1"\n[[expect.table]]\nrows = 5\n')
    assert expect(project, "check") == 2
    told = capsys.readouterr().err
    assert "line 10: there is no setting 'expect.columns.k.1.mn'. Allowed: did you mean 'min'?" in told
    assert "line 10: expect.columns.k.2.mostly = 2 cannot be used. Allowed: a share between 0 and 1" in told
    assert "line 12: there is no setting 'expect.table.1.chek'. Allowed: did you mean 'check'?" in told
    assert "line 14: expect.table.2.rows = 5 cannot be used" in told


def test_what_is_inferred_can_be_put_into_the_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is TOML, with evidence, and holds."""
    open_project(project).data.collect()
    assert expect(project, "infer") == 0
    text = capsys.readouterr().out
    assert tomllib.loads(text)["expect"]["columns"]["x"]["max"] == 9
    settings = (project / "heptad.toml").read_text().partition("[expect.columns]")[0]
    (project / "heptad.toml").write_text(settings + text)
    assert expect(project, "check") == 0
    assert "warning:" not in capsys.readouterr().out


MODEL = """
import pandera.polars as pa

class Rows(pa.DataFrameModel):
    y: int = pa.Field(ge=0)

    @pa.check("y")
    @classmethod
    def own(cls, data):
        return True
"""


def test_a_schema_that_is_an_object_is_translated(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By module and name; one thing to translate has to be named, and not two."""
    (project / "checks.py").write_text(MODEL, encoding="utf-8")
    assert expect(project, "import", "--suite", "checks:Rows") == 0
    out = capsys.readouterr().out
    assert tomllib.loads(out)["expect"]["columns"]["y"] == {"type": "integer", "min": 0.0, "missing": 0.0}
    assert "# not translated: own of y" in out
    assert expect(project, "import", "--suite", "checks:Row") == 2
    assert "did you mean 'Rows'" in capsys.readouterr().err
    assert expect(project, "import", "--suite", "checks:pa") == 2
    assert "This is a module" in capsys.readouterr().err
    for named in ([], [project / "rows.csv", "--suite", "checks:Rows"]):
        assert expect(project, "import", *named) == 2
        assert "say" in capsys.readouterr().err


def test_translations_are_printed_or_written(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What has no twin is named both ways."""
    suite = project / "suite.json"
    suite.write_text(
        json.dumps(
            {
                "expectation_suite_name": "old",
                "expectations": [
                    {"expectation_type": "expect_column_values_to_be_unique", "kwargs": {"column": "k"}, "meta": {}},
                    {"expectation_type": "expect_my_own", "kwargs": {"column": "k"}, "meta": {}},
                ],
            }
        )
    )
    assert expect(project, "import", suite) == 0
    out = capsys.readouterr().out
    assert "k = { unique = true }" in out
    assert "# not translated: expect_my_own of k: " in out
    assert expect(project, "import", suite, "--out", project / "expect.toml") == 0
    out = capsys.readouterr().out
    assert "1 expectation written to" in out
    assert "expect_my_own of k" in out
    assert "unique" in (project / "expect.toml").read_text()
    assert expect(project, "import", project / "rows.csv") == 2
