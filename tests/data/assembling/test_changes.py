"""A source whose columns change is taken, read as before, or refused, column by column, and the version says which."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import DataError
from heptad.core.workspace import Workspace
from heptad.data import ColumnExpectation, Data, DataSettings, ExpectSettings, OnChange, SourceSettings
from heptad.data.assembling.changes import find_changes

Open = Callable[..., Data]
Write = Callable[..., Path]
BEFORE = pl.DataFrame({"k": range(20), "a": [x / 4 for x in range(20)], "b": ["u", "v"] * 10, "y": [0, 1] * 10})
SETTINGS = DataSettings(target="y", key=["k"])


@pytest.fixture(autouse=True, params=["small", "large"])
def _size(request: pytest.FixtureRequest, work_in_files: Callable[[], None]) -> None:
    if request.param == "large":
        work_in_files()


@pytest.fixture
def later(open_data: Open, write: Write) -> Callable[..., Any]:
    """The second version, of changed rows, under a policy; the first was made without it."""

    def collected(changed: pl.DataFrame, on_change: Any = None, **expect: Any) -> Any:
        write(BEFORE)
        open_data(SETTINGS, expect=ExpectSettings(**expect)).collect()
        write(changed)
        sources = {"rows": SourceSettings(uri="rows.csv", on_change=on_change)}
        data = open_data(SETTINGS, sources=sources, expect=ExpectSettings(**expect))
        record = data.collect()
        return record.body, data.scan(record).collect()

    return collected


def told(body: Any) -> list[str]:
    return [one.sentence for one in body.findings if one.expectation == "on_change"]


def kinds(body: Any) -> dict[str, tuple[str, str]]:
    return {one.name: (one.type, one.role) for one in body.schema.columns}


def test_a_new_column_is_kept_and_not_learnt_from(later: Callable[..., Any]) -> None:
    """Without a policy; the version's source has it from then on, so that it is told once."""
    body, rows = later(BEFORE.with_columns(c=pl.col("k") * 2))
    assert told(body) == ["rows.c: new, integer; kept"]
    assert (kinds(body)["c"][1], rows["c"].to_list()[:3]) == ("ignored", [0, 2, 4])
    assert body.sources[0].columns["c"] == "integer"


def test_a_new_column_may_be_left_out(later: Callable[..., Any]) -> None:
    """Then the table keeps its columns."""
    body, rows = later(BEFORE.with_columns(c=pl.col("k") * 2).head(18), OnChange(added="coerce"))
    assert told(body) == ["rows.c: new, integer; left out"]
    assert rows.columns == BEFORE.columns


@pytest.mark.parametrize(
    ("changed", "policy", "said"),
    [
        (BEFORE.drop("a"), None, "a: was number, is gone"),
        (BEFORE.drop("a"), "refuse", "a: was number, is gone"),
        (BEFORE.with_columns(c=pl.lit(1)), "refuse", "c: new, integer"),
        (BEFORE.with_columns(a=pl.col("k")), "refuse", "a: was number, is integer now"),
        (BEFORE.with_columns(a=pl.lit("x")), None, "a: was number, is text now, and cannot be read as number: 'x'"),
        (BEFORE.drop("a"), OnChange(dropped="accept", columns={"a": "refuse"}), "a: was number, is gone"),
    ],
)
def test_what_is_refused_is_named_with_before_after_and_remedy(
    changed: pl.DataFrame, policy: Any, said: str, later: Callable[..., Any], workspace: Workspace
) -> None:
    """And nothing is written."""
    with pytest.raises(DataError) as raised:
        later(changed, policy)
    assert f"\n  {said}" in raised.value.problem
    assert "[sources.rows.on_change] columns." in raised.value.remedy
    assert len(workspace.store.follow(0, ["data.version_added"])) == 1


def test_all_that_is_refused_is_told_at_once(later: Callable[..., Any]) -> None:
    """A person mends them together."""
    with pytest.raises(DataError, match=r"(?s)a: was number, is gone.*b: was text, is integer now.*c: new"):
        later(BEFORE.drop("a").with_columns(b=pl.col("k"), c=pl.lit(1)), "refuse")


def test_a_dropped_column_may_be_filled_with_nothing(later: Callable[..., Any]) -> None:
    """Its type stays, so that what was trained on it can still be asked."""
    body, rows = later(BEFORE.drop("a"), OnChange(dropped="coerce"))
    assert told(body) == ["rows.a: was number, is gone; all its values are missing"]
    assert rows["a"].dtype == pl.Float64
    assert rows["a"].null_count() == 20
    assert rows.columns == BEFORE.columns
    assert kinds(body)["a"] == ("number", "feature")


