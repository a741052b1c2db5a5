"""All near duplicates are found, and nothing that is not near."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from heptad.data.manifests.near import near_images, near_texts
from heptad.data.manifests.texts import sketch

HASH = st.integers(-(2**63), 2**63 - 1)


def differs(first: int, second: int) -> int:
    return ((first ^ second) & (2**64 - 1)).bit_count()


@given(st.data(), st.integers(0, 6))
def test_images_are_near_as_comparing_all_with_all_has_it(data: st.DataObject, bits: int) -> None:
    """The first one within so many bits, whichever bits they are; none for no hash."""
    base = data.draw(st.lists(HASH, min_size=1, max_size=4))
    flips = st.tuples(st.sampled_from(base), st.sets(st.integers(0, 62), max_size=8))
    drawn = data.draw(st.lists(st.one_of(st.none(), flips), max_size=12))
    hashes = [None if one is None else one[0] ^ sum(1 << bit for bit in one[1]) for one in drawn]
    seen = [[one for one in hashes[:place] if one is not None] for place in range(len(hashes))]
    wanted = [
        value is not None and any(differs(value, one) <= bits for one in before)
        for value, before in zip(hashes, seen, strict=True)
    ]
    found = near_images(hashes, bits)
    assert [one is not None for one in found] == wanted
    assert all(one is None or differs(hashes[one] or 0, hashes[place] or 0) <= bits for place, one in enumerate(found))


def test_texts_are_near_by_what_they_share() -> None:
    """Sketches tell the shared part to a few hundredths; texts without words are near nothing."""
    generator = np.random.default_rng(3)
    text = generator.integers(0, 2**32, 2000).tolist()
    nearly, half = [*text[:1900], *generator.integers(0, 2**32, 50).tolist()], text[1000:]
    sketches = [sketch(words) for words in (text, nearly, half, [], [], text[:2])]
    assert near_texts(sketches, 0.8) == [None, 0, None, None, None, None]
    assert near_texts([sketches[0]] * 3, 1.0) == [None, 0, 0]


def test_many_forms_that_are_alike_take_no_time() -> None:
    """A bucket that everything falls into is not compared with itself."""
    same = sketch([1, 2, 3])
    assert near_texts([same] * 5000, 0.8)[-1] == 0
    assert near_images([0] * 50_000, 4)[-1] == 0
