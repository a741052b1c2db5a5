"""Words become the values that Typer would make of them, without what Typer loads for it."""

import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

from heptad.cli.app import run
from heptad.cli.parameters import read_without_pydantic

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1).filter(
    lambda text: not text.startswith("-")
)


def command(got: list[object]) -> typer.main.TyperCommand:
    """A command with a parameter of every type that ours have; what it is called with ends up in `got`."""
    app = typer.Typer()

    @app.command()
    def ask(
        names: Annotated[list[str], typer.Argument()],
        text: str = "",
        where: Path = Path(),
        number: Annotated[int | None, typer.Option(min=-5, max=5)] = None,
        yes: bool = False,
        day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])] = None,
    ) -> None:
        got.append((names, text, where, number, yes, day))

    return typer.main.get_command(app)


@settings(deadline=None, max_examples=50)
@given(
    names=st.lists(texts, min_size=1, max_size=3),
    text=texts,
    number=st.none() | st.integers(-9, 9) | st.sampled_from(["few", "3.5", " 3 ", "+3", "1e3", "-0"]),
    yes=st.booleans(),
)
def test_values_are_those_that_typer_makes(names, text, number, yes):
    """For any words: the same values, or refused by both."""
    words = [*names, "--text", text, "--where", text, *["--yes"] * yes, "--day", "2013-04-01"]
    words += [] if number is None else ["--number", str(number)]
    answers = []
    for ours in (False, True):
        got: list[object] = []
        asked = command(got)
        if ours:
            read_without_pydantic(asked)
        try:
            asked(list(words), standalone_mode=False)
        except typer.BadParameter:
            got.append("refused")
        answers.append(got)
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["events", "--limit", "few"], "'few' is not a whole number"),
        (["events", "--limit", "0"], "0 is not at least 1"),
        (["up", "--port", "99999"], "99999 is not between 0 and 65535"),
        (["up", "--port", "-1"], "-1 is not between 0 and 65535"),
    ],
)
def test_a_number_that_cannot_be_used_is_refused_with_what_can(words, said, capsys):
    """Exit code 2, the option by name."""
    assert run(words) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert words[1] in printed


def test_no_command_loads_pydantic(tmp_path):
    """Its import would be a fifth of the time that the quickest commands take."""
    line = (
        "import sys; from heptad.cli.app import run; "
        f"run(['experiments', 'compare', 'a', 'b', '-p', {str(tmp_path)!r}]); "
        "print('pydantic' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"
