"""Names of columns in several languages and spellings, and no others."""

import pytest

from heptad.data.privacy.kinds_of_data import NAMES, plain_name


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("E-Mail", "email"),
        ("customerEmailAddress", "email"),
        ("Vorname", "name"),
        ("first_name", "name"),
        ("prénom", "name"),
        ("Straße", "address"),
        ("PLZ", "postcode"),
        ("DateOfBirth", "birth"),
        ("Geburtsdatum", "birth"),
        ("IBAN", "bank account"),
        ("social security number", "national id"),
        ("religion", "faith or origin"),
        ("diagnosis_code", "health"),
    ],
)
def test_a_name_says_what_it_is(column: str, kind: str) -> None:
    """However its words are put together."""
    assert next(one.kind for one in NAMES if one.pattern.search(plain_name(column))) == kind


@pytest.mark.parametrize("column", ["distance", "target", "shipped_at", "description", "average", "manager_count"])
def test_other_names_say_nothing(column: str) -> None:
    """A word inside another word is none."""
    assert [one.kind for one in NAMES if one.pattern.search(plain_name(column))] == []
