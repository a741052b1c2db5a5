"""Every expectation holds of what it should, breaks of what it should, and holds mostly where that says something."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from tests.data.expectations.conftest import NOW, asked, context_of, hold, one_of

from heptad.core.errors import SettingsError
from heptad.data import Column, ColumnExpectation, ExpectSettings, Profile, TableExpectation, profile_frame
from heptad.data.expectations.definitions import Context
from heptad.data.expectations.settings import HowHeld, Reference
from heptad.data.expectations.table import DEFINITIONS, FAMILIES, OF_COLUMNS, OF_TABLES


def numbers(*values: float | None) -> pl.DataFrame:
    return pl.DataFrame({"x": values}, schema={"x": pl.Float64})


def whole(*values: int | None) -> pl.DataFrame:
    return pl.DataFrame({"x": values}, schema={"x": pl.Int64})


def texts(*values: str | None) -> pl.DataFrame:
    return pl.DataFrame({"x": values}, schema={"x": pl.String})


def times(*values: str | None) -> pl.DataFrame:
    moments = [None if one is None else datetime.fromisoformat(one).replace(tzinfo=UTC) for one in values]
    return pl.DataFrame({"x": moments}, schema={"x": pl.Datetime("us", "UTC")})


def pairs(**columns: list[Any]) -> pl.DataFrame:
    return pl.DataFrame(columns)


OF_A_COLUMN: list[tuple[str, Any, pl.DataFrame, pl.DataFrame, int]] = [
    ("min", 1, numbers(1, 2, None), numbers(0.5, 1, None, 0), 2),
    ("max", 2, whole(1, 2, None), whole(3, 2, None), 1),
    ("above", 1, numbers(1.5, None), numbers(1, 2), 1),
    ("below", 2, numbers(1.5, None), numbers(2, 1), 1),
    ("missing", 0.5, numbers(1, None), numbers(1, None, None), 2),
    ("empty", True, numbers(None, None), numbers(None, 1), 1),
    ("type", "number", numbers(1), texts("a"), 0),
    ("present", True, numbers(1), numbers(1).rename({"x": "z"}), 0),
    ("allowed", ["a", "b"], texts("a", "b", None), texts("a", "c", None), 1),
    ("coverage", {"shares": {"a": 0.5, "b": 0.5}}, texts(*"ab" * 30), texts(*"aaab" * 30), 0),
    ("forbidden", [1, 2], whole(3, None), whole(1, 2, 3), 2),
    ("matches", "^a[0-9]+$", texts("a1", "a22", None), texts("a1", "b1", "a"), 2),
    ("matches_any", ["^a", "z$"], texts("ab", "bz"), texts("ab", "b"), 1),
    ("matches_none", ["^a", "z$"], texts("b", None), texts("ab", "bz", "b"), 2),
    ("starts_with", "a.", texts("a.b"), texts("a.b", "ab"), 1),
    ("ends_with", ".c", texts("b.c"), texts("b.c", "bc"), 1),
    ("contains", "(", texts("f(x)"), texts("f(x)", "x"), 1),
    ("length", {"min": 1, "max": 2}, texts("ä", "bc", None), texts("", "abc", "ab"), 2),
    ("format", "email", texts("a.b@c.org", None), texts("a@b", "a b@c.org", "a@c.org"), 2),
    ("reads_as", "number", texts("1.5", "-2e3", None), texts("1,5", "x", "1"), 2),
    ("date_format", "%d.%m.%Y", texts("31.01.2026", None), texts("31.02.2026", "2026-01-31", "01.01.2026"), 2),
    ("trimmed", True, texts("a b", None), texts(" a", "b\t", "", "c"), 3),
    ("letters", "lower", texts("a1", None), texts("A", "b"), 1),
    ("whole", True, numbers(1, -2, None), numbers(1.5, 2), 1),
    ("finite", True, numbers(1, None), numbers(float("nan"), float("inf"), 1), 2),
    ("multiple_of", 0.1, numbers(0.3, 1.7, None), numbers(0.35, 0.3), 1),
    ("deviations", 2, numbers(1, 2, 3), numbers(*([0.0] * 20), 9), 1),
    ("order", "increasing", numbers(1, 1, None, 2), numbers(1, 2, None, 1), 1),
    ("unique", True, texts("a", None, None), texts("a", "a", "b"), 2),
    ("distinct", {"max": 2}, texts("a", "b", "a", None), texts("a", "b", "c"), 0),
    ("distinct_share", {"min": 0.5}, texts("a", "a"), texts("a", "a", "a"), 0),
    ("includes", ["a", "b"], texts("a", "b", "c"), texts("a", "c"), 0),
    ("values", ["a", "b"], texts("a", "b", None), texts("a", "c"), 1),
    ("most_common", ["a"], texts("a", "a", "b"), texts("b", "b", "a"), 0),
    ("most_common_alone", ["a"], texts("a", "a", "b"), texts("a", "b"), 0),
    ("count", {"min": 2}, texts("a", "a", None), texts("a", None), 0),
    ("mean", {"min": 1, "max": 2}, numbers(1, 2, None), numbers(3, 4), 0),
    ("median", {"max": 2}, numbers(1, 2, 90), numbers(1, 3, 4), 0),
    ("quantiles", {"0.9": {"max": 9.5}}, whole(*range(1, 11)), whole(*range(2, 12)), 0),
    ("deviation", {"max": 1}, numbers(1, 2), numbers(1, 9), 0),
    ("total", {"min": 3, "max": 3}, whole(1, 2), whole(1, 1), 0),
    ("smallest", {"min": 1}, numbers(1, 2), numbers(0, 2), 0),
    ("largest", {"max": 2}, numbers(1, 2), numbers(0, 3), 0),
    ("not_before", "2026-01-01", times("2026-01-01", None), times("2025-12-31T23:59:59", "2026-01-02"), 1),
    ("not_after", "2026-01-01T10:00:00+01:00", times("2026-01-01T09:00:00"), times("2026-01-01T09:00:01"), 1),
    ("not_future", True, times("2026-01-10T12:00:00"), times("2026-01-10T12:00:01", None), 1),
    ("fresh", "2d", times("2026-01-08T12:00:00", "2020-01-01"), times("2026-01-08T11:00:00"), 0),
    ("weekdays", ["sat", "sun"], times("2026-01-10"), times("2026-01-09", "2026-01-11"), 1),
    ("hours", {"min": 9, "max": 17}, times("2026-01-01T17:59:00"), times("2026-01-01T18:00:00"), 1),
    ("every", "1d", times("2026-01-01", "2026-01-03", "2026-01-02"), times("2026-01-01", "2026-01-03"), 0),
    ("drift", 0.5, texts(*"ab" * 50), texts(*"a" * 100), 0),
    ("mean_shift", 1, numbers(*range(10)), numbers(*range(100, 110)), 0),
    ("missing_rise", 0.1, texts("a", "b"), texts("a", None), 0),
    ("unseen", 0.5, texts("a", "z"), texts("y", "z", "a"), 2),
    ("references", {"source": "known", "column": "id"}, texts("k1", None), texts("k1", "k3"), 1),
]
"""Name, what it is held to, a table that holds it, one that breaks it, how many rows do (0: it is of no rows)."""

AB = {"a": [1, 2, 3], "b": [1, 5, 6]}
OF_A_TABLE: list[tuple[str, Any, pl.DataFrame, pl.DataFrame, int]] = [
    ("check", "a <= b", pairs(**AB), pairs(a=[1, 2], b=[0, 3]), 1),
    ("function", "own:larger", pairs(**AB), pairs(a=[1, 2], b=[0, 3]), 1),
    ("ordered", ["a", "b"], pairs(**AB), pairs(a=[1, 9], b=[1, 3]), 1),
    ("equal", ["a", "b"], pairs(a=[1, None], b=[1, 2]), pairs(a=[1, 2], b=[1, 3]), 1),
    ("different", ["a", "b", "c"], pairs(a=[1], b=[2], c=[3]), pairs(a=[1, 1], b=[2, 2], c=[1, 3]), 1),
    (
        "combinations",
        {"of": ["a", "b"], "allowed": [[1, "x"], [2, "y"]]},
        pairs(a=[1, 2, None], b=["x", "y", "x"]),
        pairs(a=[1, 2], b=["y", "y"]),
        1,
    ),
    ("together", ["a", "b"], pairs(a=[1, None], b=[1, None]), pairs(a=[1, None], b=[1, 2]), 1),
    ("any_present", ["a", "b"], pairs(a=[1, None], b=[None, 2]), pairs(a=[1, None], b=[1, None]), 1),
    ("unique", ["a", "b"], pairs(a=[1, 1], b=[1, 2]), pairs(a=[1, 1, 2], b=[1, 1, 1]), 2),
    ("unique_with_missing", ["a", "b"], pairs(a=[1, None], b=[None, 1]), pairs(a=[1, 1, None], b=[None, None, 1]), 2),
    (
        "determines",
        {"by": ["a"], "of": ["b"]},
        pairs(a=[1, 1, 2], b=["x", "x", "y"]),
        pairs(a=[1, 1, 2], b=["x", "y", "y"]),
        2,
    ),
    ("correlation", {"of": ["a", "b"], "min": 0.9}, pairs(a=[1, 2], b=[2, 4]), pairs(a=[1, 2], b=[4, 2]), 0),
    ("rows", {"min": 2, "max": 3}, numbers(1, 2), numbers(1), 0),
    ("volume", {"min": 0.5, "max": 2}, numbers(1, 2), numbers(*range(9)), 0),
    ("rows_of", {"source": "known", "max": 1}, numbers(1, 2), numbers(1, 2, 3), 0),
    ("columns", ["b", "a"], pairs(**AB), pairs(a=[1], c=[2]), 0),
    ("columns_in_order", ["a", "b"], pairs(**AB), pairs(b=[1], a=[2]), 0),
    ("column_count", {"max": 2}, pairs(**AB), pairs(a=[1], b=[1], c=[1]), 0),
]
CASES = [("columns", *one) for one in OF_A_COLUMN] + [("table", *one) for one in OF_A_TABLE]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with a function of its own."""
    (tmp_path / "own.py").write_text("def larger(a, b):\n    return a <= b\n")
    return tmp_path


