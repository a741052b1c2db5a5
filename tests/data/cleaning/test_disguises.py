"""Values say less about a person: in the table, in a request alike, and in nothing that is kept of either."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import DataError, SettingsError
from heptad.data import CleanRule, CleanSettings, Data, DataSettings, clean_rows
from heptad.data.cleaning.disguises import pseudonym_key, pseudonym_of
from heptad.data.cleaning.rules import CellRepairs, repair_cells

KEY = "a key of more than sixteen characters"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PSEUDONYMS", KEY)


def treated(values: pl.Series, **rule: object) -> list[object]:
    """The values of a column with one rule applied."""
    rows = pl.LazyFrame({"x": values})
    settings = CleanSettings(columns={"x": CleanRule(**rule)})  # type: ignore[arg-type]
    return CellRepairs(rows.collect_schema(), settings).rows(rows).select("x").collect()["x"].to_list()


@given(st.lists(st.one_of(st.none(), st.text()), min_size=1))
def test_pseudonyms_are_equal_where_values_are(values: list[str | None]) -> None:
    """In any table and order, null stays null, and nothing of the value is in it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PSEUDONYMS", KEY)
        made = treated(pl.Series(values, dtype=pl.String), pseudonym="${PSEUDONYMS}")
        own = pseudonym_key("${PSEUDONYMS}")
    assert made == [None if value is None else pseudonym_of(value, own) for value in values]
    assert len(set(made)) == len(set(values))


def test_another_key_makes_other_pseudonyms(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a short key is refused, as is one that stands in the file."""
    one = treated(pl.Series([17, 18]), pseudonym="${PSEUDONYMS}")
    monkeypatch.setenv("PSEUDONYMS", KEY + "!")
    assert not set(one) & set(treated(pl.Series(["17", "18"]), pseudonym="${PSEUDONYMS}"))
    monkeypatch.setenv("PSEUDONYMS", "short")
    with pytest.raises(SettingsError, match="5 characters"):
        treated(pl.Series(["a"]), pseudonym="${PSEUDONYMS}")
    with pytest.raises(DataError, match="holds a key itself"):
        treated(pl.Series(["a"]), pseudonym="sesame sesame sesame")


def test_masks_bands_periods_and_prefixes() -> None:
    """Lengths are hidden with the characters; bands hold their lower edge, below zero too."""
    assert treated(pl.Series(["4111111111111111", "12", "", None]), mask=4) == ["****1111", "****", "****", None]
    assert treated(pl.Series(["abc"]), mask=0) == ["****"]
    assert treated(pl.Series([37, 40, -1, None]), band=10) == [30, 40, -10, None]
    assert treated(pl.Series([1.9, -0.1]), band=0.5) == [1.5, -0.5]
    moment = pl.Series([datetime(2026, 5, 17, 8, tzinfo=UTC), None])
    assert treated(moment, period="quarter") == [datetime(2026, 4, 1, tzinfo=UTC), None]
    assert treated(pl.Series(["53111", "ä1", None]), prefix=2) == ["53", "ä1", None]


def test_what_fits_no_column_or_undoes_itself_is_refused() -> None:
    """A warning would answer with the value as it came."""
    for values, rule in (
        (pl.Series([1]), {"mask": 2}),
        (pl.Series(["a"]), {"band": 2}),
        (pl.Series(["a"]), {"period": "year"}),
        (pl.Series(["a"]), {"mask": 1, "prefix": 1}),
        (pl.Series(["a"]), {"mask": 1, "request": "warn"}),
    ):
        with pytest.raises(DataError):
            treated(values, **rule)


def test_no_record_shows_what_was_hidden_and_a_request_is_treated_alike(
    open_data: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """Neither as an example of this rule, nor of one that came before it in the column."""
    write(pl.DataFrame({"who": [f" Person-{one} " for one in range(40)], "age": range(40), "y": ["a", "b"] * 20}))
    rules = {"who": CleanRule(strip=True, pseudonym="${PSEUDONYMS}"), "age": CleanRule(band=10)}
    data = open_data(DataSettings(target="y", key=["who"]), clean=CleanSettings(columns=rules))
    version = data.collect()
    assert b"Person" not in msgspec.json.encode(version.body)
    rows = data.scan(version).collect()
    assert set(rows["age"]) == {0, 10, 20, 30}
    cleaned = clean_rows(version.body, pl.DataFrame({"who": [" Person-7 "], "age": [37]}))
    assert cleaned.rows.row(0, named=True) == {
        "who": pseudonym_of("Person-7", pseudonym_key("${PSEUDONYMS}")),
        "age": 30,
    }
    assert cleaned.rows["who"][0] in rows["who"].to_list()
    assert not any(one.value and "Person" in one.value for one in cleaned.repairs)


def test_features_of_other_sources_are_treated_once() -> None:
    """In the table, not at the source: twice would be a pseudonym of a pseudonym."""
    rows, repairs = repair_cells(
        pl.LazyFrame({"x": ["a"]}), CleanSettings(columns={"x": CleanRule(pseudonym="${PSEUDONYMS}")})
    )
    assert rows.collect()["x"].to_list() == ["a"]
    assert repairs == []