def test_a_dropped_column_may_be_gone(later: Callable[..., Any]) -> None:
    """The schema goes on without it."""
    body, rows = later(BEFORE.drop("a"), OnChange(columns={"a": "accept"}))
    assert told(body) == ["rows.a: was number, is gone; accepted"]
    assert "a" not in rows.columns
    assert "a" not in kinds(body)


def test_another_type_is_read_as_before_where_nothing_is_lost(later: Callable[..., Any]) -> None:
    """Whole numbers where there were numbers; numbers where there were texts."""
    body, rows = later(BEFORE.with_columns(a=pl.col("k"), b=pl.col("k")))
    assert told(body) == [
        "rows.a: was number, is integer now; read as before",
        "rows.b: was text, is integer now; read as before",
    ]
    assert (rows["a"][3], rows["b"][3]) == (3.0, "3")
    assert (kinds(body)["a"], kinds(body)["b"]) == (("number", "feature"), ("category", "feature"))


def test_a_fraction_is_no_whole_number(open_data: Open, write: Write) -> None:
    """Reading it as one would lose it."""
    write(BEFORE.with_columns(a=pl.col("k")))
    open_data(SETTINGS).collect()
    write(BEFORE)
    with pytest.raises(DataError, match=r"a: was integer, is number now, and cannot be read as integer: 0.25"):
        open_data(SETTINGS).collect()


def test_another_type_may_be_accepted(later: Callable[..., Any]) -> None:
    """The column keeps its role, and its profile counts in bins of its own; drift from before is not asked."""
    changed = BEFORE.with_columns(a=pl.Series(["low", "high"] * 10))
    body, rows = later(changed, OnChange(columns={"a": "accept"}), columns={"a": ColumnExpectation(drift=0.1)})
    assert told(body) == ["rows.a: was number, is text now; accepted"]
    assert kinds(body)["a"] == ("category", "feature")
    assert rows["a"].unique().sort().to_list() == ["high", "low"]


def test_a_changed_policy_does_not_forget_what_bound(later: Callable[..., Any]) -> None:
    """Roles and types of the first version hold on, though `on_change` was set after it."""
    body, _ = later(BEFORE.with_columns(c=pl.col("k")), "accept")
    assert kinds(body)["c"][1] == "ignored"


def test_sources_of_a_function_are_accepted(open_data: Open, write: Write, workspace: Workspace) -> None:
    """It takes what it needs; a policy holds for them too."""
    (workspace.root / "p.py").write_text("def table(rows):\n    return rows.select('k', 'b', 'y')\n")
    write(BEFORE)
    settings = DataSettings(target="y", key=["k"], function="p:table")
    open_data(settings).collect()
    write(BEFORE.drop("a"))
    body = open_data(settings).collect()
    write(BEFORE.drop("a").with_columns(c=pl.lit(1)).head(18))
    assert body.body.version == 1  # the same rows
    found = open_data(settings).collect().body.findings
    assert [one.sentence for one in found if one.expectation == "on_change"] == [
        "rows.a: was number, is gone; accepted",
        "rows.c: new, integer; kept",
    ]
    refusing = {"rows": SourceSettings(uri="rows.csv", on_change="refuse")}
    write(BEFORE.drop("a").head(17))
    with pytest.raises(DataError, match="c: was integer, is gone"):
        open_data(settings, sources=refusing).collect()


def test_without_inference_nothing_binds(later: Callable[..., Any]) -> None:
    """`[expect] infer = false` takes columns as they come, and tells what has changed."""
    body, _ = later(BEFORE.drop("a").with_columns(b=pl.lit("w") + pl.col("b")), infer=False)
    assert told(body) == ["rows.a: was number, is gone; accepted"]


COLUMNS = st.dictionaries(st.sampled_from("abcde"), st.sampled_from(["text", "number", "boolean"]), max_size=5)


@given(COLUMNS, COLUMNS)
def test_every_difference_is_one_change(before: dict[str, str], after: dict[str, str]) -> None:
    """No column comes twice, and columns that are alike do not come."""
    changes = find_changes("s", before, after, "refuse")
    assert sorted(one.column for one in changes) == sorted(
        name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
    )
    assert all(one.done == "refuse" for one in changes)
