"""`heptad serving`: a row is asked, answers are listed."""

import pytest

from heptad.cli import serving
from heptad.project import open_project
from tests.cli.conftest import Shell


def test_a_row_is_asked_and_the_answer_shown(shell: Shell):
    """Label, probability, threshold, version and warnings; the caller is the person who asks."""
    with open_project(shell.project).serving.start_server(port=0) as server:
        row = '{"distance": 1.5, "hour": 9, "zone": "never seen"}'
        words = ("serving", "predict", "--json-row", row, "--url", server.url, "--id", "mine")
        answer = shell(*words, "--json").json
        assert answer["id"] == "mine"
        assert answer["label"] in {"yes", "no"}
        text = shell(*words).out
        assert "threshold" in text
        assert "zone: a value that training never saw" in text
        refused = shell("serving", "predict", "--json-row", '{"distance": "far"}', "--url", server.url)
    assert refused.code == 2
    assert "distance" in refused.err or "hour" in refused.err
    mine = next(one for one in shell("serving", "list", "--limit", "500", "--json").json if one["id"] == "mine")
    assert mine["caller"].startswith("user:")


def test_the_newest_answers_are_listed(shell: Shell):
    """As many as asked for, on 80 columns."""
    assert len(shell("serving", "list", "--limit", "7", "--json").json) == 7
    text = shell("serving", "list").out
    assert "rides@" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_a_row_that_is_no_object_is_refused(shell: Shell):
    """Exit code 2, before any server is asked."""
    asked = shell("serving", "predict", "--json-row", "[1, 2]")
    assert asked.code == 2
    assert '{"column": value, ...}' in asked.err


def test_a_server_that_does_not_run_is_said_soon(shell: Shell, monkeypatch):
    """Exit code 1, after a little patience, with the command that starts one."""
    monkeypatch.setattr(serving, "PATIENCE_SECONDS", 0.1)
    asked = shell("serving", "predict", "--json-row", "{}", "--url", "http://127.0.0.1:9")
    assert asked.code == 1
    assert "did not answer" in asked.err
    assert "heptad up" in asked.err


@pytest.mark.parametrize("words", [("serving", "list")])
def test_a_project_that_answered_nothing_says_how_to_serve(empty: Shell, words):
    """The list names the command."""
    assert "heptad up" in empty(*words).out