def surroundings(frame: pl.DataFrame, root: Path, name: str) -> Context:
    """A reference of two letters or ten numbers, earlier versions of four rows, and a source of two rows."""
    kind = frame.schema.get("x", pl.String())
    before = numbers(*range(10)) if kind == pl.Float64 else texts(*"ab" * 50)
    column = Column(name="x", type="number" if kind == pl.Float64 else "category")
    profile: Profile | None = profile_frame(before, [column]) if name in COMPARED else None

    def table(_: Reference) -> pl.LazyFrame:
        return pl.LazyFrame({"id": ["k1", "k2"]})

    return context_of(frame, root=root, profile=profile, volumes=[4, 4, 3], table=table)


COMPARED = {"drift", "mean_shift", "missing_rise", "unseen"}


def settings_of(where: str, name: str, expected: Any, **how: Any) -> dict[str, Any]:
    one = {name: expected, **how}
    return {"columns": {"x": one}} if where == "columns" else {"table": [one]}


def test_no_expectation_is_forgotten() -> None:
    """Each setting of a table is an expectation, each expectation has its cases, and there are many."""
    how = {field.name for field in msgspec.structs.fields(HowHeld)}
    assert {field.name for field in msgspec.structs.fields(ColumnExpectation)} - how == set(OF_COLUMNS)
    assert {field.name for field in msgspec.structs.fields(TableExpectation)} - how == set(OF_TABLES)
    assert {one[0] for one in OF_A_COLUMN} == set(OF_COLUMNS)
    assert {one[0] for one in OF_A_TABLE} == set(OF_TABLES)
    assert len(DEFINITIONS) == len(OF_COLUMNS) + len(OF_TABLES) >= 40
    page = Path(__file__).parents[3] / "docs" / "steps" / "data" / "expectations.md"
    assert f"there are {len(DEFINITIONS)} of them" in page.read_text(encoding="utf-8")
    for family in FAMILIES:
        assert {one.family for one in family.DEFINITIONS} == {family.__name__.rpartition(".")[2]}


