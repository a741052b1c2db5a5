"""`heptad data pii`: of a version with the models that use it, or of any file."""

from pathlib import Path

from tests.cli.conftest import Shell


def test_a_file_is_looked_at_without_a_project(empty: Shell, tmp_path: Path) -> None:
    """Kinds and evidence, and no value."""
    path = tmp_path / "people.csv"
    path.write_text("contact,size\n" + "".join(f"u{one}@mail.example,{one % 3}\n" for one in range(30)))
    outcome = empty.bare("data", "pii", str(path))
    assert outcome.code == 0
    assert "email" in outcome.out
    assert "mail.example" not in outcome.out
    assert empty.bare("data", "pii", str(path), "--least", "1", "--json").json["personal"] == []


def test_a_version_with_the_models_that_use_it(shell: Shell) -> None:
    """Every feature of the rides is used; the key is an identifier."""
    told = shell("data", "pii", "--json").json
    assert told["unused"] == []
    assert {one["column"]: one["kind"] for one in told["personal"]} == {"ride": "identifier"}
    asked = shell("data", "pii", "nowhere")
    assert asked.code == 2
    assert "There is no file and no data version 'nowhere'.\nAllowed: " in asked.err
