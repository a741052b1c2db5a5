"""Lists of runs: what they show, hide and refuse."""

from heptad.project import open_project
from tests.cli.conftest import Shell


def test_a_list_of_runs_fits_the_screen_and_hides_no_metric_of_a_name(empty: Shell):
    """The first few of many metrics; those whose name only has the letters of fold; and why nothing is found."""
    with open_project(empty.project).experiments.start("wide") as run:
        run.log({"kfold_auc": 0.9, **{f"loss_{number:03}": number for number in range(300)}})
    listed = empty("experiments", "list").out
    assert "kfold_auc 0.9" in listed
    assert " and 293 more" in " ".join(listed.split())
    assert "Keys are metrics.NAME" in " ".join(
        empty("experiments", "list", "--where", "metrics.kfold_acu > 0").out.split()
    )
    assert "None of these runs has 'nope'" in empty("experiments", "list", "--order", "nope").err


def test_no_name_breaks_the_rows_of_a_list(empty: Shell):
    """A long one is shortened, and one with control characters is on one line and harmless to the terminal."""
    experiments = open_project(empty.project).experiments
    names = ["plain", "x" * 10_000, "two\nlines", "red \x1b[31m\x07 \u202e"]
    for name in names:
        with experiments.start(name, params={"na\x1bme": "va\x1b[2Jlue"}) as run:
            for step in range(2):
                run.log(step, loss=step)
    for command in (("list",), ("compare", "--where", "status = finished"), ("plot", "loss")):
        listed = empty("experiments", *command).out
        assert "two lines" in listed
        assert r"red \x1b[31m\x07 \u202e" in listed
        assert "\x1b" not in listed
        assert "xxx…" in listed
        assert max(map(len, listed.splitlines())) < 200
    assert "\x1b" not in empty("experiments", "show", run.id).out
