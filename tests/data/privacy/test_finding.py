"""Personal data is found by its values, its check digits and its name; what only looks like it is not."""

import random

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from heptad.data.privacy.finding import PersonalColumn, find_personal

CHANCE = random.Random(1)


def cards(rows: int) -> list[str]:
    """Numbers of 16 digits with the right last one."""
    made = []
    for _ in range(rows):
        digits = [4, *(CHANCE.randrange(10) for _ in range(14))]
        total = sum(2 * one - 9 * (one > 4) if place % 2 == 0 else one for place, one in enumerate(digits))
        made.append("".join(map(str, [*digits, -total % 10])))
    return made


def found(**columns: object) -> dict[str, PersonalColumn]:
    return {one.column: one for one in find_personal(pl.LazyFrame(columns)).columns}


def test_values_tell_and_check_digits_tell_apart() -> None:
    """Numbers of 16 digits are cards only where their last digit is right."""
    rows = 300
    table = found(
        a=[f"user{one}@mail.example" if one % 3 else None for one in range(rows)],
        b=cards(rows),
        c=[str(4 * 10**15 + CHANCE.randrange(10**15)) for _ in range(rows)],
        d=["DE89370400440532013000", "GB82WEST12345698765432"] * (rows // 2),
        e=[f"192.168.{one % 256}.{one % 200}" for one in range(rows)],
        f=[f"+49 30 {1000000 + one}" for one in range(rows)],
        g=[one % 7 for one in range(rows)],
        h=["red", "green", "blue"] * (rows // 3),
    )
    kinds = {name: one.kind for name, one in table.items()}
    assert kinds == {
        "a": "email", "b": "payment card", "c": "identifier", "d": "iban", "e": "ip address", "f": "phone",
    }  # fmt: skip
    assert table["a"].confidence > 0.9
    assert table["b"].confidence > table["f"].confidence > table["c"].confidence
    assert "digit by digit, 100% of those are right" in table["b"].evidence[1]


def test_names_tell_alone_and_add_to_values() -> None:
    """A date of birth has no shape of its own; an e-mail that is called so is surer."""
    table = found(
        dob=["1980-01-02"] * 30,
        email=["x"] * 30,
        contact=[f"a{one}@b.example" for one in range(15)] + ["-"] * 15,
        religion=["x"] * 30,
    )
    assert (table["dob"].kind, table["dob"].category) == ("birth", "indirect")
    assert table["religion"].category == "special"
    assert table["contact"].confidence > table["dob"].confidence == 0.6


FIRST = ["Anna", "Ben", "Clara", "José", "Zoë", "Jean-Luc", "Mary-Ann"]
LAST = ["Weber", "O'Brien", "van Beethoven", "de la Cruz", "Müller-Lüdenscheidt", "Ito", "St. John", "M. Kowalski"]
PEOPLE = [f"{first} {last}" for first in FIRST for last in LAST]


def test_names_of_people_are_told_by_the_column_and_the_values() -> None:
    """What a column is called may be enough; where it may be of things, its values tell, and it is less sure."""
    table = found(
        customer_name=PEOPLE, Kundenname=["x"] * 28 + PEOPLE[:28], name=PEOPLE, employee=PEOPLE, legal_name=PEOPLE
    )
    assert {one.kind for one in table.values()} == {"name"}
    assert {name: one.confidence for name, one in table.items()} == {
        "customer_name": 0.7, "Kundenname": 0.7, "name": 0.4, "employee": 0.4, "legal_name": 0.4,
    }  # fmt: skip
    assert table["name"].evidence[1] == "100% of its values are written like names of people"
    assert found(patient_name=[f"P-{one}" for one in range(56)])["patient_name"].confidence == 0.6
    for written in ("{1}, {0}", "Dr. {0} {1}", "{0} K. {1}"):
        assert found(name=[written.format(*one.split(" ", 1)) for one in PEOPLE])["name"].confidence == 0.4


def test_names_of_things_are_not_those_of_people() -> None:
    """Neither by what the column is called, nor by what its values are; one word may be a surname or a town."""
    rows = range(60)
    table = found(
        product_name=["Chair", "Table", "Big Lamp"] * 20,
        file_name=[f"img_{one % 9}.png" for one in rows],
        station_name=PEOPLE + PEOPLE[:4],
        legal_name=[f"{PEOPLE[one % 9]} GmbH" for one in rows],
        short_name=["Bonn", "Ulm", "Trier", "Mainz"] * 15,
    )
    assert [(name, one.kind) for name, one in table.items() if one.kind == "name"] == []
    assert found(name=["Chair", "Table", "Lamp"] * 20) == {}
    assert found(name=["A1", "B2", "C3", "D4"] * 15) == {}
    assert found(name=["Bonn", "Ulm", "Trier", "Mainz"] * 15)["name"].confidence == 0.3


def test_telephones_of_america_and_devices_have_shapes_of_their_own() -> None:
    """A MAC address has no place on the internet, and nor has a time of day."""
    rows = range(60)
    table = found(
        a=[f"(415) 555-01{one}" for one in range(10, 70)],
        b=[f"415-555-01{one}" for one in range(10, 70)],
        c=[f"1 415.555.01{one} x7" for one in range(10, 70)],
        d=[f"a3:5a:ba:5e:a0:{one + 16:x}" for one in rows],
        e=[f"A3-5A-BA-5E-A0-{one + 16:X}" for one in rows],
        f=[["2001:db8::1", "fe80::", "::1", "1:2:3:4:5:6:7:8", "2001:db8:7::b4b1:1"][one % 5] for one in rows],
        g=[f"12:30:{one:02}" for one in rows],
        h=[f"115-055-01{one}" for one in range(10, 70)],
    )
    assert {name: one.kind for name, one in table.items()} == {
        "a": "phone", "b": "phone", "c": "phone", "d": "device", "e": "device", "f": "ip address",
        "g": "identifier", "h": "identifier",
    }  # fmt: skip


def test_releases_are_no_addresses() -> None:
    """Their four parts are small numbers, or larger than a byte."""
    table = found(
        a=[f"{one % 5}.{one % 20}.{one % 7}.0" for one in range(60)],
        b=[f"10.0.{300 + one}.1" for one in range(60)],
        c=[f"10.0.0.{one}" for one in range(20, 80)],
    )
    assert {name: one.kind for name, one in table.items() if one.kind == "ip address"} == {"c": "ip address"}


def test_what_has_few_values_names_nobody() -> None:
    """Whether there is a phone is no phone; a district may look like a national number."""
    table = found(phone_service=["Yes", "No"] * 50, tract=[44051401359, 2070803628] * 50)
    assert table["phone_service"].confidence == 0.3
    assert table["tract"].confidence <= 0.4
    assert "only about 2" in table["tract"].evidence[-1]


def test_numbers_and_prose_are_looked_at_too() -> None:
    """A card may be stored as a number; anything may be written in a text."""
    table = found(n=[int(one) for one in cards(50)], note=["please call me back after six"] * 50)
    assert table["n"].kind == "payment card"
    assert table["note"].kind == "free text"


@given(st.lists(st.one_of(st.none(), st.text(max_size=20), st.integers().map(str), st.emails()), max_size=30))
def test_any_table_is_looked_at_and_no_value_is_told(values: list[str | None]) -> None:
    """Empty ones and such without rows; the evidence has shares in it, and no cell."""
    rows = pl.LazyFrame({"x": pl.Series(values, dtype=pl.String), "flag": pl.Series([True] * len(values))})
    for one in find_personal(rows).columns:
        assert 0 < one.confidence <= 1
        told = " ".join(one.evidence)
        assert not any(value and len(value) > 6 and value in told for value in values)
