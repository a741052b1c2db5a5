"""Ids, digests and canonical JSON."""

import re

from hypothesis import given
from hypothesis import strategies as st

from heptad.core.records import canonical_json, derived_id, digest_of, new_id

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda part: st.lists(part, max_size=4) | st.dictionaries(st.text(), part, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), plain, max_size=5))
def test_equal_data_gives_equal_bytes(data: dict[str, object]) -> None:
    """In whatever order its keys were set."""
    backwards = dict(reversed(data.items()))
    assert canonical_json(data) == canonical_json(backwards)
    assert digest_of(canonical_json(data)) == digest_of(canonical_json(backwards))


def test_new_ids_differ_and_say_what_they_are() -> None:
    """A prefix and sixteen letters and digits that are hard to confuse."""
    ids = {new_id("run") for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(r"run-[a-z2-7]{16}", one) for one in ids)


def test_derived_ids_follow_from_their_parts() -> None:
    """The same parts give the same id, on every machine and in every year."""
    assert derived_id("run", "flights", 1) == derived_id("run", "flights", 1)
    assert derived_id("run", "flights", 1) != derived_id("run", "flights", "1")
    assert derived_id("run", "ab", "c") != derived_id("run", "a", "bc")
    assert derived_id("run", "flights", 1) == "run-7krzdvczqre5shey"
