"""The widest values that are allowed fit every index, and indexes answer what is asked most."""

import pytest

from heptad.core.query import Compare, Query
from heptad.core.records import AliasMove, Attribute, Change, Link, NewEvent
from heptad.core.sql_store import SqlStore
from heptad.core.sql_values import NAME_BYTES
from heptad.testing.store_contract import record

WIDE = "\U0001f40d" * (NAME_BYTES // 4)
"""As long as a name may be, of signs that no database can compress away within an index."""


def test_the_widest_names_and_texts_fit(store: SqlStore) -> None:
    """PostgreSQL refuses index entries above 2.7 kB: no name or text that passes the checks comes near."""
    text = "".join(chr(0x10000 + n * 7) for n in range(3000))
    other = WIDE[:-1] + "x"
    wide = record(WIDE, {WIDE: text}, kind=WIDE, scope=WIDE, actor=WIDE)
    store.write(
        Change(
            records=[wide, record(other)],
            links=[Link(WIDE, WIDE, other)],
            attributes=[Attribute(other, WIDE, text)],
            aliases=[AliasMove(scope=WIDE, name=WIDE, target=WIDE)],
            events=[NewEvent(kind=WIDE, subject=WIDE)],
            cursors={WIDE: 1},
            key=WIDE,
        )
    )
    (found,) = store.find(Query(kind=WIDE, where=Compare(WIDE, "=", text))).items
    assert found.attributes == {WIDE: text}
    assert store.trace([WIDE], "out") == [Link(WIDE, WIDE, other)]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("SELECT * FROM record WHERE id = 'r'", "sqlite_autoindex_record"),
        ("SELECT seq FROM record WHERE family = 1 ORDER BY seq DESC", "record_family"),
        ("SELECT * FROM link WHERE source = 1", "PRIMARY KEY"),
        ("SELECT * FROM link WHERE target = 1", "link_reverse"),
        ("SELECT record FROM attribute WHERE family = 1 AND key = 'k' AND num > 1", "COVERING INDEX attribute_number"),
        ("SELECT record FROM attribute WHERE family = 1 AND key = 'k' AND txt = 'x'", "COVERING INDEX attribute_text"),
        ("SELECT * FROM alias WHERE target = 'r'", "alias_target"),
        ("SELECT * FROM event WHERE kind = 'k' AND position > 1", "event_kind"),
        ("SELECT data FROM segment WHERE record = 1 AND key = 'k' AND first < 9 ORDER BY first", "autoindex_segment"),
    ],
)
def test_what_is_asked_most_is_read_from_an_index(store: SqlStore, statement: str, index: str) -> None:
    """No table is scanned, and nothing is sorted."""
    with store.database.reading() as transaction:
        plan = [row[-1] for row in transaction.rows(f"EXPLAIN QUERY PLAN {statement}")]
    assert len(plan) == 1, plan
    assert index in plan[0]
