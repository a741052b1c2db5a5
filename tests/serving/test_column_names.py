"""Names in a table that does not tell letters by their case."""

from hypothesis import given
from hypothesis import strategies as st

from heptad.serving.column_names import distinct_names, original_name


@given(present=st.lists(st.text("aAbB~", max_size=3)), names=st.lists(st.text("aAbB~", max_size=3), unique=True))
def test_no_two_columns_are_called_alike(present: list[str], names: list[str]) -> None:
    """Whatever is there already, every name differs from all others by more than case, and reads back as it was."""
    called = [distinct_names(names, present).get(name, name) for name in names]
    new = [one.lower() for one in called if one not in present]
    assert len(new) == len(set(new))
    assert not {name.lower() for name in present} & set(new)
    assert [original_name(one) for one in called] == names


def test_a_name_that_was_never_changed_stays() -> None:
    """A tilde alone makes no mark."""
    assert original_name("b~1") == "b~1"
    assert distinct_names(["a", "b"], ["a"]) == {}
