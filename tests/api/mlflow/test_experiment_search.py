"""Searches over experiments."""

import pytest

from tests.api.conftest import Calls


@pytest.fixture
def three(calls: Calls) -> Calls:
    for name in ("alpha", "beta", "gamma"):
        calls.experiment(name, tags=[{"key": "first", "value": name[0]}])
    return calls


@pytest.mark.parametrize(
    ("filter_", "names"),
    [
        ("", ["gamma", "beta", "alpha"]),
        ("name LIKE '%a' AND tags.first != 'b'", ["gamma", "alpha"]),
        ("attribute.name ILIKE 'B%'", ["beta"]),
        ("experiment_id IN ('1', '3')", ["gamma", "alpha"]),
        ("creation_time >= 1767225600000", ["gamma", "beta", "alpha"]),
        ("creation_time < 1767225600000", []),
        ("last_update_time = 1767225600000 AND tags.other IS NULL", ["gamma", "beta", "alpha"]),
        ("tag.`first` IS NOT NULL AND name = 'beta'", ["beta"]),
    ],
)
def test_filters(three: Calls, filter_: str, names: list[str]) -> None:
    """By name, number, times and tags."""
    assert [one["name"] for one in three.post("experiments/search", filter=filter_)["experiments"]] == names


def test_orders_pages_and_views(three: Calls) -> None:
    """Page by page in the order asked for; deleted ones only where they are asked for."""
    three.post("experiments/delete", experiment_id="2")
    page = three.post("experiments/search", order_by=["name ASC"], max_results=1)
    rest = three.post("experiments/search", order_by=["name ASC"], max_results=1, page_token=page["next_page_token"])
    assert [one["name"] for found in (page, rest) for one in found["experiments"]] == ["alpha", "gamma"]
    assert "next_page_token" not in rest
    deleted = three.post("experiments/search", view_type="DELETED_ONLY")["experiments"]
    assert [one["name"] for one in deleted] == ["beta"]
    assert len(three.post("experiments/search", view_type="ALL")["experiments"]) == 3


@pytest.mark.parametrize(
    "wrong",
    [{"filter": "metrics.a = 1"}, {"filter": "nothing = 'a'"}, {"order_by": ["tags.a"]}, {"max_results": 0},
     {"page_token": "xyz"}, {"view_type": "SOME"}, {"filter": "experiment_id LIKE '1'"}],
)  # fmt: skip
def test_wrong_searches_are_refused(three: Calls, wrong: dict[str, object]) -> None:
    """400 each, and nothing else."""
    assert three.refused("experiments/search", **wrong)[0] in {"INVALID_PARAMETER_VALUE", "InputError"}
