"""What `Store` promises about searches, as tests: subclass the class and give it a fixture `store`."""

import math
from datetime import timedelta

import pytest

from heptad.core.errors import InputError
from heptad.core.query import All, AnyOf, Compare, Condition, Not, Order, Query, equals
from heptad.core.records import Change, Id, Link, Scalar
from heptad.core.store import Store
from heptad.testing.store_contract import NOON, StoreContract, record

RUNS: dict[Id, dict[str, Scalar]] = {
    "a": {"score": 0.5, "depth": 3, "name": "alpha", "good": True},
    "b": {"score": 0.7, "depth": 3, "name": "Beta", "note": "100% [sure]"},
    "c": {"score": math.nan, "depth": 5, "name": "gamma", "good": False},
    "d": {"depth": "deep", "name": "b" * 300 + "1"},
    "e": {"score": 0.5, "name": "b" * 300 + "2"},
    "f": {},
}
"""Six runs, written in this order, for the searches below."""


class StoreSearchContract(StoreContract):
    """Searches: conditions, order, pages."""

    @pytest.fixture
    def runs(self, store: Store) -> Store:
        at = NOON
        for identity, attributes in RUNS.items():
            store.write(Change(records=[record(identity, attributes, at=at, actor=f"user:{identity}")]))
            at += timedelta(hours=1)
        store.write(Change(records=[record("x", RUNS["a"], scope="other"), record("y", RUNS["a"], kind="study")]))
        return store

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            (All(), "abcdef"),
            (AnyOf(()), ""),
            (Compare("score", "=", 0.5), "ae"),
            (Compare("score", "!=", 0.5), "bcdf"),
            (Compare("score", ">=", 0.5), "abe"),
            (Compare("score", "<", 0.6), "ae"),
            (Compare("score", "=", math.nan), ""),
            (Compare("score", "exists", True), "abce"),
            (Compare("score", "exists", False), "df"),
            (Compare("score", "=", None), "df"),
            (Compare("depth", ">", 2), "abc"),
            (Compare("depth", ">", "a"), "d"),
            (Compare("depth", "in", [3, "deep"]), "abd"),
            (Compare("good", "=", True), "a"),
            (Compare("good", "<", 1), "c"),
            (Compare("name", "=", "b" * 300 + "1"), "d"),
            (Compare("name", ">", "b" * 300 + "1"), "ce"),
            (Compare("name", "<=", "b" * 300 + "1"), "abd"),
            (Compare("name", "in", ["alpha", "b" * 300 + "2"]), "ae"),
            (Compare("name", "like", "%a"), "abc"),
            (Compare("name", "like", "b%"), "de"),
            (Compare("name", "ilike", "B_TA"), "b"),
            (Compare("note", "like", "%[sure]"), "b"),
            (Compare("note", "like", "1__\\%"), ""),
            (Compare("@id", "in", ["a", "f", "x"]), "af"),
            (Compare("@at", "<", NOON + timedelta(hours=2)), "ab"),
            (Compare("@actor", "=", "user:c"), "c"),
            (equals(depth=3, name="alpha"), "a"),
            (All((Compare("score", ">", 0.1), Not(Compare("name", "like", "a%")))), "be"),
            (AnyOf((Compare("good", "=", False), Compare("score", ">", 0.6))), "bc"),
            (Not(AnyOf((Compare("score", "exists", True), Compare("depth", "exists", True)))), "f"),
        ],
    )
    def test_conditions(self, runs: Store, condition: Condition, expected: str) -> None:
        """Exactly the records that meet the condition are found, of that kind and scope only."""
        found = runs.find(Query(kind="run", scopes=["tests"], where=condition, order=[Order("@id")]))
        assert "".join(one.id for one in found.items) == expected

    @pytest.mark.parametrize(
        ("order", "expected"),
        [
            ([], "fedcba"),
            ([Order("score")], "aebcdf"),
            ([Order("score", descending=True)], "beafdc"),
            ([Order("depth")], "abcdef"),
            ([Order("depth", descending=True)], "cbadfe"),
            ([Order("name")], "badecf"),
            ([Order("score"), Order("name", descending=True)], "eabcdf"),
            ([Order("good"), Order("@at", descending=True)], "cafedb"),
            ([Order("@actor", descending=True)], "fedcba"),
            ([Order("@at")], "abcdef"),
        ],
    )
    @pytest.mark.parametrize("limit", [1, 2, 4, 6, 7])
    def test_pages_add_up_to_the_order(self, runs: Store, order: list[Order], expected: str, limit: int) -> None:
        """Numbers, then text, then records without the key; page by page each record comes once."""
        query = Query(kind="run", scopes=["tests"], order=order)
        found, after, pages = "", None, 0
        while pages == 0 or after is not None:
            page = runs.find(query, after, limit)
            found += "".join(one.id for one in page.items)
            after, pages = page.after, pages + 1
        assert found == expected
        assert pages == -(-6 // limit)

    def test_pages_go_on_behind_the_last_record_while_others_are_added(self, runs: Store) -> None:
        """A record that sorts before the cursor does not shift the next page."""
        query = Query(kind="run", scopes=["tests"], order=[Order("score")])
        first = runs.find(query, limit=2)
        runs.write(Change(records=[record("g", {"score": 0.1})]))
        assert [one.id for one in runs.find(query, first.after, 2).items] == ["b", "c"]

    @pytest.mark.parametrize("after", ["", "nonsense", "aGVsbG8="])
    def test_a_cursor_that_is_none_is_refused(self, runs: Store, after: str) -> None:
        """So is a cursor of another search."""
        with pytest.raises(InputError, match="cursor"):
            runs.find(Query(kind="run"), after)
        other = runs.find(Query(kind="run", order=[Order("score")]), limit=1).after
        with pytest.raises(InputError, match="another search"):
            runs.find(Query(kind="run"), other)

    @pytest.mark.parametrize(
        "wrong",
        [
            Compare("score", "like", 1),
            Compare("score", "=", [1]),
            Compare("score", "in", "text"),
            Compare("@colour", "=", "red"),
            Compare("@at", "=", "yesterday"),
            Compare("@id", "=", 1),
            Compare("@to.data", "=", "a"),
            Compare("@to.data", "in", "a"),
        ],
    )
    def test_what_cannot_be_compared_is_refused(self, runs: Store, wrong: Compare) -> None:
        """The error says what is allowed."""
        with pytest.raises(InputError) as caught:
            runs.find(Query(kind="run", where=wrong))
        assert caught.value.allowed

    def test_links_are_asked_for_by_role_and_target(self, runs: Store) -> None:
        """Alone, left out, and beside other conditions; ids that are nobody's find nothing."""
        links = [Link("a", "data", "x"), Link("b", "data", "x"), Link("b", "data", "y"), Link("c", "parent", "x")]
        runs.write(Change(links=links))
        asked: dict[str, Condition] = {
            "ab": Compare("@to.data", "in", ["x"]),
            "b": Compare("@to.data", "in", ["y", "nobody"]),
            "c": Compare("@to.parent", "in", ["x"]),
            "": Compare("@to.data", "in", []),
            "cdef": Not(Compare("@to.data", "in", ["x", "y"])),
            "a": All((Compare("@to.data", "in", ["x"]), Compare("score", "<", 0.6))),
            "abc": AnyOf((Compare("@to.data", "in", ["x"]), Compare("depth", "=", 5))),
        }
        for expected, where in asked.items():
            for order in ([], [Order("score")]):
                query = Query(kind="run", scopes=["tests"], where=where, order=order)
                assert sorted(one.id for one in runs.find(query).items) == list(expected)

    def test_links_are_asked_for_by_what_a_search_finds(self, runs: Store) -> None:
        """Any kind of condition, in its own kinds and scopes only; it pages as any search does."""
        links = [Link("a", "data", "x"), Link("b", "data", "x"), Link("b", "data", "y"), Link("c", "parent", "x")]
        runs.write(Change(links=links))
        alpha, unlike = equals(name="alpha"), Not(Compare("score", "=", 0.5))
        asked: list[tuple[str, Query]] = [
            ("ab", Query(kind="run", where=alpha)),
            ("ab", Query(kind="", where=alpha)),
            ("b", Query(kind="study", where=All((alpha, Compare("depth", ">", 2), Compare("name", "like", "al%"))))),
            ("ab", Query(kind="run", scopes=["other"], where=Compare("@id", "=", "x"))),
            ("", Query(kind="run", scopes=["tests"], where=alpha)),
            ("", Query(kind="run", scopes=["nowhere"])),
            ("", Query(kind="", where=unlike)),
            ("ab", Query(kind="", where=AnyOf((unlike, Compare("good", "exists", True))))),
        ]
        for expected, far in asked:
            there = Compare("@to.data", "in", far)
            for order in ([], [Order("score")]):
                query = Query(kind="run", scopes=["tests"], where=there, order=order)
                first = runs.find(query, limit=1)
                rest = runs.find(query, first.after).items if first.after else []
                assert sorted(one.id for one in [*first.items, *rest]) == list(expected)
                left = Query(kind="run", scopes=["tests"], where=Not(there), order=order)
                assert sorted(one.id for one in runs.find(left).items) == sorted({*"abcdef"} - {*expected})

    def test_kinds_scopes_and_attributes_are_chosen(self, runs: Store) -> None:
        """No scopes means all of them, no kind every kind; only the attributes asked for are fetched."""
        assert {one.id for one in runs.find(Query(kind="run")).items} == {*"abcdefx"}
        assert {one.id for one in runs.find(Query(kind="")).items} == {*"abcdefxy"}
        assert runs.find(Query(kind="run", scopes=[])).items == []
        assert runs.find(Query(kind="nothing")).items == []
        (found,) = runs.find(Query(kind="study", attributes=["depth", "absent"])).items
        assert found.attributes == {"depth": 3}
        assert runs.find(Query(kind="study", attributes=())).items[0].attributes == {}
