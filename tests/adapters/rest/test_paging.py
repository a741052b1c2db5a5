"""Rows are found in answers, and pages follow each other, without a connection."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.adapters.rest.paging import Paging, is_there, paths_of, rows_in
from heptad.core.errors import DataError
from heptad.data import RestSettings


def test_rows_are_at_a_path_or_in_the_only_array() -> None:
    """One object is one row."""
    assert rows_in([{"a": 1}], "", "u") == [{"a": 1}]
    assert rows_in({"data": {"a": 1}}, "data", "u") == [{"a": 1}]
    with pytest.raises(DataError, match="2 arrays: x, y"):
        rows_in({"x": [], "y": []}, "", "u")
    with pytest.raises(DataError, match=r"nothing at 'data\.item'.\nAllowed: did you mean 'data\.items'"):
        rows_in({"data": {"items": []}}, "data.item", "u")
    assert paths_of({"a": {"b": 1}, "c": 2}) == ["a", "c", "a.b"]


@given(st.integers(0, 40), st.integers(1, 9), st.sampled_from(["page", "offset"]), st.none() | st.integers(0, 20))
def test_every_row_comes_once_whatever_a_page_holds(count: int, size: int, how: str, more: int | None) -> None:
    """By page or offset, whether the size is known or not, and where the server gives less than it is asked for."""
    settings = RestSettings(paging=how, size=0 if more is None else size + more)  # type: ignore[arg-type]
    paging, got, requests = Paging(settings, "u"), list[dict[str, int]](), 0
    url: httpx.URL | None = paging.start(httpx.URL("http://h/x?keep=1"))
    while url is not None:
        requests += 1
        place = int(url.params[how])
        start = (place - 1) * size if how == "page" else place
        page = [{"n": n} for n in range(start, min(start + size, count))]
        got += page
        assert url.params["keep"] == "1"
        url = paging.after(url, page, page, httpx.Headers())
    assert got == [{"n": n} for n in range(count)]
    assert requests <= count // size + 2


@pytest.mark.parametrize(
    ("answer", "there"),
    [
        ({"meta": {"next": None}}, True),
        ({"meta": {"next": ""}}, True),
        ({"meta": None}, True),
        ({"meta": {}}, False),
        ({"rows": []}, False),
        ({"meta": 3}, False),
        ([], False),
    ],
)
def test_a_path_with_nothing_in_it_is_there(answer: object, there: bool) -> None:
    """Which is how a server says that there is no other page."""
    assert is_there(answer, "meta.next") is there


@pytest.mark.parametrize("how", ["cursor", "next"])
def test_a_first_answer_without_the_path_is_doubted(how: str) -> None:
    """It may be the only page of a server that leaves the path out then; an array never has it."""
    rows, url = [{"a": 1}], httpx.URL("http://h/x")

    def asked(*answers: object) -> str:
        paging = Paging(RestSettings(paging=how, next="next"), "u")  # type: ignore[arg-type]
        for answer in answers:
            paging.after(url, answer, rows, httpx.Headers())
        return paging.doubt

    assert "first answer has no 'next'" in asked({"rows": rows, "next_page": "2"})
    assert "'next_page'" in asked({"rows": rows, "next_page": "2"})
    assert asked({"rows": rows, "next": None}) == ""
    assert asked({"rows": rows, "next": "2"}, {"rows": rows}) == ""
    with pytest.raises(DataError, match="answers with an array, which has nothing at 'next'"):
        asked(rows)
