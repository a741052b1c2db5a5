"""Every kind of record has its sentence."""

import ast
from pathlib import Path

from heptad.core.query import Query
from heptad.core.records import Record
from heptad.lifecycle.sentences import IN_ORDER, sentence_of
from tests.lifecycle.conftest import Played

SOURCE = Path(__file__).parents[2] / "src" / "heptad"


def test_every_record_of_a_loop_says_something_of_its_own(played: Played):
    """No sentence is empty, has a trace of code in it, or is just the kind."""
    page = played.project.workspace.store.find(Query(kind=""), limit=10_000)
    assert len({record.kind for record in page.items}) >= 10
    for record in page.items:
        sentence = sentence_of(record)
        assert sentence
        assert sentence != record.kind
        assert "None" not in sentence.replace("None of", "")
        assert "{" not in sentence


def test_no_kind_was_forgotten():
    """Each `kind` that a module of the house declares is in the table, in the order of the steps."""
    declared = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_body = isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "Body" for base in node.bases)
            for item in node.body if is_body else ():
                names = [ast.unparse(one) for one in getattr(item, "targets", [getattr(item, "target", None)]) if one]
                if names == ["kind"] and isinstance(item.value, ast.Constant):
                    declared.add(item.value.value)
    assert declared - {""} == set(IN_ORDER)


def test_a_kind_of_somebody_else_is_named(clock):
    """A record that no step of ours wrote still has words."""
    record = Record(id="x-1", kind="field_note", scope="test", at=clock.now(), actor="user:me", body={})
    assert sentence_of(record) == "field note"
