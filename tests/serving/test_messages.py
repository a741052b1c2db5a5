"""What goes into the journal."""

from collections.abc import Callable

import msgspec

from heptad.serving.messages import Answer, Entries, Part, Refusal


def test_entries_come_back_from_the_journal_as_they_were(part_of: Callable[..., Part]) -> None:
    """Packed and unpacked, entries are equal."""
    part = part_of("a", "b")
    assert msgspec.msgpack.decode(part.packed, type=Entries) == part.entries


def test_an_answer_leaves_out_what_does_not_apply() -> None:
    """A regression has no probabilities and no threshold, and says so by their absence."""
    answer = Answer(id="r1", label=2.5, score=2.5, version="tiny@1")
    assert msgspec.json.encode(answer) == b'{"id":"r1","label":2.5,"score":2.5,"version":"tiny@1","warnings":[]}'


def test_a_refusal_is_read_with_what_it_names() -> None:
    """A client reads refusals of any server version: fields that are left out are empty."""
    refusal = msgspec.json.decode(b'{"error": {"problem": "no"}}', type=Refusal)
    assert (refusal.error.problem, refusal.error.remedy) == ("no", "")
