"""The search language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.api.mlflow.errors import ProtocolError
from heptad.api.mlflow.search_grammar import Clause, Ordering, parse_filter, parse_order


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("", []),
        ("  ;", []),
        ("metrics.loss < 0.5", [Clause("metrics", "loss", "<", 0.5)]),
        ("metrics.a>=-1.5e3 AND b='x'", [Clause("metrics", "a", ">=", -1500.0), Clause("", "b", "=", "x")]),
        ('params."a b" != "it\'s"', [Clause("params", "a b", "!=", "it's")]),
        ("tags.`a``b` like '%x_'", [Clause("tags", "a`b", "LIKE", "%x_")]),
        ("tags.mlflow.parentRunId = 'r'", [Clause("tags", "mlflow.parentRunId", "=", "r")]),
        ("run_id not in ('a', \"b\" )", [Clause("", "run_id", "NOT IN", ("a", "b"))]),
        ("`attributes`.`Run name` ILIKE 'a''b'", [Clause("attributes", "Run name", "ILIKE", "a'b")]),
        ("a IS  NOT NULL and b is null", [Clause("", "a", "IS NOT NULL", None), Clause("", "b", "IS NULL", None)]),
    ],
)  # fmt: skip
def test_filters_are_read(text: str, clauses: list[Clause]) -> None:
    """Quoting by single and double quotes and backticks, words in any case."""
    assert parse_filter(text) == clauses


@pytest.mark.parametrize(
    "text",
    [
        "a = 1 OR b = 2", "a == 1", "= 1", "a", "a =", "a = b", "a IN ()", "a IN 'x'", "a = 'x", "(a = 1)",
        "a = 1 AND", "a = 1 b = 2", "a = 1; b = 2", "a LIKE 5x", "a = 1" + " AND a = 1" * 200, "a" * 200_000,
    ],
)  # fmt: skip
def test_what_is_no_filter_is_refused(text: str) -> None:
    """The message says where, and what is expected there."""
    with pytest.raises(ProtocolError) as caught:
        parse_filter(text)
    assert caught.value.code == "INVALID_PARAMETER_VALUE"


@given(st.text(alphabet=" .`'\"()=<>!andlikeisnull,0123456789;-", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing else is raised, and it ends soon."""
    try:
        clauses = parse_filter(text)
    except ProtocolError:
        return
    assert all(clause.key or clause.entity for clause in clauses) or not clauses or text


@given(st.text(max_size=40), st.text(max_size=40).filter(lambda one: "`" not in one and one != ""))
def test_quoted_text_is_what_it_was(value: str, key: str) -> None:
    """A quote inside is doubled."""
    quoted = value.replace("'", "''")
    assert parse_filter(f"params.`{key}` = '{quoted}'") == [Clause("params", key, "=", value)]


def test_orders_are_read() -> None:
    """Ascending unless it says otherwise; the same key twice is refused."""
    assert parse_order(["metrics.`a b` DESC", "start_time", "params.x asc"]) == [
        Ordering("metrics", "a b", True),
        Ordering("", "start_time", False),
        Ordering("params", "x", False),
    ]
    for wrong in (["a b"], ["a", "a DESC"], [""], ["a DESC x"]):
        with pytest.raises(ProtocolError):
            parse_order(wrong)