@pytest.mark.parametrize(
    ("where", "name", "expected", "good", "bad", "broken"), CASES, ids=[f"{one[0]} {one[1]}" for one in CASES]
)
def test_an_expectation_holds_or_breaks(
    where: str, name: str, expected: Any, good: pl.DataFrame, bad: pl.DataFrame, broken: int, root: Path
) -> None:
    """It holds, it breaks with a sentence and counts, its rows are found, and nothing breaks it in an empty table."""
    settings = settings_of(where, name, expected)
    (held,) = hold(good, surroundings(good, root, name), **settings)
    assert held.passed, held.sentence
    assert held.sentence == ""
    ((failed,), rows) = asked(bad, surroundings(bad, root, name), **settings)
    assert not failed.passed
    assert failed.sentence
    assert "\0" not in failed.sentence
    assert failed.failing_rows == broken
    if broken:
        assert failed.looked_at is not None
        assert failed.share == pytest.approx(broken / failed.looked_at)
        assert rows() == [broken]
    of_none = {"includes", "values", "coverage", "fresh", "total", "most_common_alone", "count"}
    if name not in of_none | {"rows", "volume", "rows_of"}:
        (empty,) = hold(good.clear(), surroundings(good, root, name), **settings)
        assert empty.passed, empty.sentence
        assert empty.failing_rows == 0


