"""Names of columns in several languages and spellings, and no others."""

import pytest

from heptad.data.privacy.kinds_of_data import MAY_NAME_PEOPLE, NAMES, NAMES_THINGS, plain_name


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("E-Mail", "email"),
        ("customerEmailAddress", "email"),
        ("Vorname", "name"),
        ("first_name", "name"),
        ("customer_name", "name"),
        ("Patient's name", "name"),
        ("employeeName", "name"),
        ("Kundenname", "name"),
        ("Empfängername", "name"),
        ("prénom", "name"),
        ("Straße", "address"),
        ("PLZ", "postcode"),
        ("DateOfBirth", "birth"),
        ("Geburtsdatum", "birth"),
        ("born", "birth"),
        ("driver_license", "national id"),
        ("Driver's licence no.", "national id"),
        ("IBAN", "bank account"),
        ("social security number", "national id"),
        ("religion", "faith or origin"),
        ("race", "faith or origin"),
        ("Patient race", "faith or origin"),
        ("party", "politics or union"),
        ("diagnosis_code", "health"),
    ],
)
def test_a_name_says_what_it_is(column: str, kind: str) -> None:
    """However its words are put together."""
    assert next(one.kind for one in NAMES if one.pattern.search(plain_name(column))) == kind


@pytest.mark.parametrize(
    "column",
    [
        "distance",
        "target",
        "shipped_at",
        "description",
        "average",
        "manager_count",
        "product_name",
        "race_time",
        "Party size",
    ],
)
def test_other_names_say_nothing(column: str) -> None:
    """A word inside another word is none."""
    assert [one.kind for one in NAMES if one.pattern.search(plain_name(column))] == []


@pytest.mark.parametrize("column", ["name", "Name", "legal_name", "employee", "Vereinsmitgliedsname", "names"])
def test_some_names_leave_it_to_the_values(column: str) -> None:
    """Whatever may be somebody."""
    assert MAY_NAME_PEOPLE.search(plain_name(column))
    assert not NAMES_THINGS.search(plain_name(column))


@pytest.mark.parametrize(
    "column",
    [
        "product_name",
        "fileName",
        "column name",
        "station name",
        "company_name",
        "Firmenname",
        "Produktname",
        "Ortsname",
    ],
)
def test_names_of_things_say_so(column: str) -> None:
    """Whatever their values look like."""
    assert NAMES_THINGS.search(plain_name(column))
