"""What a run begins with comes back from what is kept of it."""

from datetime import UTC, date, datetime

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import InputError
from heptad.experiments.beginning import attributes_of, checked_params, flat, params_of, with_params
from heptad.experiments.records import Run

BODY = Run(name="a", experiment="b")
PLAIN = st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats() | st.text(max_size=5)
NESTED = st.dictionaries(st.text(max_size=3), PLAIN | st.dictionaries(st.text(max_size=3), PLAIN, max_size=3))


def test_flat_attributes_keep_types() -> None:
    """Nested names are joined by dots, and nothing given is a choice like another."""
    assert flat("params", {"a": {"b": 1, "c": None}, "d": True, "e": (1, "x")}) == {
        "params.a.b": 1,
        "params.a.c": "None",
        "params.d": True,
        "params.e": '[1, "x"]',
    }


def test_numbers_of_numpy_become_plain():
    """As parameters."""
    assert flat("p", {"a": np.int64(3), "b": np.float32(0.5), "c": np.True_}) == {"p.a": 3, "p.b": 0.5, "p.c": True}


def said(values: dict[str, object]) -> list[tuple[str, str]]:
    return sorted((key, repr(value)) for key, value in values.items())


@given(NESTED)
def test_parameters_of_any_value_come_back_from_the_body_of_a_run(params):
    """NaN and infinities too, which JSON has not: what the store keeps of the body says all of them."""
    body = with_params(BODY, params)
    stored = msgspec.json.decode(msgspec.json.encode(body), type=Run)
    assert said(params_of(stored)) == said(flat("params", params))
    assert b"null" not in msgspec.json.encode(body) or None in _values(params)


def _values(params: dict[str, object]) -> list[object]:
    return [one for value in params.values() for one in (value.values() if isinstance(value, dict) else [value])]


def test_parameters_of_other_types_are_kept_as_text_or_lists():
    """NumPy's, dates, sets, functions, numbers beyond 64 bits; a list with NaN is text as every list is."""
    params = {"f": np.float32("nan"), "a": np.arange(2), "d": date(2026, 1, 2), "s": {2, 1}, "b": 2**70, "n": len}
    body = with_params(BODY, params | {"l": [1.0, float("inf")]})
    assert body.special == {"f": "nan"}
    assert body.params == {
        "a": [0, 1],
        "d": "2026-01-02",
        "s": [1, 2],
        "b": str(2**70),
        "n": "<built-in function len>",
        "l": [1.0, "inf"],
    }
    begun = attributes_of(body, datetime(2026, 1, 1, tzinfo=UTC))
    assert (begun["params.l"], begun["params.a"], str(begun["params.f"])) == ('[1.0, "inf"]', "[0, 1]", "nan")


def test_parameters_have_names() -> None:
    """Anything else is refused, as is what no caller meant; none are none."""
    assert checked_params(None) == {}
    assert checked_params({"depth": 3}) == {"depth": 3}
    with pytest.raises(InputError, match=r"parameters are 3(.|\n)*depth"):
        checked_params(3)