BY_ROW = [one for one in CASES if one[5] and (OF_COLUMNS if one[0] == "columns" else OF_TABLES)[one[1]].by_row]


@pytest.mark.parametrize(
    ("where", "name", "expected", "good", "bad", "broken"), BY_ROW, ids=[f"{one[0]} {one[1]}" for one in BY_ROW]
)
def test_what_holds_mostly_tolerates_a_share(
    where: str, name: str, expected: Any, good: pl.DataFrame, bad: pl.DataFrame, broken: int, root: Path
) -> None:
    """As many rows as `mostly` leaves may break it, and not one more; the count is told all the same."""
    del good
    context = surroundings(bad, root, name)
    (failed,) = hold(bad, context, **settings_of(where, name, expected))
    assert failed.looked_at
    share = 1 - broken / failed.looked_at
    (held,) = hold(bad, context, **settings_of(where, name, expected, mostly=share))
    assert held.passed
    assert held.failing_rows == broken
    if share < 1 - 1e-3:
        (one_more,) = hold(bad, context, **settings_of(where, name, expected, mostly=share + 1e-3))
        assert not one_more.passed
        assert "may" in one_more.sentence


@pytest.mark.parametrize("where", ["columns", "table"])
def test_what_is_not_of_rows_cannot_hold_mostly(where: str) -> None:
    """A mean holds or not; a share of it means nothing, and that is said."""
    settings = settings_of(where, "mean" if where == "columns" else "rows", {"min": 0}, mostly=0.9)
    with pytest.raises(SettingsError, match=r"mostly = 0\.9 says nothing of"):
        hold(numbers(1), **settings)


def test_where_leaves_out_rows() -> None:
    """Values of other rows break nothing, and are not counted."""
    frame = pl.DataFrame({"x": [1.0, -5.0, -6.0, None], "g": ["a", "b", "a", "a"]})
    held = one_of(frame, min=0, where="g == 'a'")
    assert (held.failing_rows, held.looked_at) == (1, 2)
    assert one_of(frame, mean={"max": -2.4}, where="g == 'a'").passed
    missing = one_of(frame, missing=0.3, where="g == 'a'")
    assert (missing.failing_rows, missing.looked_at, missing.passed) == (1, 3, False)
    assert one_of(frame, unique=True, where="g == 'b'").looked_at == 1
    assert one_of(frame, distinct={"max": 1}, where="g == 'b'").passed
    assert not hold(frame, table=[{"rows": {"min": 4}, "where": "g == 'a'"}])[0].passed


