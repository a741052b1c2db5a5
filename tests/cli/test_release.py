"""`heptad release`: versions are listed, shown, promoted, rolled back, with reasons."""

import shutil

import pytest

from tests.cli.conftest import Shell


@pytest.fixture
def own(shell: Shell, tmp_path) -> Shell:
    """The project, copied for tests that change it."""
    copy = shutil.copytree(shell.project, tmp_path / "copy", ignore=shutil.ignore_patterns("workers"))
    return Shell(shell._capsys, copy)


def champion(shell: Shell) -> str:
    return next(
        one["body"]["version"] for one in shell("release", "list", "--json").json if "champion" in one["aliases"]
    )


def test_versions_are_listed_with_their_aliases(shell: Shell):
    """Newest first, on 80 columns."""
    numbers = [one["body"]["version"] for one in shell("release", "list", "--json").json]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) > 1
    text = shell("release", "list").out
    assert "champion" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_a_version_is_shown_with_gates_history_and_card(shell: Shell):
    """By default the champion."""
    text = shell("release", "show").out
    for title in ("Gates\n---", "History\n---", "Model card of rides@"):
        assert title in text
    assert shell("release", "show", "1", "--json").json["version"]["body"]["version"] == 1


def test_a_promotion_and_a_rollback_are_live_with_their_reasons(own: Shell):
    """Both deploy at once and say which generation answers; the reason is in the history."""
    before = champion(own)
    registered = [
        one["body"]["version"]
        for one in own("release", "list", "--json").json
        if one["attributes"]["status"] == "registered" and one["body"]["version"] != before
    ]
    promoted = own("release", "promote", str(registered[0]), "--reason", "it did better by hand", "--json")
    assert promoted.json["body"]["routes"][0]["label"] == f"rides@{registered[0]}"
    assert champion(own) == registered[0]
    back = own("release", "rollback", "--reason", "it did not after all")
    assert f"rides@{before} is champion (generation" in back.out
    assert champion(own) == before
    assert "it did not after all" in own("release", "show").out


def test_an_approval_is_noted_in_ones_own_name(own: Shell):
    """Once, with its sentence."""
    assert "approved rides@1" in own("release", "approve", "1", "--reason", "I have looked at it").out
    assert "I have looked at it" in own("release", "show", "1").out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["promote", "77", "--reason", "because it is"], 2, "There is no model version '77'"),
        (["promote", "1", "--reason", "x"], 2, "is no reason"),
        (["rollback"], 2, "--reason"),
        (["adopt", "1"], 1, "is of this project's own loop"),
        (["adopt", "theirs@1"], 2, "There is no model version 'theirs@1'"),
        (["show", "chmpion"], 2, "did you mean 'champion'?"),
    ],
)
def test_what_cannot_be_done_is_refused(own: Shell, words, code, said):
    """Nothing changes, and the error says what would be right."""
    before = champion(own)
    asked = own("release", *words)
    assert asked.code == code
    assert said in asked.err
    assert champion(own) == before
