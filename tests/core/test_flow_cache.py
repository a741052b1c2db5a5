"""What identifies a step, and how its result is found again."""

from typing import Any

import pytest

from heptad.core.errors import IntegrityError, NotFoundError
from heptad.core.flow import Flow
from heptad.core.flow_cache import Cache, KeyParts, Keys, key_of, newest_results
from heptad.core.flow_plan import drafts, plan
from heptad.core.flow_values import Value, pack
from heptad.core.workspace import Workspace


def nowhere(digest: str) -> bytes:
    raise NotFoundError("artifact", digest)


def inputs(**values: Any) -> dict[str, Value]:
    return {name: Value(pack(value), nowhere) for name, value in values.items()}


def keys(functions: Any, **values: Any) -> Keys:
    given = inputs(**values)
    return Keys(plan("test", drafts(functions), given.keys()), given)


def one(raw, depth=3):
    return raw


def two(one):
    return one


def parts(functions: Any, task: str, **values: Any) -> KeyParts:
    given = inputs(**values)
    wired = plan("test", drafts(functions), [name for name in given if name != "one"])
    return Keys(wired, {name: given[name] for name in given if name != "one"}).parts(wired.tasks[task], given)


def test_a_key_is_code_parameters_and_contents() -> None:
    """The parts are named; a default counts once, as a parameter and not as code."""
    found = parts([one], "one", raw=[1])
    assert list(found.code) == [f"{__name__}:one"]
    assert found.parameters == {"depth": "3"}
    assert found.inputs == {"raw": pack([1]).digest}
    assert key_of(found) == key_of(parts([one], "one", raw=[1]))
    assert key_of(found) != key_of(parts([one], "one", raw=[2]))


def test_a_default_that_is_replaced_does_not_count() -> None:
    """Where an input takes the parameter, its default is no part of the key."""
    found = parts([one], "one", raw=[1], depth=4)
    assert found.parameters == {}
    assert list(found.code) == [f"{__name__}:one"]


def test_a_default_that_is_code_counts_as_code() -> None:
    """A function as a default value is read like one that is called."""

    def step(raw, how=two):
        return how(raw)

    found = parts([step], "step", raw=1)
    assert found.parameters == {}
    assert f"{__name__}:two" in found.code


def test_claims_follow_from_what_is_known_at_the_start() -> None:
    """Equal flows with equal inputs claim the same steps; another input claims others from there on."""
    first, same, other = keys([one, two], raw=1), keys([one, two], raw=1), keys([one, two], raw=2)
    assert first.claim("two") == same.claim("two")
    assert first.claim("two") != other.claim("two")
    assert first.claim("one") != first.claim("two")
    assert keys([one], raw=1).claim("one") == first.claim("one")


def test_results_are_found_by_their_keys(workspace: Workspace) -> None:
    """The newest page is read at once; what is older is looked up."""
    for number in range(8):
        Flow("test", [one]).run(workspace, {"raw": number})
    cache = Cache(workspace, "test", 1)
    assert len(cache._newest) == 4
    results = [result for _, result in newest_results(workspace, "test", "one", 100)]
    assert [cache.value(result).read() for result in results] == [7, 6, 5, 4, 3, 2, 1, 0]
    oldest = results[-1]
    ((identity, found),) = cache.find({"one": oldest.key}).values()
    assert (found, identity[:5]) == (oldest, "task-")
    assert cache.find({"one": "unknown"}) == {}


def test_a_result_without_its_artifacts_is_not_found(workspace: Workspace) -> None:
    """What cannot be read is not offered; a damaged artifact is removed, and then it is missing."""
    Flow("test", [one]).run(workspace, {"raw": b"x" * 1000})
    ((_, result),) = newest_results(workspace, "test", "one", 1)
    (digest,) = result.artifacts
    path = workspace.folder / "artifacts" / digest[:2] / digest[2:]
    path.chmod(0o644)
    path.write_bytes(b"y" * 1000)
    cache = Cache(workspace, "test", 1)
    with pytest.raises(IntegrityError, match=digest):
        cache.value(result).read()
    assert not path.exists()
    assert cache.find({"one": result.key}) == {}


def test_what_was_repaired_meanwhile_is_not_removed(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between finding the damage and removing it, somebody else may store the same bytes again."""
    digest = workspace.blobs.put(b"result")
    really_get = type(workspace.blobs).get

    def get(blobs: Any, wanted: str) -> bytes:
        path = workspace.folder / "artifacts" / wanted[:2] / wanted[2:]
        path.chmod(0o644)
        path.write_bytes(b"RESULT")
        try:
            return really_get(blobs, wanted)
        finally:
            blobs.put(b"result")

    monkeypatch.setattr(type(workspace.blobs), "get", get)
    with pytest.raises(IntegrityError):
        Cache(workspace, "test", 1).fetch(digest)
    assert really_get(workspace.blobs, digest) == b"result"
