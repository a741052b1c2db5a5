"""Each message is read by the schema that it names; how schemas may change is the source's policy."""

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from tests.adapters.registries import framed, record_of

from heptad.core.errors import UnavailableError
from heptad.data.streams.fields import FieldPath, Kind
from heptad.data.streams.policies import ChangePolicy
from heptad.data.streams.registered_avro import RegisteredAvroDecoder

ONE = record_of(number="long", price="double")
TWO = record_of(number="long", price="double", tax="double")
TEXT = record_of(number="long", price="string")


class Known:
    """Schemas by number, in the place of those that a registry has."""

    def __init__(self, **schemas: Any) -> None:
        self.schemas = {int(name[1:]): schema for name, schema in schemas.items()}
        self.asked: list[int] = []

    def of(self, number: int) -> dict[str, Any] | str:
        self.asked.append(number)
        return self.schemas.get(number, f"the registry has no schema {number}")


def test_schemas_of_one_topic_stand_in_one_table() -> None:
    """In the order of the messages; each schema is parsed once, and fields that it has not are missing."""
    known = Known(n1=ONE, n2=TWO)
    decoder = RegisteredAvroDecoder({}, known)
    some = [
        framed(2, TWO, {"number": 1, "price": 0.5, "tax": 0.1}),
        framed(1, ONE, {"number": 2, "price": 1.5}),
        framed(2, TWO, {"number": 3, "price": None, "tax": 0.2}),
    ]
    found = decoder.decode(some)
    assert found.rows.select("number", "price", "tax").rows() == [(1, 0.5, 0.1), (2, 1.5, None), (3, None, 0.2)]
    assert (found.places, found.rejected) == ([0, 1, 2], {})
    assert decoder.fields == {("number",): "integer", ("price",): "number", ("tax",): "number"}
    assert decoder.decode([]).places == []


def test_what_cannot_be_read_has_its_reason() -> None:
    """Without a header, of an unknown schema, of one that is none, cut short; the others land."""
    known = Known(n1=ONE, n5="schema 5 is no record", n6={"type": "nonsense", "name": "x"}, n7={"type": "enum"})
    whole = framed(1, ONE, {"number": 1, "price": 0.5})
    payloads = [b"", b'{"number": 1}', b"\0\0\0", *(b"\0\0\0\0%c" % number + whole[5:] for number in (9, 5, 6, 7))]
    found = RegisteredAvroDecoder({}, known).decode([*payloads, whole[:-2], whole + b"x", whole])
    assert found.places == [9]
    assert [found.rejected[place][:50] for place in range(9)] == [
        "not Avro of a registry: it does not begin with a z",
        "not Avro of a registry: it does not begin with a z",
        "not Avro of a registry: it does not begin with a z",
        "the registry has no schema 9",
        "schema 5 is no record",
        found.rejected[5][:50],
        found.rejected[6][:50],
        found.rejected[7][:50],
        "not Avro of the schema: 1 bytes are left over",
    ]
    assert found.rejected[5].startswith("schema 6 is no Avro schema")
    assert found.rejected[6].startswith("schema 7 is no Avro schema")
    assert found.rejected[7].startswith("not Avro of the schema")


def test_a_schema_that_was_unknown_is_asked_for_again() -> None:
    """It may be registered by then; one that is known is not asked for its messages' sake."""
    known = Known()
    decoder = RegisteredAvroDecoder({}, known)
    message = framed(1, ONE, {"number": 1, "price": 0.5})
    assert decoder.decode([message, message]).rejected == dict.fromkeys((0, 1), "the registry has no schema 1")
    known.schemas[1] = ONE
    assert decoder.decode([message]).places == [0]
    asked = len(known.asked)
    assert decoder.decode([message]).places == [0]
    assert len(known.asked) == asked


