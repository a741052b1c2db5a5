"""The program as a whole: help, wrong words, exit codes, and what happens when something goes wrong."""

import os
import signal
import subprocess
import sys
import time

import pytest

from heptad import __version__
from heptad.cli import app
from heptad.cli.app import GROUPS, build, report, run, usage_error
from heptad.core.errors import NotFoundError, SettingsError
from tests.cli.conftest import Shell

HEPTAD = [sys.executable, "-c", "from heptad.cli import main; main()"]


@pytest.mark.parametrize("words", [[], ["--help"], *([group] for group in GROUPS), ["status", "--help"]])
def test_help_is_given_where_nothing_is_asked(words, capsys):
    """Without a command, and behind each group, the help is printed and the exit code is 0."""
    assert run(words) == 0
    assert "Usage: heptad" in capsys.readouterr().out


def test_every_command_says_what_it_does_on_80_columns(capsys, monkeypatch):
    """No line of any help is longer than a terminal, and none is cut off with dots."""
    monkeypatch.setenv("COLUMNS", "80")
    for words in [["--help"], *([group, "--help"] for group in GROUPS)]:
        run(words)
        printed = capsys.readouterr().out
        assert all(len(line) <= 80 for line in printed.splitlines())
        listed = [line for line in printed.split("Commands:")[1].splitlines() if not line.startswith("  demo ")]
        assert not any(line.endswith("...") for line in listed)


def test_the_version_is_printed(capsys):
    """`heptad --version` names the program and its version."""
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"heptad {__version__}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["statsu"], "did you mean 'status'?"),
        (["data", "lgo"], "did you mean 'log'?"),
        (["status", "--jsn"], "did you mean '--json'?"),
        (["status", "more"], "unexpected"),
        (["events", "--limit", "few"], "--limit"),
        (["events", "--limit"], "requires an argument"),
        (["training", "show", "--report"], "requires an argument"),
        (["serving", "predict"], "--json-row"),
    ],
)
def test_wrong_words_are_answered_with_the_nearest_right_ones(words, said, capsys):
    """Exit code 2, what is allowed, and the help to read."""
    assert run(words) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert f"Remedy: heptad{'' if words[0] == 'statsu' else ' ' + words[0]}" in printed.err
    assert printed.out == ""


def test_an_error_has_problem_allowed_and_remedy(capsys):
    """On standard error, one under the other."""
    report(NotFoundError("version", "7", ["1", "2"], remedy="heptad release list"), as_json=False)
    assert capsys.readouterr().err == "There is no version '7'.\nAllowed: 1, 2\nRemedy: heptad release list\n"


def test_an_error_is_json_for_a_program(capsys):
    """With --json every mistake of heptad.toml is in one object on standard output."""
    report(SettingsError("2 mistakes:", problems=["line 1: x", "line 2: y"], remedy="mend them"), as_json=True)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert '"error":"SettingsError"' in printed.out
    assert "line 2: y" in printed.out


def test_a_usage_error_without_a_command_still_has_a_remedy():
    """Where it is not known which command was meant, the general help is named."""
    import typer

    assert usage_error(typer.BadParameter("no")).remedy == "heptad --help"


def test_a_folder_that_is_no_project_is_said_in_plain_words(tmp_path, capsys):
    """Exit code 2, and how to make one; nothing is written."""
    assert run(["status", "-p", str(tmp_path)]) == 2
    assert "is in no Heptad project." in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_defect_is_shown_whole_and_exits_with_1(monkeypatch, capsys):
    """An exception that nobody expected keeps its traceback, and says where to tell it."""

    def broken():
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(app, "build", broken)
    assert run(["status"]) == 1
    said = capsys.readouterr().err
    assert "ZeroDivisionError: by zero" in said
    assert "report it" in said


def test_interruption_is_told_from_failure(monkeypatch, capsys):
    """Ctrl-C ends with 130, and says that what was finished is kept."""

    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "build", interrupted)
    assert run(["status"]) == 130
    assert "Interrupted" in capsys.readouterr().err


def test_ctrl_c_in_the_real_program_exits_with_130(tmp_path, rides):
    """A real signal in a real process, while a command works."""
    line = (
        "import heptad.lifecycle.status as status, time, sys; status.read_status = lambda *_: print('on', flush=True) "
        f"or time.sleep(60); from heptad.cli.app import run; sys.exit(run(['status', '-p', {str(rides)!r}]))"
    )
    with subprocess.Popen([sys.executable, "-c", line], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Interrupted" in said
    assert b"Traceback" not in said


def test_a_reader_that_has_seen_enough_is_no_error(rides):
    """`heptad events | head -1` ends without a word on standard error."""
    read, write = os.pipe()
    with subprocess.Popen(
        [*HEPTAD, "events", "--limit", "1000", "--json", "-p", str(rides)], stdout=write, stderr=subprocess.PIPE
    ) as process:
        os.close(write)
        os.close(read)
        _, said = process.communicate(timeout=30)
    assert said == b""
    assert process.returncode == 0


def test_help_is_quick():
    """The help loads no library but the parser of words; measured in CPU time, which load does not change much."""
    began = time.process_time()
    build()
    assert time.process_time() - began < 0.5
    line = (
        "import sys; from heptad.cli.app import run; run(['--help']); "
        "heavy = {'numpy', 'polars', 'sqlalchemy', 'rich', 'pydantic', 'msgspec'}; "
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", line],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TYPER_USE_RICH": "0"},
    )
    assert loaded.stderr == "[]\n"


def test_shell_completion_offers_commands():
    """The script that --show-completion gives asks the program itself for the words."""
    asked = subprocess.run(
        HEPTAD,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "_HEPTAD_COMPLETE": "complete_bash", "COMP_WORDS": "heptad stat", "COMP_CWORD": "1"},
    )
    assert asked.stdout.split() == ["status"]


def test_json_is_understood_wherever_it_stands(shell: Shell):
    """The option may come before or after others."""
    assert shell.bare("status", "--json", "-p", str(shell.project)).json["project"] == "rides"