def test_all_mistakes_are_told_at_once() -> None:
    """Types that do not fit, ranges the wrong way round, expressions with typing errors, each with what is allowed."""
    frame = pl.DataFrame({"x": [1.0], "s": ["a"], "t": [date(2026, 1, 1)]})
    with pytest.raises(SettingsError) as error:
        hold(
            frame,
            columns={
                "x": [{"matches": "a"}, {"mean": {"min": 2, "max": 1}}, {"allowed": ["q"]}],
                "s": [{"min": 0}, {"matches": "(", "where": ""}, {"where": "zz > 1", "trimmed": True}],
                "t": [{"not_before": "soon"}, {"quantiles": {}}],
            },
            table=[{"check": "x >"}, {"ordered": ["x", "y"]}, {"severity": "info"}, {"equal": ["x", "s"]}],
        )
    told = "\n".join(error.value.problems)
    for wanted in (
        "[expect.columns.x]: matches is of texts, and the column holds Float64. Allowed: of this column: min,",
        "mean goes from 2 to 1",
        "x.allowed has 'q', and the column holds Float64",
        "[expect.columns.s]: min is of numbers, and the column holds String",
        "'(', which is no regular expression here",
        "there is no column 'zz'",
        "t.not_before has 'soon', which is no date or time",
        "[expect.columns.t] expects nothing",
        "number 1: check = 'x >': it cannot be read",
        "ordered names 'y', and there is no such column",
        "number 3 expects nothing",
        "equal names columns that do not compare: x Float64, s String",
    ):
        assert wanted in told
    assert len(error.value.problems) == 12


def test_a_column_that_is_gone_is_a_finding() -> None:
    """It breaks what is expected of it, at its severity, and the nearest name is told."""
    found = one_of(pl.DataFrame({"distance": [1]}), "distnce", min=0, severity="warning")
    assert (found.expectation, found.passed, found.severity) == ("present", False, "warning")
    assert "did you mean 'distance'?" in found.sentence
    assert one_of(pl.DataFrame({"y": [1]}), present=False).passed


def test_ages_are_told_from_the_moment_of_the_version() -> None:
    """Dates and times without a zone are taken to be in UTC."""
    naive = pl.DataFrame({"x": [datetime(2026, 1, 10, 12)]})  # noqa: DTZ001 - without a zone on purpose
    assert all(one.passed for one in hold(naive, columns={"x": {"not_future": True, "fresh": "1s"}}))
    later = naive.with_columns(pl.col("x") + timedelta(seconds=1))
    assert not one_of(later, not_future=True).passed


def test_only_late_rows_may_be_looked_at() -> None:
    """Those of so long before the moment: in a table that grows, a day that is empty or one-sided is found."""
    old = [NOW - timedelta(days=day) for day in range(2, 42)]
    frame = pl.DataFrame(
        {"t": [*old, NOW - timedelta(hours=30), NOW, NOW + timedelta(hours=1)], "x": [*"ab" * 20, *"aab"]}
    )
    context = context_of(frame, time="t")
    shares = {"shares": {"a": 0.5, "b": 0.5}}
    assert one_of(frame, context=context, coverage=shares).passed
    late = one_of(frame, context=context, allowed=["b"], within="1d")
    assert (late.passed, late.looked_at, late.failing_rows, late.where) == (False, 1, 1, "t within 1d")
    with_where = one_of(frame, context=context, allowed=["b"], within="2d", where="x == 'a'")
    assert (with_where.looked_at, with_where.where) == (2, "x == 'a' and t within 2d")
    empty = frame.filter(pl.col("t") < NOW - timedelta(days=1))
    assert "there is no value" in one_of(empty, context=context, coverage=shares, within="1d").sentence
    (rows,) = hold(empty, context, table=[{"rows": {"min": 1}, "within": "1d"}])
    assert not rows.passed


def test_late_rows_need_a_time() -> None:
    """One of [data], and in these rows."""
    for time in ("", "gone", "x"):
        frame = pl.DataFrame({"x": ["a"]})
        with pytest.raises(SettingsError, match="within = '1d' asks when rows happened"):
            one_of(frame, context=context_of(frame, time=time), allowed=["a"], within="1d")
    frame = pl.DataFrame({"t": [NOW], "x": ["a"]})
    with pytest.raises(SettingsError, match="begins before all time"):
        one_of(frame, context=context_of(frame, time="t"), allowed=["a"], within="99999999d")


def test_what_late_rows_are_held_to_closes_no_set() -> None:
    """Training and serving go by what holds of all rows."""
    settings = msgspec.convert({"columns": {"x": {"allowed": ["a"], "within": "1d"}}}, ExpectSettings)
    assert settings.allowed("x") == []
