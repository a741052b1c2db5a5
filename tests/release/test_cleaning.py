"""Rules go into a package with rows that prove them."""

import msgspec
import pytest
from tests.data.cleaning.singles.conftest import version_of

from heptad.core.errors import IntegrityError, RefusedError
from heptad.data import CleanRule, DatasetVersion, Fitted
from heptad.data.cleaning.settings import RowRule
from heptad.release import cleaning as module
from heptad.release.cleaning import Cleaning, open_cleaner, packed_cleaning

TYPES = {"size": "number", "city": "category", "zip": "category", "n": "integer", "day": "datetime", "sunny": "boolean"}
RULES = {
    "size": CleanRule(units={"kg": 1, "g": 0.001}, unit="kg", unread="refuse", outliers="iqr", outlying="cap"),
    "city": CleanRule(trim=True, case="title", canonical={"Bonn": ["Bn"]}, unlisted="drop", told_by=["zip"]),
    "n": CleanRule(min=0, max=9, missing=[7], fill=1),
    "day": CleanRule(dates=["%d.%m.%Y", "%Y/%m/%d"], fill_from="sunny"),
    "sunny": CleanRule(fill=True),
}
FITTED = Fitted(votes={"city": {"53": "Bonn"}}, bounds={"size": [(0.0, 5.0)]})
ROWS = {"tests": RowRule(where="n == 4 and sunny", request="refuse")}
USUAL = {"size": 0.5, "city": "Bonn", "n": 3, "day": "2026-01-10T12:00:00Z", "sunny": True}
INPUTS = ["size", "city", "n", "day", "sunny"]


@pytest.fixture(scope="module")
def version() -> DatasetVersion:
    return version_of(TYPES, {name: rule for name, rule in RULES.items() if name != "day"}, ROWS, FITTED)


@pytest.fixture(scope="module")
def packed(version: DatasetVersion) -> Cleaning:
    made = packed_cleaning(version, INPUTS, USUAL)
    assert made is not None
    return made


def test_every_rule_is_proven_by_a_row(packed: Cleaning) -> None:
    """Each has rows that it changes, and some are refused; the rules open, and answer."""
    assert 40 < len(packed.golden) < 200
    assert any(one.cleaned is None for one in packed.golden)
    for name in ("size", "city", "n", "sunny"):
        assert any(one.cleaned and one.cleaned[name] != one.row[name] for one in packed.golden), name
    notes: list[str] = []
    row = {"size": "12 g", "city": None, "zip": "53", "n": 7, "day": None, "sunny": None}
    assert open_cleaner(packed).clean(row, notes) == {"size": 0.012, "city": "Bonn", "n": 1, "day": None, "sunny": True}
    assert len(notes) == 5


def test_a_package_is_refused_where_rows_come_out_otherwise(packed: Cleaning) -> None:
    """Of a program that cleans in another way, or of rules that were changed."""
    place, golden = next((n, one) for n, one in enumerate(packed.golden) if one.cleaned)
    others = [
        msgspec.structs.replace(golden, cleaned=golden.cleaned | {"n": 8}),
        msgspec.structs.replace(golden, cleaned=None, told=0),
        msgspec.structs.replace(golden, told=golden.told + 1),
    ]
    for other in others:
        changed = [*packed.golden[:place], other, *packed.golden[place + 1 :]]
        with pytest.raises(IntegrityError, match=f"Golden request {place} is cleaned otherwise"):
            open_cleaner(msgspec.structs.replace(packed, golden=changed))


def test_nothing_is_packed_that_a_server_would_do_otherwise(version: DatasetVersion, monkeypatch) -> None:
    """The release is refused, and says what differs."""
    monkeypatch.setattr(module, "_alike", lambda expected, found: expected != 9)
    with pytest.raises(RefusedError, match="cannot be packed"):
        packed_cleaning(version, INPUTS, USUAL)


def test_dates_go_through_too() -> None:
    """As moments, which JSON has as text."""
    made = packed_cleaning(version_of(TYPES, {"day": CleanRule(dates=["%d.%m.%Y", "%Y/%m/%d"])}), ["day"], {})
    assert made is not None
    assert {one.row["day"]: one.cleaned["day"] for one in made.golden if one.cleaned}[
        "2021/03/14"
    ] == "2021-03-14T00:00:00Z"


def test_a_version_without_rules_packs_none() -> None:
    """The member is empty then."""
    assert packed_cleaning(version_of(TYPES), INPUTS, USUAL) is None
