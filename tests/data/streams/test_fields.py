"""Fields of messages become columns, of the kind that most of their values have."""

from heptad.data.streams.fields import COLUMNS, DEPTH, grown, leaves, tree_of, unfit
from heptad.data.streams.policies import ChangePolicy


def test_new_fields_are_of_the_kind_of_most_of_their_values() -> None:
    """Missing ones say nothing; whole numbers among others are numbers."""
    messages = [
        {"a": 1, "b": "x", "c": 1, "d": None, "e": True, "f": [1]},
        {"a": 2, "b": "y", "c": 1.5, "e": "no"},
        {"a": "z", "b": None, "e": False},
    ]
    assert dict(leaves(grown({}, messages, ChangePolicy()))) == {
        ("a",): "integer",
        ("b",): "text",
        ("c",): "number",
        ("e",): "boolean",
        ("f",): "json",
    }


def test_objects_are_columns_of_their_fields_down_to_a_depth() -> None:
    """Deeper ones are kept as JSON."""
    deep: dict[str, object] = {"end": 1}
    for _ in range(DEPTH + 3):
        deep = {"in": deep}
    ((path, kind),) = leaves(grown({}, [deep], ChangePolicy()))
    assert path == ("in",) * DEPTH
    assert kind == "json"


def test_only_integers_get_wider() -> None:
    """To numbers; every other kind stays what it is."""
    tree = {"a": "integer", "b": "text", "c": {"d": "integer"}}
    messages = [{"a": 1.5, "b": 2, "c": {"d": 2.5, "new": True}}]
    assert grown(tree, messages, ChangePolicy()) == {"a": "number", "b": "text", "c": {"d": "number", "new": "boolean"}}


def test_names_that_no_table_can_hold_are_left_out() -> None:
    """Those that differ in case only, that two paths share, that are Heptad's, and one too many."""
    assert dict(
        leaves(grown({"Id": "integer"}, [{"ID": 1, "a.b": 1, "a": {"b": 2}, "stream_time": 1, "": 1}], ChangePolicy()))
    ) == {
        ("Id",): "integer",
        ("a.b",): "integer",
    }
    assert len(list(leaves(grown({}, [{f"c{one}": 1 for one in range(COLUMNS + 5)}], ChangePolicy())))) == COLUMNS
    assert "columns already" in unfit(("x",), {f"c{one}" for one in range(COLUMNS)})


def test_a_tree_comes_back_from_its_columns() -> None:
    """As the table keeps them."""
    fields = {("a",): "integer", ("b", "c"): "text", ("b", "d", "e"): "json"}
    assert dict(leaves(tree_of(fields))) == fields
