"""The output of a process is kept as a terminal would show it in the end, and goes on as if nobody looked."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from heptad.experiments import output
from heptad.experiments.output import Lines, Output


@contextmanager
def printing() -> Iterator[tuple[io.StringIO, io.StringIO]]:
    """What the process prints to, meanwhile."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        yield out, err


def test_of_a_progress_bar_the_last_state_stays():
    """However the text is cut into pieces."""
    text = "10%\r50%\r100%\nnext\r\nlast"
    for size in (1, 2, 5, 100):
        lines, done = Lines(), []
        for start in range(0, len(text), size):
            done += lines.add(text[start : start + size])
        assert done == ["100%", "next"]
        assert lines.rest() == "last"


def test_output_is_copied_and_passed_on(tmp_path: Path):
    """Both streams, line by line, without secrets; afterwards the streams are as they were."""
    with printing() as streams:
        kept = Output(tmp_path / "output")
        kept.start()
        sys.stdout.write("hello\n")
        sys.stderr.write("token=abc123\n")
        assert kept.path.read_text() == "hello\ntoken=***\n"
        sys.stdout.write("no end")
        kept.stop()
        sys.stdout.write("later\n")
        assert kept.path.read_text() == "hello\ntoken=***\nno end\n"
        assert streams[0].getvalue() == "hello\nno endlater\n"
        assert (sys.stdout, sys.stderr) == streams


def test_of_two_copies_the_inner_one_may_end_last(tmp_path: Path):
    """Runs need not be nested neatly."""
    with printing() as streams:
        first, second = Output(tmp_path / "1"), Output(tmp_path / "2")
        first.start()
        second.start()
        first.stop()
        sys.stdout.write("both?\n")
        second.stop()
        assert first.path.read_text() == ""
        assert second.path.read_text() == "both?\n"
        assert streams[0].getvalue() == "both?\n"


def test_endless_output_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What is left out is counted."""
    with printing():
        monkeypatch.setattr(output, "LARGEST", 10)
        kept = Output(tmp_path / "output")
        kept.start()
        for _ in range(5):
            sys.stdout.write("1234567\n")
        kept.stop()
        assert kept.path.read_text() == "1234567\n1234567\n(24 more characters left out)\n"


def test_a_full_disk_does_not_keep_a_program_from_printing(tmp_path: Path):
    """The copy ends, the output goes on."""
    with printing() as streams:
        kept = Output(tmp_path / "output")
        kept.start()

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        kept._keep = full  # type: ignore[method-assign]
        sys.stdout.write("a\n")
        sys.stdout.write("b\n")
        kept.stop()
        assert streams[0].getvalue() == "a\nb\n"