@pytest.mark.parametrize(
    ("policy", "two", "text", "columns"),
    [
        (None, [7.0], "retyped", ["number", "price", "tax"]),
        ("accept", [7.0], ["0.5", "dear"], ["number", "price", "tax"]),
        ("coerce", [7.0], "cannot be read as before", ["number", "price"]),
        ("refuse", "tax is new", "price is text in the schema", ["number", "price"]),
    ],
)
def test_schemas_change_as_the_policy_says(policy: Any, two: Any, text: Any, columns: list[str]) -> None:
    """New fields and other types are accepted, coerced or refused, and what is refused is poison of its own schema."""
    decoder = RegisteredAvroDecoder({}, Known(n1=ONE, n2=TWO, n3=TEXT), ChangePolicy(policy))
    first = framed(1, ONE, {"number": 1, "price": 0.5})
    found = decoder.decode([first, framed(2, TWO, {"number": 2, "price": 7.0, "tax": 0.1})])
    if isinstance(two, str):
        assert two in found.rejected[1]
        assert found.rejected[1].startswith("schema 2 is refused: ")
    else:
        assert found.rows["price"].to_list()[1:] == two
    found = decoder.decode([first, framed(3, TEXT, {"number": 3, "price": "dear"})])
    if isinstance(text, str):
        assert text in found.rejected[1] or "price is text in the schema" in found.rejected[1]
        assert found.places == [0]
    else:
        assert found.rows["price"].to_list() == text
    assert [path[0] for path in decoder.fields] == columns


def test_columns_that_no_table_can_have_are_refused() -> None:
    """Of Heptad's own names, and those that differ in case only."""
    own, twice = record_of(number="long", stream_time="string"), record_of(number="long", Number="string")
    decoder = RegisteredAvroDecoder({}, Known(n1=own, n2=twice))
    found = decoder.decode([framed(1, own, {"number": 1}), framed(2, twice, {"number": 2})])
    assert "are Heptad's own" in found.rejected[0]
    assert "differs only in upper and lower case" in found.rejected[1]


def test_a_registry_that_is_away_decides_nothing() -> None:
    """The error can be retried, and the columns are what they were."""

    class Away:
        def of(self, number: int) -> str:
            raise UnavailableError(f"no answer for {number}")

    decoder = RegisteredAvroDecoder({("number",): "integer"}, Away())
    with pytest.raises(UnavailableError):
        decoder.decode([framed(1, ONE, {"number": 1, "price": 0.5})])
    assert decoder.fields == {("number",): "integer"}


SCHEMAS = {
    1: ONE,
    2: TWO,
    3: TEXT,
    4: record_of(number="double", Price="string"),
    5: record_of(other="long"),
}


def record(number: int) -> dict[str, Any]:
    values = {"long": number, "double": number / 2, "string": "x"}
    kinds = {one["name"]: one["type"] if isinstance(one["type"], str) else one["type"][1] for one in fields(number)}
    return {name: values[kind] for name, kind in kinds.items()}


def fields(number: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = SCHEMAS[number]["fields"]
    return found


@settings(deadline=None, max_examples=40)
@given(
    numbers=st.lists(st.integers(1, 6), min_size=1, max_size=12),
    policy=st.sampled_from([None, "accept", "coerce", "refuse"]),
    cut=st.integers(0, 12),
)
def test_what_comes_again_is_decided_as_before(numbers: list[int], policy: Any, cut: int) -> None:
    """With the columns that a batch has led to, in batches cut otherwise; nothing then adds a column."""
    known = Known(**{f"n{number}": schema for number, schema in SCHEMAS.items()})
    payloads = [
        framed(one, SCHEMAS[one], record(one)) if one in SCHEMAS else framed(one, ONE, record(1)) for one in numbers
    ]
    first = RegisteredAvroDecoder({}, known, ChangePolicy(policy))
    found = first.decode(payloads)
    present: dict[FieldPath, Kind] = first.fields
    again = RegisteredAvroDecoder(present, known, ChangePolicy(policy))
    parts = [again.decode(payloads[:cut]), again.decode(payloads[cut:])]
    assert again.fields == present
    places = [*parts[0].places, *(cut + place for place in parts[1].places)]
    rejected = parts[0].rejected | {cut + place: why for place, why in parts[1].rejected.items()}
    assert (places, rejected) == (found.places, found.rejected)
    assert [row for part in parts for row in part.rows.to_dicts()] or not found.places
