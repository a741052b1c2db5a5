"""A look at a table gives settings that work, with their reasons."""

import tomllib
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

from heptad.core.errors import DataError
from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.data import CleanSettings, Data, DataSettings, ExpectSettings, SourceSettings, suggest_settings

RNG = np.random.default_rng(3)
ROWS = 200


def table() -> pl.DataFrame:
    days = RNG.integers(0, 300, ROWS)
    return pl.DataFrame(
        {
            "user_id": [f"u{x}" for x in range(ROWS)],
            "other id": range(ROWS),
            "signed": [f"2020-{1 + x // 30 % 12:02}-{1 + x % 28:02}" for x in days],
            "plan": RNG.choice(["free", "paid"], ROWS),
            "note": [f"a remark of several words, number {x}" for x in range(ROWS)],
            "amount": RNG.normal(size=ROWS).round(3),
            "constant": ["x"] * ROWS,
            "left": RNG.choice(["yes", "no"], ROWS),
        }
    ).with_columns(known_after=pl.col("left").str.to_uppercase())


@pytest.fixture
def path(workspace: Workspace) -> Path:
    path = workspace.root / "my table.csv"
    table().write_csv(path, separator=";")
    return path


def read(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


def test_settings_name_what_was_seen(path: Path) -> None:
    """Task, key, what is left out, the metric: each as a setting; suspects and types as comments."""
    text = suggest_settings(path, "left", "signed", path.parent)
    settings = read(text)
    assert settings["sources"] == {"my_table": {"uri": "my table.csv", "time": "signed"}}
    assert settings["data"] == {
        "target": "left",
        "task": "classification",
        "key": ["user_id"],
        "time": "signed",
        "ignore": ["other id", "constant"],
    }
    assert settings["search"] == {"metric": "roc_auc"}
    for comment in (
        "# \"constant\" is left out: 'x' in every row.",
        '#   "known_after": it alone tells the target in 100.0% of the rows',
        "separator: semicolon",
        '#   text: "note"',
        '#   number: "amount"',
        "# label_delay",
    ):
        assert comment in text
    assert max(len(line) for line in text.splitlines() if line.startswith("#")) <= 110


def test_suggested_settings_collect(workspace: Workspace, path: Path) -> None:
    """Without a change, they make a version whose features are what was suggested."""
    settings = read(suggest_settings(path, "left", "", path.parent))
    data = Data(
        workspace,
        msgspec.convert(settings["project"], ProjectSettings),
        msgspec.convert(settings["sources"], dict[str, SourceSettings]),
        msgspec.convert(settings["data"], DataSettings),
        msgspec.convert(settings["clean"], CleanSettings),
        ExpectSettings(),
        {},
    )
    body = data.collect().body
    assert [column.name for column in body.schema.features()] == ["signed", "plan", "note", "amount", "known_after"]
    assert body.schema.named("key") == ["user_id"]


@pytest.mark.parametrize(
    ("values", "task", "metric"),
    [
        (["a", "b"] * 20, "classification", "roc_auc"),
        (["a", "b", "c", "a"] * 10, "classification", "log_loss"),
        ([x * 1.5 for x in range(40)], "regression", "rmse"),
    ],
)
def test_the_metric_suits_the_task(tmp_path: Path, values: list, task: str, metric: str) -> None:
    """Two classes, more classes, numbers."""
    pl.DataFrame({"a": RNG.normal(size=40), "y": values}).write_csv(tmp_path / "t.csv")
    settings = read(suggest_settings(tmp_path / "t.csv", "y", "", tmp_path))
    assert (settings["data"]["task"], settings["search"]["metric"]) == (task, metric)


def test_a_file_without_header_says_how_to_name_its_columns(tmp_path: Path) -> None:
    """The numbered names are listed, ready to be replaced."""
    (tmp_path / "sms.tsv").write_text(
        "".join(f"{'ham' if x % 3 else 'spam'}\tmessage of words {x}\n" for x in range(60))
    )
    text = suggest_settings(tmp_path / "sms.tsv", "column_1", "", tmp_path)
    assert '# columns = ["column_1", "column_2"]' in text


def test_repairs_are_told_before_they_happen(tmp_path: Path) -> None:
    """Words among numbers, copies of rows, and Unix times are named with their number."""
    rows = [f"{x},{x * 60 + 1_600_000_000},{x % 2}" for x in range(60)] + ["oops,1600000000,1"] + ["5,1600000300,1"]
    (tmp_path / "t.csv").write_text("a,t,y\n" + "\n".join(rows) + "\n")
    text = suggest_settings(tmp_path / "t.csv", "y", "t", tmp_path)
    assert "# Not a number, so read as missing in \"a\": 1 cell, such as 'oops'." in text
    assert "# Numbers read as times in \"t\": 62 cells, such as 'Unix time in seconds'." in text
    assert "1 of 62 rows repeat an earlier one" in text


def test_a_file_outside_of_the_project_keeps_its_path(path: Path, tmp_path: Path) -> None:
    """Inside the project the path is relative, elsewhere it is whole."""
    elsewhere = tmp_path / "project"
    assert read(suggest_settings(path, "left", "", elsewhere))["sources"]["my_table"]["uri"] == path.as_posix()


def test_mistakes_are_told_by_their_option(path: Path) -> None:
    """A target or time that is not there, with the nearest name, and a time that is none."""
    with pytest.raises(DataError, match="no column 'lefd', which --target names") as error:
        suggest_settings(path, "lefd", "", path.parent)
    assert "did you mean 'left'?" in error.value.allowed
    with pytest.raises(DataError, match="no column 'sign', which --time names"):
        suggest_settings(path, "left", "sign", path.parent)
    with pytest.raises(DataError, match="'plan' does not hold times"):
        suggest_settings(path, "left", "plan", path.parent)


def test_copies_are_kept_where_they_come_by_chance(workspace: Workspace) -> None:
    """Of two columns with few values half of the rows repeat, and mean other cases; a wide table has real copies."""
    rng = np.random.default_rng(1)
    narrow = pl.DataFrame({"size": rng.integers(0, 80, 300), "late": rng.choice(["yes", "no"], 300)})
    wide = pl.DataFrame({f"n{place}": rng.normal(size=300) for place in range(4)}).with_columns(narrow["late"])
    for frame, expected in ((narrow, "keep"), (pl.concat([wide, wide.head(3)]), "drop")):
        path = workspace.root / "rows.csv"
        frame.write_csv(path)
        assert read(suggest_settings(path, "late", "", path.parent))["clean"]["duplicates"] == expected
