"""The project's own function makes the table, and its mistakes are told as such."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from heptad.core.errors import DataError, SettingsError, TaskError
from heptad.data.assembling.function import ProjectFunction

SOURCES = {"rows": pl.LazyFrame({"a": [1, 2]}), "more": pl.LazyFrame({"b": [3]})}


def project(folder: Path, code: str, address: str = "pipeline:table") -> Callable[..., pl.DataFrame]:
    """The function over small sources, whose table is made at once."""
    (folder / "pipeline.py").write_text(code)
    function = ProjectFunction(folder, address)
    return lambda sources: function(sources, small=True).collect()


def test_sources_are_wired_by_the_names_of_parameters(tmp_path: Path) -> None:
    """A function gets the sources it names, or all of them."""
    one = project(tmp_path, "def table(rows, other=None):\n    return rows\n")
    assert one(SOURCES)["a"].to_list() == [1, 2]
    every = project(tmp_path, "def table(**sources):\n    return sources['more'].collect()\n")
    assert every(SOURCES)["b"].to_list() == [3]


def test_modules_beside_it_can_be_imported(tmp_path: Path) -> None:
    """The project's folder is on the path while the module is run, and not afterwards."""
    (tmp_path / "heptad_beside.py").write_text("NUMBER = 1\n")
    code = "from heptad_beside import NUMBER\ndef table(rows):\n    return rows.select('a').head(NUMBER)\n"
    assert project(tmp_path, code)(SOURCES)["a"].to_list() == [1]


def test_a_changed_file_is_run_again(tmp_path: Path) -> None:
    """The digest follows the file, and so does what is called."""
    (tmp_path / "pipeline.py").write_text("def table(rows):\n    return rows\n")
    function = ProjectFunction(tmp_path, "pipeline:table")
    first = function.digest()
    assert len(function(SOURCES).collect()) == 2
    (tmp_path / "pipeline.py").write_text("def table(rows):\n    return rows.head(1)\n")
    assert function.digest() != first
    assert len(function(SOURCES).collect()) == 1


def test_the_table_of_large_sources_is_not_made_at_once(tmp_path: Path) -> None:
    """It stays a query; what is wrong with that is told at once, what goes wrong with values where it is made."""
    (tmp_path / "pipeline.py").write_text(
        "import polars as pl\n"
        "def table(rows):\n    return rows.with_columns(pl.concat_str('a', pl.lit('x')).cast(pl.Int64))\n"
        "def other(rows):\n    return rows.select('nothing')\n"
    )
    made = ProjectFunction(tmp_path, "pipeline:table")
    rows = made(SOURCES, small=False)
    with pytest.raises(DataError, match="describes cannot be made"), made.blamed():
        rows.collect()
    with pytest.raises(DataError, match="describes cannot be made"):
        ProjectFunction(tmp_path, "pipeline:other")(SOURCES, small=False)


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("def table(rows):\n    raise ValueError('no luck')\n", "pipeline:table failed: ValueError: no luck"),
        ("import nothing_of_this_name\n", "cannot be run: ModuleNotFoundError"),
    ],
)
def test_a_function_that_fails_is_named_with_its_error(tmp_path: Path, code: str, problem: str) -> None:
    """What the function raises is the cause, and its file the place to mend."""
    with pytest.raises(TaskError, match=problem) as error:
        project(tmp_path, code)(SOURCES)
    assert "pipeline.py" in f"{error.value.problem} {error.value.remedy}"


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("def table(rows):\n    return 5\n", "returned a int"),
        ("def table(rows):\n    return rows.select('nothing')\n", "describes cannot be made"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, code: str, problem: str) -> None:
    """Something else than a frame, or a query that polars cannot run."""
    with pytest.raises(DataError, match=problem):
        project(tmp_path, code)(SOURCES)


@pytest.mark.parametrize(
    ("code", "address", "problem"),
    [
        ("def table(rowz):\n    return rowz\n", "pipeline:table", "asks for 'rowz', which is no source"),
        ("def table(rows):\n    return rows\n", "pipeline:tabel", "defines no function 'tabel'"),
        ("", "pipelin:table", r"there is no pipelin\.py"),
        ("", "pipeline", "cannot be used"),
        ("", "../pipeline:table", "cannot be used"),
    ],
)
def test_settings_that_name_nothing_are_refused(tmp_path: Path, code: str, address: str, problem: str) -> None:
    """A module, function or source that does not exist is named, with the nearest."""
    with pytest.raises(SettingsError, match=problem):
        project(tmp_path, code, address)(SOURCES)


def test_format_after_a_filter_works(tmp_path: Path) -> None:
    """A text made of several columns after a filter over many chunks, which panics in polars' streaming engine."""
    chunks = pl.concat([pl.DataFrame({"a": [x] * 1000, "s": ["x"] * 1000}) for x in range(50)], rechunk=False)
    query = "rows.filter(pl.col('a') < 20).select(k=pl.format('{}-{}', 'a', 's'))"
    code = f"import polars as pl\ndef table(rows):\n    return {query}\n"
    assert len(project(tmp_path, code)({"rows": chunks.lazy()})) == 20_000
