"""What a version was at release, looked up by the name that the log carries."""

import pytest

from heptad.core.errors import NotFoundError
from heptad.monitoring.references import References


def test_a_version_is_found_with_all_that_windows_are_compared_with(endpoint):
    """Signature, metrics, the profile of training rows and of held-out scores belong to the named version."""
    second = endpoint.add_version(value=0.8, seed=2)
    references = References(endpoint.workspace, endpoint.registry)
    first, other = references.get(endpoint.first), references.get(second)
    assert first.version != other.version
    assert (first.main, first.metric("roc_auc").value, other.metric("roc_auc").value) == ("roc_auc", 0.74, 0.8)
    assert first.metric("rmse") is None
    assert first.signature == endpoint.signature
    assert [column.name for column in first.columns()] == [column.name for column in first.inputs.columns]
    assert first.predictions.rows == len(first.held_out) == 4_000
    assert set(first.held_out["truth"]) == set(endpoint.signature.classes)


def test_a_version_is_loaded_once(endpoint):
    """What a version was never changes, so it is kept."""
    references = References(endpoint.workspace, endpoint.registry)
    assert references.get(endpoint.first) is references.get(endpoint.first)


def test_an_unknown_version_is_an_error(endpoint):
    """A name that the registry does not know is named, with those that it does."""
    with pytest.raises(NotFoundError, match=r"flights@7[\s\S]*flights@1"):
        References(endpoint.workspace, endpoint.registry).get("flights@7")
